import csv
from pathlib import Path
from typing import Any

import pytest
from studies import ARMS, accuracy, areas, fill, spec_of

from nextlabel.report.comparisons import compare_arms
from nextlabel.report.figures.block_log import draw_block_log
from nextlabel.report.formatting import p_value, seconds, show, signed
from nextlabel.report.notices import notices
from nextlabel.report.page import build_report
from nextlabel.report.results import read_results
from nextlabel.report.sections import record
from nextlabel.report.tables import curve_frame
from nextlabel.report.verdict import verdict
from nextlabel.statistics.latent_activity import Activity
from nextlabel.store.store import Store, initial_hash

TWO = ARMS[:2]


def verdict_of(store: Store) -> str:
    results = read_results(store)
    return " ".join(verdict(results, compare_arms(results)))


def notices_of(store: Store) -> list[str]:
    results = read_results(store)
    return notices(results, compare_arms(results))


def test_three_seeds_can_show_nothing_and_the_page_says_so(digits: Store) -> None:
    said = verdict_of(digits)
    assert said.startswith("No difference was shown between core-set + VAE and core-set.")
    assert "over 3 paired seeds the area under the curve differs by +0.0" in said
    assert "p = 0.2500 by exact sign flips" in said
    assert "With 3 pairs p cannot fall below 0.2500: at the 0.05 level this test could not" in said
    assert "Of the 3 other comparisons, after Holm’s correction: none has" in said
    assert "with so few pairs none could; it takes 7 seeds." in said
    assert notices_of(digits) == []


@pytest.mark.parametrize(("sign", "word"), [(1, "better"), (-1, "worse")])
def test_enough_seeds_show_a_difference(store: Store, sign: int, word: str) -> None:
    def curve(arm: str, seed: int, number: int) -> float:
        lift = sign * (0.01 + 0.001 * seed) if arm == "core-set" and number else 0.0
        return accuracy("random", seed, number) + lift

    fill(store, spec_of(TWO, 6, primary="core-set"), curve)
    said = verdict_of(store)
    assert said.startswith(f"core-set is {word} than random.")
    assert "p = 0.0312 by exact sign flips" in said
    assert "cannot fall below 0.0312." in said and "could not have shown" not in said
    assert "in 80% of runs" in said


def test_equal_arms_and_single_seeds_are_said(store: Store) -> None:
    fill(store, spec_of(TWO, 2, primary="core-set"), lambda arm, s, n: accuracy("A", s, n))
    assert verdict_of(store).startswith("core-set and random are the same on every seed.")
    fill(store, spec_of(TWO, 1, name="one", primary="core-set"))
    results = read_results(store, "one")
    assert verdict(results, compare_arms(results))[0].startswith(
        "With one pair of seeds no test is"
    )


def test_without_a_primary_test_all_is_exploratory(store: Store) -> None:
    fill(store, spec_of(TWO))
    said = verdict_of(store)
    assert said.startswith("This experiment names no primary test")
    assert "Of the one other comparison" in said


def test_nothing_complete_is_said(store: Store) -> None:
    fill(store, spec_of(TWO, primary="core-set"), rounds=lambda arm, seed: seed)
    assert verdict_of(store).startswith("No trial has reached the target of 250 labels yet")
    half = spec_of(TWO, name="half", primary="core-set")
    fill(store, half, rounds=lambda arm, seed: 5 * (arm == "random"))
    results = read_results(store, "half")
    assert (
        "core-set against random, is not possible yet" in verdict(results, compare_arms(results))[0]
    )


def test_failed_and_incomplete_trials_are_named_and_left_out(store: Store) -> None:
    fill(
        store,
        spec_of(ARMS[:4], seeds=4),
        rounds=lambda arm, seed: 3 if (arm, seed) in {("core-set", 1), ("MedAL", 3)} else 5,
        fails=lambda arm, seed: (arm, seed) == ("core-set", 1),
    )
    said = "\n".join(notices_of(store))
    assert "core-set, seed 1 failed at 150 labels: out of memory. Nothing is computed" in said
    assert "MedAL, seed 3 is incomplete (150 labels of 250)." in said
    assert "core-set + VAE against core-set: 3 of 4 seeds are complete for both (0, 2, 3)" in said
    assert "over the seeds complete for all arms drawn: 0, 2." in said
    results = read_results(store)
    pair = next(p for p in compare_arms(results) if p.arm == "core-set")
    difference = (areas("core-set", 4) - areas("random", 4))[[0, 2, 3]]
    assert pair.seeds == (0, 2, 3)
    assert pair.differences == pytest.approx(difference.tolist())
    assert results.curve("core-set").seeds == (0, 2)


def test_no_common_seed_is_said(store: Store) -> None:
    fill(store, spec_of(TWO, 2), rounds=lambda arm, seed: 5 * ((arm == "random") == (seed == 0)))
    results = read_results(store)
    assert compare_arms(results) == ()
    assert results.curve("random").seeds == (0,) and results.curve("core-set").seeds == (1,)
    assert any("No seed is complete for all arms" in n for n in notices_of(store))


def test_rounds_trained_too_little_are_marked(store: Store) -> None:
    fill(store, spec_of(TWO), reached=lambda arm, seed, n: (arm, seed, n) != ("core-set", 1, 2))
    (said,) = notices_of(store)
    assert said.startswith("1 rounds ended under the required train accuracy")
    assert "core-set, seed 1 at 150" in said
    frame = curve_frame([read_results(store).curve("core-set")])
    assert frame["not_reached"].tolist() == [0, 0, 1, 0, 0]


def test_rounds_beyond_the_target_do_not_count(store: Store) -> None:
    fill(store, spec_of(TWO, target=150))
    results = read_results(store)
    assert results.counts.tolist() == [50, 100, 150]
    assert max(p.number or 0 for t in results.trials for p in t.pictures) == 2
    assert results.complete("random") == (0, 1, 2)


