"""`nextlabel export` and `nextlabel import`."""

import json
from pathlib import Path

import pytest

from nextlabel.cli import main
from projects import photos_in


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return photos_in(tmp_path / "photos", ["a.png", "b.png", "c.png"])


def test_labels_go_in_and_out(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "labels.csv").write_text("path,label\na.png,cell\nb.png,debris\nx.png,cell\n")
    assert main(["import", str(photos), str(tmp_path / "labels.csv"), "--json"]) == 0
    captured = capsys.readouterr()
    assert "left out: 1 path of no image of the project, 'x.png'\n" in captured.err
    assert json.loads(captured.out)["recorded"] == 2
    assert "new classes: cell, debris" in captured.err
    assert main(["import", str(photos) + ".nextlabel", str(tmp_path / "labels.csv")]) == 0
    assert "0 answers recorded, 2 there already" in capsys.readouterr().err
    out = tmp_path / "out.csv"
    assert main(["export", str(photos), "-o", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    lines = out.read_text().splitlines()
    assert [line.split(",")[:2] for line in lines] == [
        ["path", "label"], ["a.png", "cell"], ["b.png", "debris"], ["c.png", ""]
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["export", "{photos}", "-o", "x.csv"], 2, "there is no project at"),
        (["import", "{photos}", "none.csv"], 2, "there is no file or folder none.csv"),
        (["import", "none", "none.csv"], 2, "none is not a folder"),
        (["import", "{photos}", "{photos}"], 1, "no sub-folder with images"),
    ],
)
def test_mistakes_end_in_a_sentence(
    photos: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    message: str,
) -> None:
    assert main([word.format(photos=photos) for word in arguments]) == code
    said = capsys.readouterr().err.splitlines()
    assert said[-1].startswith("error: ") and message in said[-1]


def test_an_export_replaces_only_what_an_export_wrote(photos, tmp_path, capsys):
    target = tmp_path / "mine.csv"
    target.write_text("path,label\na.png,cell\n")
    assert main(["import", str(photos), str(target)]) == 0
    assert main(["export", str(photos), "-o", str(target)]) == 2
    assert "was not exported from this project" in capsys.readouterr().err
    assert target.read_text() == "path,label\na.png,cell\n"
    target.unlink()
    for _ in range(2):
        assert main(["export", str(photos), "-o", str(target)]) == 0
    with target.open("a") as stream:
        stream.write("x.png,cell\n")
    assert main(["export", str(photos), "-o", str(target)]) == 2
