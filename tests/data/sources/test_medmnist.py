import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import requests

from nextlabel.core.errors import DataError
from nextlabel.data import SOURCES, DataSettings, describe, load
from nextlabel.data.published.medmnist_sets import LARGER, MEDMNIST
from nextlabel.data.sources import medmnist
from refusals import refused


def put(
    folder: Path, name: str, monkeypatch: pytest.MonkeyPatch, size: int = 28, **change: object
) -> Path:
    """Write a small file of the official format and announce its checksum."""
    known, rng = MEDMNIST[name], np.random.default_rng(0)
    width = len(known.classes) if known.task == "multilabel" else 1
    top = 2 if known.task == "multilabel" else len(known.classes)
    arrays: dict[str, object] = {}
    for part, n in (("train", 20), ("val", 8), ("test", 9)):
        shape = (n, size, size) if known.channels == 1 else (n, size, size, 3)
        arrays[f"{part}_images"] = rng.integers(0, 256, shape, np.uint8)
        arrays[f"{part}_labels"] = rng.integers(0, top, (n, width), np.uint8)
    arrays.update(change)
    folder.mkdir(exist_ok=True)
    path = folder / (f"{name}.npz" if size == 28 else f"{name}_{size}.npz")
    np.savez_compressed(path, **{k: v for k, v in arrays.items() if v is not None})  # type: ignore[arg-type]
    announce(name, path, monkeypatch, size)
    return path


def announce(name: str, path: Path, monkeypatch: pytest.MonkeyPatch, size: int = 28) -> None:
    md5 = hashlib.md5(path.read_bytes()).hexdigest()
    if size != 28:
        monkeypatch.setitem(LARGER, name, LARGER[name] | {size: md5})
        return
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
    ("change", "code", "message"),
    [
        ({"val_labels": None}, "array-missing", "lacks the array 'val_labels'; replace the file$"),
        (
            {"train_images": np.zeros((20, 28, 28), np.uint8)},
            "file-damaged",
            "expected 28 x 28 pixels of 3 channel",
        ),
        ({"train_labels": np.array([{}] * 20)}, "file-damaged", "not a readable npz archive"),
        (
            {"test_labels": np.full((9, 1), 9)},
            "labels-out-of-range",
            "test labels run from 9 to 9; allowed are 0 to 8",
        ),
        ({"test_labels": np.zeros((8, 1))}, "part-lengths-differ", "9 images but 8 labels"),
    ],
)
def test_wrong_content(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, object],
    code: str,
    message: str,
) -> None:
    put(tmp_path, "pathmnist", monkeypatch, **change)
    with refused(DataError, code, match=message):
        load(DataSettings(name="pathmnist"), data_dir=tmp_path)


@pytest.mark.parametrize(
    ("labels", "code", "message"),
    [
        (
            np.full((20, 14), 2, np.uint8),
            "labels-out-of-range",
            "run from 2 to 2; allowed are 0 and 1 in a column for",
        ),
        (
            np.full((20, 14), 0.5),
            "file-damaged",
            "has labels that are not whole numbers; replace the file",
        ),
        (
            np.full((20, 14), "x"),
            "file-damaged",
            "has labels that are not whole numbers; replace the file",
        ),
        (np.zeros((20, 13), np.uint8), "classes-shape", "13 label columns but 14 class names"),
    ],
)
def test_several_labels_are_0_and_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, labels: object, code: str, message: str
) -> None:
    put(tmp_path, "chestmnist", monkeypatch, train_labels=labels)
    with refused(DataError, code, match=message):
        load(DataSettings(name="chestmnist"), data_dir=tmp_path)


@pytest.mark.parametrize("size", [64, 128, 224])
@pytest.mark.parametrize("name", ["pathmnist", "chestmnist"])
def test_larger_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, size: int
) -> None:
    put(tmp_path, name, monkeypatch)
    path = put(tmp_path, name, monkeypatch, size)
    settings = SOURCES[name].settings_class(name=name, size=size)
    data = load(settings, data_dir=tmp_path)
    assert data.image_shape == (MEDMNIST[name].channels, size, size)
    with np.load(path) as official:
        assert np.array_equal(
            data.train.images[3, 0], official["train_images"].reshape(20, size, size, -1)[3, ..., 0]
        )
    assert list(data.sources) == [f"medmnist/{name}_{size}.npz"]
    assert load(settings, data_dir=tmp_path, image_size=32).image_shape[1:] == (32, 32)


def test_a_file_of_another_size_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path, "bloodmnist", monkeypatch)
    path = path.rename(tmp_path / "bloodmnist_64.npz")
    announce("bloodmnist", path, monkeypatch, 64)
    settings = SOURCES["bloodmnist"].settings_class(name="bloodmnist", size=64)
    with refused(DataError, "file-damaged", match="expected 64 x 64 pixels of 3 channel"):
        load(settings, data_dir=tmp_path)


@pytest.mark.parametrize("content", ["good", "other"])
def test_the_folder_of_the_reference_package_is_looked_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    path = put(tmp_path / ".medmnist", "breastmnist", monkeypatch)
    if content == "good":
        assert {info.name: info.where for info in describe()}["breastmnist"] == "present"
        assert len(load(DataSettings(name="breastmnist")).train) == 20
        return
    path.write_bytes(b"of another release")
    monkeypatch.setattr("pooch.HTTPDownloader.__call__", offline)
    with (
        pytest.warns(UserWarning, match=r"breastmnist.npz is not medmnist's.*it is not used"),
        refused(DataError, "download-failed"),
    ):
        load(DataSettings(name="breastmnist"))


def offline(*args: object) -> None:
    raise requests.ConnectionError


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"\x93NUMPY"])
def test_no_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    path = tmp_path / "pneumoniamnist.npz"
    path.write_bytes(content)
    announce("pneumoniamnist", path, monkeypatch)
    with refused(DataError, "file-damaged", match="not a readable npz archive"):
        load(DataSettings(name="pneumoniamnist"), data_dir=tmp_path)


def test_published_facts() -> None:
    assert len(MEDMNIST) == 12 and len({known.md5 for known in MEDMNIST.values()}) == 12
    assert [name for name, known in MEDMNIST.items() if known.task == "multilabel"] == [
        "chestmnist"
    ]
    assert all(len(set(known.classes)) == len(known.classes) for known in MEDMNIST.values())
    blood = MEDMNIST["bloodmnist"].classes[3]
    assert blood == "immature granulocytes(myelocytes, metamyelocytes and promyelocytes)"
    assert set(LARGER) == set(MEDMNIST)
    assert len({md5 for sizes in LARGER.values() for md5 in sizes.values()}) == 36
    assert medmnist.remote("dermamnist", 128).urls == (
        "https://zenodo.org/records/10519652/files/dermamnist_128.npz?download=1",
    )
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
