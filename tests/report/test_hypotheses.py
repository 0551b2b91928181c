import csv
import io
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import permutation_test
from studies import ARMS, accuracy, areas, curves, fill, spec_of

from nextlabel.report.hypotheses import judge_hypotheses
from nextlabel.report.page import build_report
from nextlabel.report.results import read_results
from nextlabel.report.tables import hypothesis_rows
from nextlabel.report.verdict import hypothesis_sentences, verdict
from nextlabel.store.store import Store

AHEAD = {
    "name": "VAE twins beat random",
    "arms": ["core-set + VAE", "core-set"],
    "against": ["random"],
    "alternative": "greater",
}
BEHIND = {**AHEAD, "name": "MedAL beats core-set", "arms": ["MedAL"], "against": ["core-set"]}


def sentences_of(store: Store) -> list[str]:
    return hypothesis_sentences(read_results(store).hypotheses)


def judged(store: Store, *stated: dict[str, object], seeds: int = 8, **more: object):
    fill(store, spec_of(seeds=seeds, hypotheses=list(stated)), **more)
    return judge_hypotheses(read_results(store))


def test_means_of_arms_are_compared_one_sided_and_corrected_together(store: Store) -> None:
    ahead, behind = judged(store, AHEAD, BEHIND)
    mine = (areas("core-set + VAE", 8) + areas("core-set", 8)) / 2
    difference = mine - areas("random", 8)
    assert ahead.area is not None and ahead.area.mean == pytest.approx(difference.mean())
    p = permutation_test(
        (difference,), np.mean, permutation_type="samples", alternative="greater"
    ).pvalue
    assert ahead.p == pytest.approx(p) and p <= 0.5**8 * 2
    assert ahead.p_holm == pytest.approx(2 * p)
    assert behind.p is not None and behind.p > 0.9 and behind.p_holm == behind.p
    assert ahead.saving is not None and ahead.saving.saved is not None and ahead.saving.saved > 0
    level = curves("random", 8).mean(0).max()
    assert ahead.saving.level == pytest.approx(level)
    assert behind.saving is not None and behind.saving.arm_needs is None
    assert ahead.interval is not None and behind.interval == (None, None)
    low, high = ahead.interval
    assert low is not None and high is not None and low <= ahead.saving.saved <= high


def test_what_cannot_be_tested_yet_still_counts_in_the_correction(store: Store) -> None:
    found = judged(store, AHEAD, BEHIND, rounds=lambda arm, seed: 3 if arm == "MedAL" else 5)
    assert found[0].p_holm == 2 * found[0].p
    assert (found[1].p, found[1].p_holm, found[1].area, found[1].seeds) == (None, None, None, ())


def test_a_look_before_the_last_seed_is_no_verdict(store: Store) -> None:
    judged(store, AHEAD, rounds=lambda arm, seed: 3 if (arm, seed) == ("random", 7) else 5)
    _, interim, _ = sentences_of(store)
    assert interim.startswith("Not all 8 seeds are complete for all of their arms yet: this is an")


def test_the_page_says_how_they_fell_whichever_way(store: Store, tmp_path: Path) -> None:
    judged(store, AHEAD, BEHIND)
    out = build_report(store, None, tmp_path, ()).html
    html = out.read_text()
    assert '<section id="hypotheses">' in html and "names no primary test" not in html
    rows = list(csv.DictReader(io.StringIO((tmp_path / "hypotheses.csv").read_text())))
    assert [row["hypothesis"] for row in rows] == [AHEAD["name"], BEHIND["name"]]
    assert rows[1]["arms_need"] == rows[1]["saved_low"] == "not reached"
    lines = sentences_of(store)
    assert lines[0] == "Of 2 hypotheses stated in the experiment, 1 is supported."
    assert len(lines) == 3  # all seeds are complete, so this is not an interim result
    assert "is supported: over 8 paired seeds" in lines[1] and "one-sided p = " in lines[1]
    assert "is not supported, and the difference goes the other way" in lines[2]
    assert "They do not reach" in lines[2]
    for line in lines:
        assert line.replace("'", "&#39;") in html
    assert hypothesis_rows(read_results(store).hypotheses)[0]["pairs"] == 8


def test_too_few_seeds_are_said(store: Store) -> None:
    judged(store, AHEAD, seeds=3)
    _, limit, line = sentences_of(store)
    assert "is not supported" in line
    assert limit == (
        "No outcome could have supported “VAE twins beat random”: with 3 pairs p after Holm’s "
        "correction cannot fall below 0.1250. It takes at least 5 seeds."
    )


def test_hypotheses_that_five_seeds_can_never_support_are_named(store: Store) -> None:
    def ahead(arm: str, seed: int, number: int) -> float:
        return accuracy("random", seed, number) + (0 if arm == "random" else 0.1 + 0.005 * seed)

    stated = [{**AHEAD, "name": name, "arms": ["core-set"]} for name in "abc"]
    results = judged(store, *stated, seeds=5, curve=ahead)
    assert [found.p for found in results] == [1 / 32] * 3
    assert [found.p_holm for found in results] == [found.least for found in results] == [3 / 32] * 3
    none, limit, *_ = sentences_of(store)
    assert none.endswith("none is supported.")
    assert limit.startswith("No outcome could have supported “a”, “b”, “c”: with 5 pairs p after")
    assert limit.endswith("cannot fall below 0.0938. Each takes at least 6 seeds.")


def test_one_seed_allows_no_test(store: Store) -> None:
    (found,) = judged(store, AHEAD, seeds=1)
    assert found.p is None and found.p_holm is None and found.interval is None
    assert "one pair allows no test" in sentences_of(store)[1]


def test_without_hypotheses_nothing_is_said_of_them(digits: Store, report: Path) -> None:
    assert sentences_of(digits) == []
    assert "hypotheses" not in (report / "report.html").read_text().split("The resolved exp")[0]
    assert not (report / "hypotheses.csv").exists()


def test_equal_arms_support_nothing(store: Store) -> None:
    def same(arm: str, seed: int, number: int) -> float:
        return accuracy("random", seed, number)

    judged(store, AHEAD, curve=same)
    results = read_results(store)
    (found,) = judge_hypotheses(results)
    assert found.p == found.p_holm == 1.0
    assert verdict(results, (), (found,))[0].endswith("none is supported.")
    assert {arm["name"] for arm in ARMS} == set(results.arms)
