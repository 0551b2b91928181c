import csv
import io
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ttest_rel
from statsmodels.stats.multitest import multipletests
from studies import ARMS, COUNTS, areas, curves, fill, spec_of

from nextlabel.report.page import build_report
from nextlabel.report.results import read_results
from nextlabel.store.store import Store


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text())))


def test_curves_are_means_and_deviations(report: Path) -> None:
    found = rows(report / "curves.csv")
    assert [r["arm"] for r in found[::5]] == [arm["name"] for arm in ARMS]
    for row in found:
        values = curves(row["arm"])[:, COUNTS.index(int(row["labelled"]))]
        assert float(row["mean"]) == pytest.approx(values.mean(), abs=1e-12)
        assert float(row["sd"]) == pytest.approx(values.std(ddof=1), abs=1e-12)
        assert (row["seeds"], row["not_reached"]) == ("3", "0")


def test_each_label_count_after_round_0_is_tested(report: Path) -> None:
    found = [r for r in rows(report / "p_values.csv") if r["arm"] == "core-set + VAE"]
    p = ttest_rel(curves("core-set + VAE")[:, 1:], curves("core-set")[:, 1:]).pvalue
    holm = multipletests(p, method="holm")[1]
    assert [int(r["labelled"]) for r in found] == COUNTS[1:]
    assert [float(r["p"]) for r in found] == pytest.approx(p.tolist())
    assert [float(r["p_holm"]) for r in found] == pytest.approx(holm.tolist())
    html = (report / "report.html").read_text()
    for value in (*p, *holm):
        assert f">{value:.4f}<" in html


def test_areas_are_compared_pair_by_pair(report: Path) -> None:
    by_arm = {r["arm"]: r for r in rows(report / "statistics.csv")}
    difference = areas("core-set + VAE") - areas("core-set")
    row = by_arm["core-set + VAE"]
    assert float(row["aubc"]) == pytest.approx(areas("core-set + VAE").mean())
    assert float(row["aubc_sd"]) == pytest.approx(areas("core-set + VAE").std(ddof=1))
    assert float(row["difference"]) == pytest.approx(difference.mean())
    assert float(row["effect_dz"]) == pytest.approx(difference.mean() / difference.std(ddof=1))
    ends = (difference.min(), difference.max())  # as far as three seeds let an interval go
    assert (float(row["low"]), float(row["high"])) == pytest.approx(ends)
    assert (row["p"], row["smallest_p"], row["p_holm"]) == ("0.25", "0.25", "")
    assert (row["primary"], by_arm["random"]["p"]) == ("primary", "")
    # the three secondary comparisons are as clear as three seeds allow, and Holm triples that
    assert {by_arm[a]["p_holm"] for a in ("core-set", "MedAL", "MedAL + VAE")} == {"0.75"}


def test_label_saving_is_read_off_the_curves(report: Path) -> None:
    found = [r for r in rows(report / "label_saving.csv") if r["arm"] == "core-set"]
    mine, level = curves("core-set").mean(0), curves("random").mean(0)[-1]
    needs = float(np.interp(level, mine, COUNTS))  # both curves rise
    assert float(found[-1]["arm_needs"]) == pytest.approx(needs)
    assert float(found[-1]["saved"]) == pytest.approx(250 - needs)
    worse = [r for r in rows(report / "label_saving.csv") if r["arm"] == "MedAL"]
    assert (worse[-1]["arm_needs"], worse[-1]["saved"]) == ("not reached", "")


def test_time_memory_and_test_set_stand_beside(report: Path) -> None:
    first = rows(report / "time.csv")[0]
    assert (float(first["seconds_train"]), float(first["seconds_select"])) == (20.0, 1.25)
    assert float(first["seconds"]) == 21.25
    assert int(first["peak_memory"]) == 300 * 2**20
    html = (report / "report.html").read_text()
    last = curves("random")[:, -1] - 0.02
    assert "300 MiB" in html and f"{last.mean():.4f} ± {last.std(ddof=1):.4f}" in html
    for name in ("p_values.csv", "statistics.csv", "label_saving.csv"):
        assert "test/" not in (report / name).read_text()


def test_every_round_is_there_for_who_computes_alone(report: Path) -> None:
    found = rows(report / "rounds.csv")
    assert len(found) == 5 * 3 * 5
    values = [float(r["validation/accuracy"]) for r in found if r["arm"] == "MedAL"]
    assert values == curves("MedAL").ravel().tolist()


def test_the_summary_has_a_row_an_arm(store: Store) -> None:
    fill(store, spec_of(), rounds=lambda arm, seed: 2 if arm == "MedAL" else 5)
    table = {row.arm: row for row in read_results(store).summary_rows}
    assert list(table) == [arm["name"] for arm in ARMS]
    row = table["core-set"]
    assert (row.seeds, row.baseline, row.p, row.primary) == (3, "random", 0.25, False)
    assert row.first == pytest.approx(curves("core-set")[:, 0].mean())
    assert row.last == pytest.approx(curves("core-set")[:, -1].mean())
    assert row.area == pytest.approx(areas("core-set").mean())
    assert row.difference == pytest.approx((areas("core-set") - areas("random")).mean())
    assert (table["MedAL"].seeds, table["MedAL"].area, table["MedAL + VAE"].p) == (0, None, None)


def test_a_metric_that_only_some_arms_or_rounds_have(store: Store, tmp_path: Path) -> None:
    def more(arm: str, seed: int, number: int) -> dict[str, float]:
        measured = arm == "MedAL" and not (seed == 1 and number == 4)
        return {"validation/loss_correlation": 0.1 * seed} if measured else {}

    fill(store, spec_of(), more=more)
    folder = build_report(store, None, tmp_path, ()).html.parent
    found = [r for r in rows(folder / "metrics.csv") if r["metric"].endswith("loss_correlation")]
    assert [(r["arm"], r["seeds"], float(r["mean"])) for r in found] == [("MedAL", "2", 0.1)]
    assert ">loss correlation<" in (folder / "report.html").read_text()
