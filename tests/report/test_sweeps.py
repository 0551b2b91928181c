import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from studies import COUNTS, fill, spec_of

from nextlabel.report.page import build_report
from nextlabel.report.results import read_results
from nextlabel.report.sweeps import find_sweeps
from nextlabel.store.store import Store

ALPHAS = (0.0, 0.1, 1.0, 10.0)


def arm(alpha: float, **more: Any) -> dict[str, Any]:
    features = {"task": 1.0} | ({"vae": alpha} if alpha else {})
    return {"name": f"α = {alpha:g}", "strategy": "core_set", "features": features, **more}


def height(name: str, seed: int, number: int) -> float:
    alpha = float(name.rpartition(" ")[2])
    noise = np.random.default_rng([seed, number, int(10 * alpha)]).normal(0, 0.001)
    return 0.5 + 0.05 * number + 0.01 * seed + 0.02 * min(alpha, 1) * (number > 0) + noise


def area(name: str, seeds: int) -> np.ndarray:
    found = [[height(name, s, n) for n in range(5)] for s in range(seeds)]
    return np.trapezoid(found, COUNTS) / 200


def test_a_sweep_is_drawn_with_paired_intervals(store: Store, tmp_path: Path) -> None:
    other = {"name": "z 5", "strategy": "medal", "features": {"task": 1.0, "vae": 1.0}}
    fill(store, spec_of((*map(arm, ALPHAS[::-1]), other), 5), height)
    (sweep,) = find_sweeps(read_results(store))
    assert (sweep.block, sweep.use, sweep.strategy) == ("vae", "features", "core_set")
    assert [point.alpha for point in sweep.points] == list(ALPHAS)
    assert sweep.points[0].against_zero is None
    for point in sweep.points:
        assert point.mean == pytest.approx(area(point.arm, 5).mean())
        if point.alpha:
            difference = area(point.arm, 5) - area("α = 0", 5)
            found = point.against_zero
            assert found is not None and found.mean == pytest.approx(difference.mean())
            assert (found.low, found.high) == pytest.approx((difference.min(), difference.max()))
    out = build_report(store, None, tmp_path, ("svg", "png")).html.parent
    rows = list(csv.DictReader(io.StringIO((out / "alpha-1.csv").read_text())))
    assert [row["alpha"] for row in rows] == ["0.0", "0.1", "1.0", "10.0"]
    assert rows[0]["difference"] == "" and float(rows[2]["low"]) > 0
    html = (out / "report.html").read_text()
    assert '<section id="alpha">' in html and (out / "alpha-1.png").is_file()
    svg = (out / "alpha-1.svg").read_text()
    assert all(f">{alpha:g}<" in svg for alpha in ALPHAS) and "$" not in svg


def test_weights_in_the_training_make_a_sweep_too(store: Store) -> None:
    arms = [
        {"name": f"b {a:g}", "strategy": "predicted_loss", "side": {"vae": a}} for a in (0, 1, 2)
    ]
    fill(store, spec_of(tuple(arms), 2), height)
    (sweep,) = find_sweeps(read_results(store))
    assert sweep.title == "α, the weight of vae in the training of predicted_loss"


@pytest.mark.parametrize(
    "arms",
    [
        [arm(0), arm(1)],
        [arm(0), arm(1), arm(2, scale="none")],
        [arm(0), arm(1), arm(2, strategy="medal")],
        [arm(0), arm(1), arm(2, options={"x": 1})],
        [arm(0), arm(1), arm(2, start="typiclust")],
        [arm(0), arm(1), arm(2, features={"task": 1.0, "pca": 1.0})],
        [arm(0), {**arm(0, features={"task": 1.0, "vae": 0.0}), "name": "again 0"}, arm(1)],
    ],
)
def test_other_differences_make_none(store: Store, arms: list[dict[str, Any]]) -> None:
    fill(store, spec_of(tuple(arms), 1), height)
    assert find_sweeps(read_results(store)) == ()


def test_without_zero_there_are_levels_alone(store: Store, tmp_path: Path) -> None:
    fill(store, spec_of(tuple(map(arm, ALPHAS[1:])), 1), height)
    (sweep,) = find_sweeps(read_results(store))
    assert all(p.against_zero is None and p.deviation is None for p in sweep.points)
    html = build_report(store, None, tmp_path, ()).html.read_text()
    assert "there is no arm at α = 0 to compare with" in html
