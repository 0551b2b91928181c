"""Picked images reach the reader: names, classes, class shares, and the next ones."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from studies import ARMS, fill, spec_of
from test_page import Words

from nextlabel.report.page import build_report
from nextlabel.report.results import read_results
from nextlabel.store.records import DataRecord, PartRecord
from nextlabel.store.store import Store

POOL = 6000
LABELS = tuple(int(image % 1000 < 40) for image in range(POOL))  # 40 of 50 picks, 4% of the pool
NAMES = tuple(f"slide_{image:04}.png" for image in range(POOL))


@pytest.fixture
def named(store: Store) -> Store:
    sick = sum(LABELS)
    parts = {"train": PartRecord(POOL, (POOL - sick, sick)), "validation": PartRecord(30, (20, 10))}
    record = DataRecord("d", "photos", "multiclass", ("well", "sick"), parts, NAMES, LABELS)
    store.keep_data(record)
    fill(store, spec_of(ARMS[:2], seeds=2))
    for trial in store.trials("digits"):
        store.keep_next_picks(trial.record.key, np.array([5500, 5001]))
    return store


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text())))


def test_every_pick_has_its_order_name_and_class(named: Store, tmp_path: Path) -> None:
    build_report(named, None, tmp_path, ())
    picks = rows(tmp_path / "picks.csv")
    assert len(picks) == 2 * 2 * 5 * 50
    assert picks[50] == {
        "arm": "random",
        "seed": "0",
        "round": "1",
        "order": "1",
        "id": "1000",
        "name": "slide_1000.png",
        "true_class": "sick",
    }
    following = rows(tmp_path / "next_picks.csv")
    assert [(r["order"], r["name"], r["true_class"]) for r in following[:2]] == [
        ("1", "slide_5500.png", "well"),
        ("2", "slide_5001.png", "sick"),
    ]
    text = Words((tmp_path / "report.html").read_text()).text
    assert "slide_5500.png (well)" in text and "slide_1000.png (sick)" in text


def test_class_shares_of_picks_are_compared_with_the_pool(named: Store, tmp_path: Path) -> None:
    build_report(named, None, tmp_path, ())
    sick = [r for r in rows(tmp_path / "class_shares.csv") if r["class"] == "sick"]
    assert [r["labelled"] for r in sick] == 2 * ["100", "150", "200", "250"]
    assert {(r["picked"], r["share"], r["pool_share"]) for r in sick} == {("80", "0.8", "0.04")}
    text = Words((tmp_path / "report.html").read_text()).text
    assert "80% of the picks of core-set are of class sick, of which the pool has 4%." in text
    assert "photos: 6030 images of 2 classes" in text and "240 (4%)" in text


def test_an_older_store_has_ids_alone(store: Store, tmp_path: Path) -> None:
    fill(store, spec_of(ARMS[:2], seeds=1))
    build_report(store, None, tmp_path, ())
    first = rows(tmp_path / "picks.csv")[0]
    assert (first["id"], first["name"], first["true_class"]) == ("0", "", "")
    assert not (tmp_path / "class_shares.csv").exists()
    assert "An earlier version of nextlabel" in (tmp_path / "report.html").read_text()


def test_pictures_and_names_are_read_when_they_are_needed(
    named: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []
    pictures = Store.pictures
    monkeypatch.setattr(
        Store, "pictures", lambda self, key: read.append(key) or pictures(self, key)
    )
    results = read_results(named)
    assert len(results.summary()) == len(results.summary_rows) == 2
    assert results.picks()["name"].iloc[0] == "slide_0000.png"
    assert results.rounds()["labelled"].max() == 250 and not read
    assert results.trials[0].pictures and len(read) == 1
