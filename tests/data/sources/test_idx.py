import gzip
import hashlib
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nextlabel.core.errors import DataError, UsageError
from nextlabel.data import DataSettings, describe, load
from nextlabel.data.sources import idx
from nextlabel.data.sources.idx import FAMILIES, read_idx
from refusals import refused


def packed(array: np.ndarray, kind: int = 8) -> bytes:
    head = bytes([0, 0, kind, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return squeezed(head + array.tobytes())


def put(folder: Path, name: str, n: int, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write a family of n + n // 6 images of the official format and announce its checksums."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    md5 = {}
    for short, size in (("train", n), ("t10k", n // 6)):
        for file, array in (
            (f"{short}-images-idx3-ubyte.gz", rng.integers(0, 256, (size, 28, 28), np.uint8)),
            (f"{short}-labels-idx1-ubyte.gz", rng.integers(0, 10, size, np.uint8)),
        ):
            (folder / file).write_bytes(packed(array))
            md5[file] = hashlib.md5(packed(array)).hexdigest()
    unpacked = {
        file.removesuffix(".gz"): hashlib.md5(
            gzip.decompress((folder / file).read_bytes())
        ).hexdigest()
        for file in md5
    }
    if not FAMILIES[name].unpacked:
        unpacked = {}
    known = replace(FAMILIES[name], md5=md5, mirrors=(), unpacked=unpacked)
    monkeypatch.setitem(FAMILIES, name, known)


def unpack(folder: Path) -> None:
    """Replace each file of a folder by what it holds."""
    for path in list(folder.glob("*.gz")):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()


def test_round_trip(tmp_path: Path, rng: np.random.Generator) -> None:
    for shape in ((5,), (5, 3, 4)):
        array = rng.integers(0, 256, shape, np.uint8)
        (tmp_path / "f.gz").write_bytes(packed(array))
        assert np.array_equal(read_idx(tmp_path / "f.gz"), array)


def squeezed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)  # no time of day in the ids of tests


WHOLE = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        (b"no gzip at all", "file-damaged", "cannot be unpacked"),
        (packed(WHOLE)[:-12], "file-damaged", "cannot be unpacked"),
        (packed(WHOLE)[:25], "file-damaged", "cannot be unpacked"),
        (squeezed(b""), "not-an-idx-file", "starts with nothing, not with 00 00 08"),
        (squeezed(b"\0\0\x08\x07rest"), "not-an-idx-file", "starts with 00 00 08 07, not with"),
        (packed(WHOLE, kind=13), "not-an-idx-file", "starts with 00 00 0d 03, not with 00 00 08"),
        (squeezed(b"\0\0\x08\x03\0\0"), "file-damaged", "ends within its head of 16 bytes"),
        (
            squeezed(gzip.decompress(packed(WHOLE))[:-1]),
            "file-damaged",
            "holds 23 values where its head announces 2 x 3 x 4 = 24",
        ),
        (squeezed(gzip.decompress(packed(WHOLE)) + b"x"), "file-damaged", "holds 25 values"),
    ],
)
def test_broken_files(tmp_path: Path, content: bytes, code: str, message: str) -> None:
    (tmp_path / "f.gz").write_bytes(content)
    with refused(DataError, code, match=message) as failure:
        read_idx(tmp_path / "f.gz")
    assert "f.gz" in str(failure.value)


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "kmnist"])
def test_parts_come_from_the_official_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    put(tmp_path / name, name, 60, 1, monkeypatch)
    settings = DataSettings(name=name, train=20, validation=30, test=7)
    data = load(settings, data_dir=tmp_path)
    official = read_idx(tmp_path / name / "train-images-idx3-ubyte.gz")
    answers = read_idx(tmp_path / name / "train-labels-idx1-ubyte.gz")
    for part in (data.train, data.validation):
        assert part.images.dtype == np.uint8 and part.labels.dtype == np.int64
        assert np.array_equal(part.images[:, 0], official[part.origin])
        assert np.array_equal(part.labels, answers[part.origin])
    assert not set(data.train.origin) & set(data.validation.origin)
    sources = [data.source_rows(part)[0] for part in ("train", "validation", "test")]
    assert sources == ["train", "train", "test"]
    assert [len(p) for p in (data.train, data.validation, data.test)] == [20, 30, 7]
    assert data.classes == FAMILIES[name].classes and data.image_shape == (1, 28, 28)
    file = f"{name}/train-images-idx3-ubyte.gz"
    assert data.sources[file] == hashlib.sha256((tmp_path / file).read_bytes()).hexdigest()
    assert len(data.sources) == 4 and str(tmp_path) not in str(data.sources)
    with refused(UsageError, "part-too-large"):
        load(DataSettings(name=name, validation=61), data_dir=tmp_path)


