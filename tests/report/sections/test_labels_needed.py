"""The labels that arms need for the level of random choice."""

import numpy as np
import pytest
from matplotlib.axes import Axes
from studies import COUNTS, fill, spec_of

from nextlabel.report.results import Results, read_results
from nextlabel.report.sections.labels_needed import build, needs_frame, random_arms
from nextlabel.store.store import Store

RISES = {"random": 1.0, "random, model of PCA": 0.8, "ahead": 2.0, "behind": 0.5}
PCA = {"model": {"name": "linear", "blocks": {"pca": 1.0}}}
ARMS = (
    {"name": "random", "strategy": "random"},
    {"name": "random, model of PCA", "strategy": "random", **PCA},
    {"name": "ahead", "strategy": "uherding"},
    {"name": "behind", "strategy": "random", "start": "typiclust"},
)
LATER = {"options": {"then": {"after": 100, "strategy": "margin"}}}


@pytest.fixture
def results(store: Store) -> Results:
    """Straight curves: an arm's accuracy is its rise × labels / 1000; seeds differ in level."""
    fill(
        store,
        spec_of(ARMS, seeds=6),
        lambda arm, seed, number: RISES[arm] * COUNTS[number] / 1000 + seed * 1e-3,
    )
    return read_results(store)


def test_the_needs_are_those_of_the_levels(results: Results) -> None:
    assert random_arms(results) == ["random", "random, model of PCA"]
    frame = needs_frame(results, random_arms(results)).set_index(["arm", "random_arm"])
    of_best = frame.loc[("ahead", "random")]
    assert of_best["level"] == pytest.approx(0.25 + np.arange(6).mean() * 1e-3)
    assert of_best[["needs", "needs_low", "needs_high"]].tolist() == pytest.approx([125] * 3)
    assert frame.loc[("ahead", "random, model of PCA"), "needs"] == pytest.approx(100)
    assert frame.loc[("random", "random, model of PCA"), "needs"] == pytest.approx(200)
    assert frame.loc[("behind", "random"), "needs"] == "not reached"
    assert frame.loc[("random", "random")].isna().all()


def test_the_page_has_the_best_random_arm_and_that_of_pca(results: Results) -> None:
    section = build(results)
    assert section is not None
    (table,) = section.tables
    assert [heading.text for heading in table.headings] == [
        "arm",
        "random: 0.2525",
        "random, model of PCA: 0.2025",
    ]
    assert table.rows[0] == ("random", "–", "200 (200 to 200)")
    assert table.rows[2] == ("ahead", "125 (125 to 125)", "100 (100 to 100)")
    assert table.rows[3] == ("behind", "not reached", "not reached")


def test_the_figure_has_a_panel_per_level(results: Results) -> None:
    section = build(results)
    assert section is not None
    (drawing,) = section.figures
    best, pca = drawing.figure.axes
    assert [label.get_text() for label in best.get_yticklabels()] == [arm["name"] for arm in ARMS]
    assert [axes.get_title().replace("\n", " ") for axes in (best, pca)] == [
        "random: 0.2525",
        "random, model of PCA: 0.2025",
    ]
    ticks = {marked(axes, "|") for axes in (best, pca)}
    assert ticks == {frozenset({(2, 125)}), frozenset({(0, 200), (2, 100)})}
    assert marked(best, ">") == {(1, 250), (3, 250)}
    assert marked(pca, ">") == {(3, 250)}


def marked(axes: Axes, marker: str) -> frozenset[tuple[int, int]]:
    """Return the row and the labels, rounded, of each of these markers."""
    lines = [line for line in axes.lines if line.get_marker() == marker]
    return frozenset(
        (round(y), round(x)) for line in lines for x, y in zip(*line.get_data(), strict=True)
    )


def test_a_need_without_an_end_has_a_bar_up_to_an_arrow(store: Store) -> None:
    arms = (ARMS[0], ARMS[2])
    fill(store, spec_of(arms, seeds=6), half_the_seeds_reach)
    section = build(read_results(store))
    assert section is not None
    (axes,) = section.figures[0].figure.axes
    assert marked(axes, ">") == {(0, 250)} and marked(axes, "|") == {(0, 167)}
    bar = next(line for line in axes.lines if len(line.get_xdata()) == 2)
    assert np.asarray(bar.get_xdata()).tolist() == pytest.approx([83.3, 250], abs=0.1)


def half_the_seeds_reach(arm: str, seed: int, number: int) -> float:
    return COUNTS[number] / 1000 * (1 if arm == "random" else 3 * (seed < 3))


def test_an_upper_end_that_is_not_reached_is_left_open(store: Store) -> None:
    arms = (ARMS[0], ARMS[2])
    fill(store, spec_of(arms, seeds=6), half_the_seeds_reach)
    section = build(read_results(store))
    assert section is not None
    assert section.tables[0].rows[1][1] == "167 (from 83)"


def test_random_choice_that_becomes_another_strategy_sets_no_level(store: Store) -> None:
    arms = (*ARMS[:1], {"name": "switch", "strategy": "random", **LATER})
    fill(store, spec_of(arms, seeds=2), lambda arm, seed, number: 0.5 + (arm == "switch") / 4)
    assert random_arms(read_results(store)) == ["random"]


def test_the_best_level_counts_also_where_a_curve_falls_in_the_end(store: Store) -> None:
    heights = {
        "random": [0.5, 0.6, 0.9, 0.8, 0.7],
        "random, model of PCA": [0.5, 0.6, 0.7, 0.8, 0.8],
    }
    fill(store, spec_of(ARMS[:2], seeds=2), lambda arm, seed, number: heights[arm][number])
    section = build(read_results(store))
    assert section is not None
    assert section.tables[0].headings[1].text == "random: 0.9000"


def test_a_heading_names_no_level_where_arms_have_other_seeds(store: Store) -> None:
    fill(
        store,
        spec_of(ARMS[:3], seeds=4),
        lambda arm, seed, number: RISES[arm] * COUNTS[number] / 1000 + seed * 1e-2,
        rounds=lambda arm, seed: 2 if arm == "ahead" and seed > 1 else 5,
    )
    section = build(read_results(store))
    assert section is not None
    assert [h.text for h in section.tables[0].headings] == ["arm", "random", "random, model of PCA"]


def test_without_random_choice_there_is_no_level(store: Store) -> None:
    fill(store, spec_of(ARMS[2:], seeds=2), lambda arm, seed, number: 0.5)
    assert build(read_results(store)) is None
