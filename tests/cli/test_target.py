"""A place that cannot be written to is refused before anything is computed."""

from pathlib import Path

import pytest

from nextlabel.cli import main
from nextlabel.project.classifier import Classifier


def refuse(*_: object, **__: object) -> None:
    raise AssertionError("the images were read before the place was checked")


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (("fit", "--features", "pca=1"), "classifier"),
        (("predict",), "predictions.csv"),
        (("embed", "--block", "pca"), "rows.npz"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else None,
)
@pytest.mark.parametrize("below", ["file", "file/folder"])
def test_a_place_below_a_file_is_refused_at_once(
    command: tuple[str, ...],
    name: str,
    below: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(Classifier, "fit", refuse)
    monkeypatch.setattr(Classifier, "load", refuse)
    monkeypatch.setattr("nextlabel.data.load", refuse)
    (tmp_path / "file").touch()
    folders = [str(tmp_path)] * (2 if command[0] == "predict" else 1)
    out = tmp_path / below / name
    assert main([*command, *folders, "--out", str(out)]) == 1
    said = capsys.readouterr().err
    assert f"{out.parent} cannot be written to (" in said and "choose another folder" in said