def test_flat_files_are_told_apart_by_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "kmnist", 60, 2, monkeypatch)
    where = {info.name: info.where for info in describe(tmp_path)}
    assert where["kmnist"] == "present" and where["mnist"] == "download"
    data = load(DataSettings(name="kmnist", validation=10), data_dir=tmp_path)
    assert len(data.train) == 50


TORCHVISION = {"mnist": "MNIST", "fashion_mnist": "FashionMNIST", "kmnist": "KMNIST"}


@pytest.mark.parametrize("unpacked", [False, True])
@pytest.mark.parametrize("given", ["root", "root/{}", "root/{}/raw", "."])
@pytest.mark.parametrize("name", TORCHVISION)
def test_the_files_that_torchvision_left_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, given: str, unpacked: bool
) -> None:
    raw = tmp_path / "root" / TORCHVISION[name] / "raw"
    put(raw, name, 60, 1, monkeypatch)
    settings = DataSettings(name=name, validation=30)
    packed = load(settings, data_dir=tmp_path / "root")
    if unpacked:
        unpack(raw)
    data_dir = tmp_path / given.format(TORCHVISION[name])
    assert {info.name: info.where for info in describe(data_dir)}[name] == "present"
    data = load(settings, data_dir=data_dir)
    assert data.checksum == packed.checksum
    file = "train-images-idx3-ubyte" + ("" if unpacked else ".gz")
    assert data.sources[f"{name}/{file}"] == hashlib.sha256((raw / file).read_bytes()).hexdigest()
    assert ("no published checksum" in data.notes) == (unpacked and name == "kmnist")


def test_an_unpacked_file_that_is_altered_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "MNIST/raw", "mnist", 60, 3, monkeypatch)
    unpack(tmp_path / "MNIST/raw")
    path = tmp_path / "MNIST/raw/t10k-labels-idx1-ubyte"
    path.write_bytes(path.read_bytes()[:-1] + b"\x09")
    with refused(DataError, "checksum-mismatch", match="t10k-labels-idx1-ubyte is truncated or"):
        load(DataSettings(name="mnist", validation=10), data_dir=tmp_path)


def test_one_file_altered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "mnist", "mnist", 60, 3, monkeypatch)
    path = tmp_path / "mnist" / "t10k-labels-idx1-ubyte.gz"
    path.write_bytes(packed(np.zeros(10, np.uint8)))
    with refused(DataError, "checksum-mismatch"):
        load(DataSettings(name="mnist", validation=10), data_dir=tmp_path)


def test_unequal_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "mnist", "mnist", 60, 3, monkeypatch)
    path = tmp_path / "mnist" / "train-labels-idx1-ubyte.gz"
    path.write_bytes(packed(np.zeros(59, np.uint8)))
    md5 = dict(FAMILIES["mnist"].md5) | {path.name: hashlib.md5(path.read_bytes()).hexdigest()}
    monkeypatch.setitem(FAMILIES, "mnist", replace(FAMILIES["mnist"], md5=md5))
    with refused(DataError, "part-lengths-differ", match="60 images but 59 labels"):
        load(DataSettings(name="mnist"), data_dir=tmp_path)


def test_published_files_are_named_once() -> None:
    sums = [md5 for family in FAMILIES.values() for md5 in family.md5.values()]
    assert len(set(sums)) == 12
    for name in FAMILIES:
        for packed, bare in idx.remotes(name).values():
            assert len(packed.urls) >= 2 and all(u.endswith(packed.name) for u in packed.urls)
            assert packed.name == f"{bare.name}.gz" and bare.urls == ()


def test_real_mnist(real) -> None:
    folder = real("mnist")
    data = load(DataSettings(name="mnist", train=2500, validation=3500), data_dir=folder)
    assert [len(p) for p in (data.train, data.validation, data.test)] == [2500, 3500, 10_000]
    assert np.bincount(data.test.labels).tolist() == [
        *(980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009)
    ]
    again = load(DataSettings(name="mnist", train=25_000, validation=3500), data_dir=folder)
    assert np.array_equal(again.validation.origin, data.validation.origin)
