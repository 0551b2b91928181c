"""Data sets and next picks in the store."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from stores import OLDER, filled, make_round, record

from nextlabel.core.errors import StoreError
from nextlabel.store.records import DataRecord, PartRecord
from nextlabel.store.store import Store
from refusals import refused

PHOTOS = DataRecord(
    "d",
    "photos",
    "multiclass",
    ("cat", "dog"),
    {"train": PartRecord(3, (1, 1)), "validation": PartRecord(1, (0, 1))},
    ("a/ü.png", "b, c.png", "d.png"),
    (1, -1, 0),
)
FINDINGS = DataRecord(
    "f",
    "scans",
    "multilabel",
    ("x", "y"),
    {"train": PartRecord(2, (1, 2))},
    None,
    ((1, 1), (-1, 1)),
)


@pytest.mark.parametrize("kept", [PHOTOS, FINDINGS], ids=lambda kept: kept.name)
def test_a_data_set_comes_back_as_it_went_in(location: Path | str, kept: DataRecord) -> None:
    trial = record(data_checksum=kept.checksum)
    with filled(location, trial) as store:
        assert store.data_record(trial.key) is None
        store.keep_data(kept)
        store.keep_data(kept)
        assert store.data_record(trial.key) == kept


def test_images_have_classes() -> None:
    assert [PHOTOS.classes_of(i) for i in range(3)] == [("dog",), (), ("cat",)]
    assert [FINDINGS.classes_of(i) for i in range(2)] == [("x", "y"), ("y",)]


def test_next_picks_belong_to_the_last_round(location: Path | str) -> None:
    key = record().key
    with filled(location) as store:
        with refused(StoreError, "no-round-yet"):
            store.keep_next_picks(key, np.array([1]))
        store.append(key, make_round(0))
        assert store.next_picks(key) is None
        store.keep_next_picks(key, np.array([9, 7]))
        store.keep_next_picks(key, np.array([8, 7]))
        assert store.next_picks(key).tolist() == [8, 7]
        store.append(key, make_round(1, chosen=(8, 1)))
        assert store.next_picks(key) is None
        store.keep_next_picks(key, np.array([], np.int64))
        assert store.next_picks(key).tolist() == []


@pytest.mark.parametrize("old", OLDER, ids=lambda old: old.stem)
def test_older_stores_read_as_before_and_have_no_names(tmp_path: Path, old: Path) -> None:
    path = tmp_path / "old.db"
    shutil.copy(old, path)
    with Store.read(path) as store:
        (name,) = store.experiments()
        (state,) = store.trials(name)
        assert [r.labelled_count for r in store.history(state.record.key)] == [300, 600, 900]
        assert store.data_record(state.record.key) is None
        assert store.next_picks(state.record.key) is None
