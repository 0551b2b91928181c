"""Folders with lists: what the manifest says reaches the data set."""

import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nextlabel.core.errors import DataError
from nextlabel.data import load
from nextlabel.data.folder.settings import FolderSettings
from nextlabel.data.sources.folder import Folder
from refusals import refused


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    root = tmp_path / "photos"
    names = ("cats/0.png", "cats/1.png", unicodedata.normalize("NFD", "Köln/ü.png"))
    for number, name in enumerate(names):  # no image is a copy of another
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.arange(25, dtype=np.uint8).reshape(5, 5) + np.uint8(number)).save(
            root / name
        )
    return root


def settings(path: Path, **options: object) -> FolderSettings:
    return FolderSettings(path=path, validation_fraction=0, test_fraction=0, **options)  # type: ignore[arg-type]


@pytest.mark.filterwarnings("error")
def test_a_manifest_anywhere_names_images_in_any_spelling(photos: Path, tmp_path: Path) -> None:
    lines = [f"{photos}/cats/1.png,cat", "../photos/cats/0.png,cat", "photos\\Köln\\ü.png,town"]
    (tmp_path / "m.csv").write_text("\n".join([lines[0], "./photos/cats/0.png,cat", lines[2]]))
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "m.csv").write_text("\n".join([*lines[:2], "Köln/ü.png,town"]))
    for manifest in (tmp_path / "m.csv", tmp_path / "lists" / "m.csv"):
        data = load(settings(photos, manifest=manifest), image_size=4)
        names = [unicodedata.normalize("NFC", name) for name in data.train.names or ()]
        assert names == ["Köln/ü.png", "cats/0.png", "cats/1.png"]
        assert data.train.labels.tolist() == [1, 0, 0]
        assert data.classes == ("cat", "town")


def test_the_task_may_be_set(photos: Path) -> None:
    rows = ["path,label", "cats/0.png,cat", "cats/1.png,cat;tabby", "Köln/ü.png,town"]
    (photos / "manifest.csv").write_text("\n".join(rows))
    with pytest.warns(UserWarning, match="because of line 3"):
        assert load(settings(photos), image_size=4).task == "multilabel"
    with refused(DataError, "manifest-several-labels"):
        load(settings(photos, task="multiclass"), image_size=4)
    (photos / "manifest.csv").write_text("\n".join([*rows[:2], rows[3]]))
    kinds = {}
    for task in (None, "multiclass", "multilabel"):
        with pytest.warns(UserWarning, match="not in the manifest"):
            data = load(settings(photos, task=task), image_size=4)
        kinds[task] = (data.task, Folder(settings(photos, task=task)).identity(4))
    assert [kinds[task][0] for task in kinds] == ["multiclass", "multiclass", "multilabel"]
    assert kinds["multilabel"][1] != kinds[None][1]
    assert "task" not in settings(photos).decisive()
    assert settings(photos, task="multilabel").decisive()["task"] == "multilabel"
