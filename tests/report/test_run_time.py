import csv
import io
from pathlib import Path

import pytest
from studies import fill, spec_of

from nextlabel.report.page import build_report
from nextlabel.store.store import Store

PAIRS = (
    {"name": "core-set", "strategy": "core_set"},
    {
        "name": "core-set + VAE",
        "strategy": "core_set",
        "features": {"task": 1.0, "vae": 1.0},
        "baseline": "core-set",
    },
    {"name": "loss prediction", "strategy": "predicted_loss"},
    {
        "name": "loss prediction + VAE",
        "strategy": "predicted_loss",
        "side": {"vae": 1.0},
        "baseline": "loss prediction",
    },
)


@pytest.fixture
def folder(store: Store, tmp_path: Path) -> Path:
    def rounds(arm: str, seed: int) -> int:
        return 3 if (arm, seed) == ("loss prediction", 2) else 5

    def blocks(arm: str) -> float:
        return 0.5 if arm == "core-set + VAE" else 0.0

    fill(store, spec_of(PAIRS, primary="core-set + VAE"), rounds=rounds, blocks=blocks)
    return build_report(store, None, tmp_path / "out", ("svg",)).html.parent


def test_pairs_are_timed_as_in_the_paper(folder: Path) -> None:
    rows = list(csv.DictReader(io.StringIO((folder / "run_time.csv").read_text())))
    assert [row["arm"] for row in rows[:3]] == ["core-set", "core-set + VAE", "both"]
    assert {row["data"] for row in rows} == {"digits"}
    # a trial trains 2 + 3 + 4 + 5 + 6 s and selects 5 × 0.25 s; the first twin has 5 × 0.5 s more
    both, other = rows[2], rows[5]
    assert [float(row["seconds"]) for row in rows[:2]] == [3 * 21.25, 3 * 23.75]
    assert (both["trials"], float(both["seconds"])) == ("6", 3 * 21.25 + 3 * 23.75)
    assert (float(both["seconds_train"]), float(both["seconds_select"])) == (120.0, 7.5)
    assert [float(row["seconds_blocks"]) for row in rows[:3]] == [0.0, 7.5, 7.5]
    assert float(both["seconds_a_trial"]) == 22.5
    # seed 2 is complete for one arm of the second pair only, so it counts for neither
    assert (other["trials"], float(other["seconds"])) == ("4", 4 * 21.25)
    html = (folder / "report.html").read_text()
    assert "Each pair" in html and "135 s" not in html and "2 min" in html


def test_two_pairs_make_two_figures(folder: Path) -> None:
    """Figures 1 and 2, or 3 and 4, of one store: an arm and its twin in one picture each."""
    assert sorted(path.name for path in folder.glob("twin-*.svg")) == ["twin-1.svg", "twin-2.svg"]
    for number, (arm, twin) in enumerate([(0, 1), (2, 3)], 1):
        rows = csv.DictReader(io.StringIO((folder / f"twin-{number}.csv").read_text()))
        drawn = list(dict.fromkeys(row["arm"] for row in rows))
        assert drawn == [PAIRS[arm]["name"], PAIRS[twin]["name"]]
        svg = (folder / f"twin-{number}.svg").read_text()
        assert all(f">{name}<" in svg for name in drawn)
    html = (folder / "report.html").read_text()
    assert html.count('id="twin-') >= 2 and "in the training" in html and "vae × 1" in html
