import hashlib
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from nextlabel.core.errors import DataError
from nextlabel.data import DataSettings, describe, load
from nextlabel.data.sources import svhn
from nextlabel.data.sources.svhn import FILES, read_mat
from refusals import refused

RNG = np.random.default_rng(0)


def content(size: int) -> dict[str, np.ndarray]:
    return {
        "X": RNG.integers(0, 256, (32, 32, 3, size), np.uint8),
        "y": 1 + np.arange(size, dtype=np.uint8)[:, None] % 10,
    }


@pytest.mark.parametrize("folder", ["", "svhn", "SVHN"])
def test_both_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    (tmp_path / folder).mkdir(exist_ok=True)
    arrays = {}
    for part, size in (("train", 40), ("test", 11)):
        path = tmp_path / folder / FILES[part][0]
        arrays[part] = content(size)
        savemat(path, arrays[part], do_compression=True)
        monkeypatch.setitem(FILES, part, (path.name, hashlib.md5(path.read_bytes()).hexdigest()))
    assert {info.name: info.where for info in describe(tmp_path)}["svhn"] == "present"
    data = load(DataSettings(name="svhn", validation=5), data_dir=tmp_path)
    assert [len(p) for p in (data.train, data.validation, data.test)] == [35, 5, 11]
    row = data.train.origin[7]
    assert np.array_equal(data.train.images[7, 2], arrays["train"]["X"][:, :, 2, row])
    digits = np.where(arrays["test"]["y"][:, 0] == 10, 0, arrays["test"]["y"][:, 0])
    assert np.array_equal(data.test.labels, digits) and 0 in digits
    assert set(data.sources) == {"svhn/train_32x32.mat", "svhn/test_32x32.mat"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"X": None}, "KeyError"),
        ({"X": np.zeros((32, 32, 3, 9), np.uint8)}, "shape"),
        ({"X": np.zeros((32, 32, 3, 8))}, "images of float64"),
        ({"y": np.arange(8)}, "labels that are not whole numbers from 1 to 10"),
        ({"y": np.array(["a"] * 8)}, "labels"),
    ],
)
def test_another_content_is_refused(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    arrays = {k: v for k, v in (content(8) | change).items() if v is not None}
    savemat(tmp_path / "x.mat", arrays)
    with refused(DataError, "file-damaged", match=message):
        read_mat(tmp_path / "x.mat")


@pytest.mark.parametrize("data", [b"", b"text", b"\x89HDF\r\n" + bytes(200)])
def test_another_kind_of_file_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.mat").write_bytes(data)
    with refused(DataError, "file-damaged", match="x.mat is not a .mat file of SVHN"):
        read_mat(tmp_path / "x.mat")


def test_published_addresses() -> None:
    assert [remote.urls for remote in svhn.remotes().values()] == [
        (f"http://ufldl.stanford.edu/housenumbers/{part}_32x32.mat",) for part in FILES
    ]
