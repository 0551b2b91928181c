"""The section on calibration: a line per arm, from what the last rounds recorded."""

from pathlib import Path

import pandas as pd
import pytest
from studies import ARMS, fill, spec_of

from nextlabel.report.page import build_report
from nextlabel.report.results import read_results
from nextlabel.report.sections.calibration import build, mean_ranges
from nextlabel.statistics.reliability import NAME
from nextlabel.store.store import Store

SURE = [
    {"share": 0.25, "confidence": 0.55, "accuracy": 0.5},
    {"share": 0.75, "confidence": 0.95, "accuracy": 0.75},
]
DOUBTFUL = [{"share": 1.0, "confidence": 0.57, "accuracy": 0.9}]


def record(store: Store) -> None:
    for trial in store.trials("digits"):
        if trial.record.arm == "core-set":
            store.log_block(trial.record.key, NAME, (DOUBTFUL, SURE, SURE)[trial.record.seed], {})


def test_without_a_record_there_is_no_section(store: Store) -> None:
    fill(store, spec_of(ARMS[:2]))
    assert build(read_results(store, "digits")) is None


def test_ranges_are_means_by_their_share_of_predictions(store: Store) -> None:
    fill(store, spec_of(ARMS[:2]))
    record(store)
    results = read_results(store, "digits")
    low, high = mean_ranges(list(results.of("core-set")))
    assert low.share == pytest.approx((1 + 0.25 * 2) / 3)
    assert low.accuracy == pytest.approx((0.9 + 0.5 * 0.5) / 1.5)
    assert (high.share, high.confidence, high.accuracy) == pytest.approx((0.5, 0.95, 0.75))


def test_the_page_shows_the_line_and_the_error_of_each_arm(store: Store, tmp_path: Path) -> None:
    fill(store, spec_of(ARMS[:2]))
    record(store)
    section = build(read_results(store, "digits"))
    assert section is not None
    error = 0.25 * 0.05 + 0.75 * 0.2
    assert section.tables[0].rows == (("core-set", f"{(2 * error + 0.33) / 3:.4f}", "3"),)
    report = build_report(store, None, tmp_path, ("svg",))
    html = report.html.read_text(encoding="utf-8")
    assert 'id="calibration"' in html and 'id="blocks"' not in html
    frame = pd.read_csv(next(path for path in report.files if path.name == "reliability.csv"))
    assert frame["arm"].unique().tolist() == ["core-set"] and len(frame) == 2
