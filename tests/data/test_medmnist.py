import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nextlabel.core.errors import DataError
from nextlabel.data import DataSettings, describe, load
from nextlabel.data.sources import medmnist
from nextlabel.data.sources.medmnist_sets import MEDMNIST


def put(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch, **change: object) -> Path:
    """Write a small file of the official format and announce its checksum."""
    known, rng = MEDMNIST[name], np.random.default_rng(0)
    width = len(known.classes) if known.task == "multilabel" else 1
    top = 2 if known.task == "multilabel" else len(known.classes)
    arrays: dict[str, object] = {}
    for part, n in (("train", 20), ("val", 8), ("test", 9)):
        shape = (n, 28, 28) if known.channels == 1 else (n, 28, 28, 3)
        arrays[f"{part}_images"] = rng.integers(0, 256, shape, np.uint8)
        arrays[f"{part}_labels"] = rng.integers(0, top, (n, width), np.uint8)
    arrays.update(change)
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.npz"
    np.savez_compressed(path, **{k: v for k, v in arrays.items() if v is not None})  # type: ignore[arg-type]
    announce(name, path, monkeypatch)
    return path


def announce(name: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    md5 = hashlib.md5(path.read_bytes()).hexdigest()
    monkeypatch.setitem(MEDMNIST, name, replace(MEDMNIST[name], md5=md5))


@pytest.mark.parametrize("name", sorted(MEDMNIST))
@pytest.mark.parametrize("flat", [False, True])
def test_every_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, flat: bool) -> None:
    known = MEDMNIST[name]
    path = put(tmp_path if flat else tmp_path / "medmnist", name, monkeypatch)
    data = load(DataSettings(name=name, train=12), data_dir=tmp_path)
    assert [len(p) for p in (data.train, data.validation, data.test)] == [12, 8, 9]
    assert data.image_shape == (known.channels, 28, 28) and data.task == known.task
    assert data.classes == known.classes
    with np.load(path) as official:
        images, labels = official["train_images"], official["train_labels"]
    for row, source in enumerate(data.train.origin):
        want = images[source] if known.channels == 1 else images[source].transpose(2, 0, 1)
        assert np.array_equal(data.train.images[row].reshape(want.shape), want)
        assert np.array_equal(np.atleast_1d(data.train.labels[row]), labels[source])
    assert data.train.labels.ndim == (2 if name == "chestmnist" else 1)
    assert list(data.sources) == [f"medmnist/{name}.npz"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"val_labels": None}, "lacks the array 'val_labels'; replace the file$"),
        ({"train_images": np.zeros((20, 28, 28), np.uint8)}, "expected 3 channel"),
        ({"train_labels": np.array([{}] * 20)}, "not a readable npz archive"),
        ({"test_labels": np.full((9, 1), 9)}, "test labels run from 9 to 9; allowed are 0 to 8"),
        ({"test_labels": np.zeros((8, 1))}, "9 images but 8 labels"),
    ],
)
def test_wrong_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, object], message: str
) -> None:
    put(tmp_path, "pathmnist", monkeypatch, **change)
    with pytest.raises(DataError, match=message):
        load(DataSettings(name="pathmnist"), data_dir=tmp_path)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.full((20, 14), 2, np.uint8), "run from 2 to 2; allowed are 0 and 1 in a column for"),
        (np.full((20, 14), 0.5), "has labels that are not whole numbers; replace the file"),
        (np.full((20, 14), "x"), "has labels that are not whole numbers; replace the file"),
        (np.zeros((20, 13), np.uint8), "13 label columns but 14 class names"),
    ],
)
def test_several_labels_are_0_and_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, labels: object, message: str
) -> None:
    put(tmp_path, "chestmnist", monkeypatch, train_labels=labels)
    with pytest.raises(DataError, match=message):
        load(DataSettings(name="chestmnist"), data_dir=tmp_path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"\x93NUMPY"])
def test_no_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    path = tmp_path / "pneumoniamnist.npz"
    path.write_bytes(content)
    announce("pneumoniamnist", path, monkeypatch)
    with pytest.raises(DataError, match="not a readable npz archive"):
        load(DataSettings(name="pneumoniamnist"), data_dir=tmp_path)


def test_published_facts() -> None:
    assert len(MEDMNIST) == 12 and len({known.md5 for known in MEDMNIST.values()}) == 12
    assert [name for name, known in MEDMNIST.items() if known.task == "multilabel"] == [
        "chestmnist"
    ]
    assert all(len(set(known.classes)) == len(known.classes) for known in MEDMNIST.values())
    first = medmnist.remote("dermamnist").urls[0]
    assert first == "https://zenodo.org/records/10519652/files/dermamnist.npz?download=1"


def test_real_pneumonia(real) -> None:
    folder = real("medmnist/pneumoniamnist.npz")
    data = load(DataSettings(name="pneumoniamnist"), data_dir=folder)
    info = next(info for info in describe(folder) if info.name == "pneumoniamnist")
    sizes = {"train": len(data.train), "validation": len(data.validation), "test": len(data.test)}
    assert sizes == dict(info.images) and info.where == "present"
    assert round(float(data.validation.labels.mean()), 3) == 0.742
    assert round(float(data.test.labels.mean()), 3) == 0.625
