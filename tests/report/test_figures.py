"""Figures of many arms, or of arms with long names, still say which line is whose."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from nextlabel.experiment.parse import load_experiment
from nextlabel.report.experiment_record import Curve
from nextlabel.report.figures import arm_styles, plot_style
from nextlabel.report.figures.class_shares import draw_class_shares
from nextlabel.report.figures.curves import draw_curves
from nextlabel.report.figures.reliability import draw_reliability
from nextlabel.report.picks import ClassShares

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
MIXES = {
    "many": [
        "random" if number % 3 == 0 else f"strategy {number % 7 if number % 2 else number}"
        for number in range(40)
    ],
    "random alone": ["random"] * 54,
    "one strategy": ["margin"] * 40,
    "one between": [*["random"] * 5, *["margin"] * 2, *["random"] * 3],
}
LONG = {
    "short": ["random", "margin"],
    "in one column": ["random, model of a class-conditional VAE", "random, balanced classes"] * 2,
    "broken": ["a name of many words that goes beyond every figure, " * 3, "random"],
    "one word": ["without_any_space_" * 6, "random"],
    "wide": ["クラス条件付き変分オートエンコーダーの特徴量とランダム選択の比較実験" * 2, "random"],
}


def specs(names: list[str], strategies: list[str]) -> dict[str, dict[str, str]]:
    return {name: {"strategy": strategy} for name, strategy in zip(names, strategies, strict=True)}


def curve_figure(names: list[str]) -> Figure:
    counts, values = np.array([10, 20]), np.array([[0.5, 0.6]])
    curves = [Curve(name, (0,), counts, values, values > 0) for name in names]
    return draw_curves(curves, arm_styles(specs(names, names)), "accuracy")


def share_figure(names: list[str]) -> Figure:
    picks = np.full((2, 2), 0.5)
    counts = np.array([10, 20])
    twos = np.full((2, 2), 2)
    shares = [ClassShares(name, ("a", "b"), counts, twos, twos.sum(1), picks[0]) for name in names]
    return draw_class_shares(shares, arm_styles(specs(names, names)))


def reliability_figure(names: list[str]) -> Figure:
    lines = {name: ((0.2, 0.8), (0.3, 0.7)) for name in names}
    return draw_reliability(lines, arm_styles(specs(names, names)))


@pytest.mark.parametrize("strategies", MIXES.values(), ids=MIXES)
def test_no_two_arms_look_alike(strategies: list[str]) -> None:
    styles = arm_styles(specs([f"arm {n}" for n in range(len(strategies))], strategies))
    assert len(set(styles.values())) == len(strategies)


@pytest.mark.parametrize("file", sorted(EXPERIMENTS.glob("*.toml")), ids=lambda file: file.stem)
def test_no_two_arms_of_our_experiments_look_alike(file: Path) -> None:
    arms = load_experiment(file).arms
    styles = arm_styles({arm.name: {"strategy": arm.strategy} for arm in arms})
    assert len(set(styles.values())) == len(arms)


@pytest.mark.parametrize("draw", [curve_figure, share_figure, reliability_figure])
@pytest.mark.parametrize("names", LONG.values(), ids=LONG)
def test_a_legend_stays_within_its_figure(
    names: list[str], draw: Callable[[list[str]], Figure]
) -> None:
    names = [f"{name} {number}" for number, name in enumerate(names)]
    with plot_style():
        figure = draw(names)
        figure.draw_without_rendering()
        legend = figure.legends[0]
        box, page = legend.get_window_extent(), figure.bbox
        above = min(axes.get_tightbbox().y0 for axes in figure.axes)
    assert box.x0 >= page.x0 and box.x1 <= page.x1
    assert box.y0 >= page.y0 and box.y1 <= above
    assert [plain(text) for text in legend.get_texts()] == [name.replace(" ", "") for name in names]


def plain(text: Text) -> str:
    """Return the text of a name, without the places where it is broken."""
    return text.get_text().replace("\n", "").replace(" ", "")
