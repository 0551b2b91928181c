"""The stored results rebuild: every CSV file in docs/results from its store, to the byte."""

import shutil
from pathlib import Path

import pytest

from nextlabel.cli import main

RESULTS = Path(__file__).parents[2] / "docs/results"
FOLDERS = sorted(path.parent for path in RESULTS.glob("*/store.db"))
RENAMED = {"map_pneumonia": ("map", "map-1")}
"""A map's files carry its number in a report, and the name `map` where the command wrote them."""
APART = {"again"}
"""Files that begin so are of a run apart, whose store is not kept; see the README there."""


@pytest.mark.slow
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_csv_file_rebuilds_to_the_byte(folder, tmp_path):
    store, out = tmp_path / "store.db", tmp_path / "out"
    shutil.copy(folder / "store.db", store)
    assert main(["report", "--store", str(store), "--out", str(out)]) == 0
    stem, numbered = RENAMED.get(folder.name, ("", ""))
    kept = [file for file in folder.glob("*.csv") if file.name.split("-")[0] not in APART]
    assert kept
    for file in kept:
        name = file.name.replace(stem, numbered, 1) if stem else file.name
        assert (out / name).read_bytes() == file.read_bytes(), name