def begin_with(store: Store, digest: str, **trials: str) -> None:
    """Store another digest of the initial labels for the trials of an arm or a key."""
    from nextlabel.store.schema import TrialRow

    def write(session: Any) -> None:
        session.query(TrialRow).filter_by(**trials).update({"initial_hash": digest})

    store._write(write)


def test_unequal_starts_and_other_machines_are_said(store: Store) -> None:
    arms = ({**TWO[0], "start": "random"}, TWO[1])
    fill(store, spec_of(arms, 1))
    key = store.trials("digits")[0].record.key
    assert notices_of(store) == []
    store.begin(key, {"processor": "another"})
    assert notices_of(store) == []  # no round was computed there
    begin_with(store, initial_hash([7]), key=key)
    assert notices_of(store) == ["Seed 0: not all arms started from the same initial labels."]


def test_arms_that_choose_their_start_share_it_within_a_space(store: Store) -> None:
    def own(name: str, block: str) -> dict[str, object]:
        return {
            "name": name,
            "strategy": "typiclust",
            "start": "typiclust",
            "features": {block: 1.0},
            "baseline": "random",
        }

    arms = (TWO[0], own("a", "vae"), own("b", "vae"), own("c", "pca"))
    fill(store, spec_of(arms, 2))
    for arm, first in (("a", 7), ("b", 7), ("c", 8)):
        begin_with(store, str(first) * 64, arm=arm)
    (said,) = notices_of(store)
    assert said.startswith("Arms start in different ways (random, typiclust): ")
    (experiment,) = (
        one for one in record.build(read_results(store)).subsections if one.title == "Experiment"
    )
    starts = dict(experiment.facts)
    assert starts["initial labels.seed 1, typiclust (vae × 1)"].startswith(
        "the same for all arms that start so, 7777"
    )
    assert starts["initial labels.seed 1, typiclust (pca × 1)"].endswith("8888…")
    pair = compare_arms(read_results(store))[0]
    assert [test.count for test in pair.tests] == [50, 100, 150, 200, 250]  # round 0 as well
    begin_with(store, "9" * 64, arm="b")
    assert "Seed 0: not all arms that start alike started from the same initial labels." in (
        notices_of(store)
    )


def test_a_module_trained_along_makes_round_0_a_round_of_its_own(store: Store) -> None:
    arms = (TWO[0], {"name": "P", "strategy": "random", "loss_head": True, "baseline": "random"})

    def curve(arm: str, seed: int, number: int) -> float:
        return accuracy(arm, seed, number) + (0.001 * seed if arm == "P" else 0.0)

    fill(store, spec_of(arms, 3), curve)
    (pair,) = compare_arms(read_results(store))
    assert [test.count for test in pair.tests] == [50, 100, 150, 200, 250]


def test_numbers_as_people_read_them() -> None:
    assert [signed(x) for x in (0.0, -0.00001, 0.0123, -0.5)] == [
        "0.0000",
        "0.0000",
        "+0.0123",
        "−0.5000",
    ]
    assert [p_value(x) for x in (1.0, 0.05, 1e-9)] == ["1.0000", "0.0500", "< 0.0001"]
    assert [seconds(x) for x in (0.25, 3.14, 85, 600, 7100)] == [
        "0.25 s",
        "3.1 s",
        "85 s",
        "10 min",
        "118 min",
    ]
    assert seconds(3 * 3600 + 120) == "3 h 2 min"
    assert show(None) == show(None, "p") == "–"
    assert (show(25_000, "count"), show(2400, "count")) == ("25\u202f000", "2400")
    assert show("not reached", "labels") == "not reached"


def test_a_vae_that_learned_little_is_named(store: Store) -> None:
    def log(arm: str, seed: int) -> dict[str, float]:
        return Activity(1 if seed else 20, 32, 0.5).numbers()

    fill(store, spec_of(seeds=3, primary="core-set + VAE"), log=log)
    (said,) = notices_of(store)
    assert said.startswith(
        "The block vae learned little with seeds 1, 2: 1 of 32 latent dimensions"
    )
    fill(
        store, spec_of(seeds=3, name="awake"), log=lambda arm, seed: Activity(9, 32, 0.5).numbers()
    )
    results = read_results(store, "awake")
    assert notices(results, compare_arms(results)) == []


def test_an_arm_that_reads_the_labels_is_called_a_ceiling(store: Store) -> None:
    oracle = {"name": "all classes", "strategy": "oracle_balanced", "baseline": "random"}
    fill(store, spec_of((ARMS[0], oracle)))
    results = read_results(store)
    (sentence,) = notices(results, compare_arms(results))
    assert sentence.startswith("all classes chooses by the true labels") and "a ceiling" in sentence


def test_the_page_has_the_active_dimensions_of_each_seed(store: Store, tmp_path: Path) -> None:
    def log(arm: str, seed: int) -> dict[str, float]:
        return Activity(1 if seed else 20, 32, 0.25).numbers()

    fill(store, spec_of(seeds=2), log=log)
    html = build_report(store, None, tmp_path, ()).html.read_text()
    assert (
        "active dimensions</th>" in html
        and "25.0%" in html
        and "Learned little with seed 1" in html
    )
    rows = list(csv.DictReader((tmp_path / "block-0.csv").open()))
    assert [row["active_units"] for row in rows if row["epoch"] == "5"] == ["20", "1"]
    figure = draw_block_log({0: [{"kl": 1.0}, {"kl": 2.0, **Activity(1, 2, 0.5).numbers()}]})
    assert [axes.get_title() for axes in figure.axes] == ["kl"]
