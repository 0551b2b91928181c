import os
from contextlib import nullcontext

import numpy as np
import pytest

from nextlabel.core.errors import DataError
from nextlabel.data import ArraysSettings, load
from nextlabel.features.blocks import BLOCKS
from nextlabel.features.embedding_file import EmbeddingFile, read_features

ROWS = np.arange(6, dtype=np.float32).reshape(3, 2)


def test_what_embed_saves_is_read_with_its_names(tmp_path):
    names = ("a.png", "ü/b.png", "c.png")
    EmbeddingFile(ROWS, names).save(tmp_path / "f.npz")
    found = read_features(tmp_path / "f.npz")
    np.testing.assert_array_equal(found.rows, ROWS)
    assert found.rows.dtype == np.float32
    assert found.names == names
    EmbeddingFile(ROWS, part=np.array(["train"] * 3), row=np.arange(3)).save(tmp_path / "f.npz")
    np.testing.assert_array_equal(read_features(tmp_path / "f.npz").rows, ROWS)
    assert read_features(tmp_path / "f.npz").names is None


def test_npy_files_are_memory_maps(tmp_path):
    np.save(tmp_path / "x.npy", ROWS)
    rows, names, _ = read_features(tmp_path / "x.npy")
    assert isinstance(rows, np.memmap)
    assert names is None


def test_an_npz_file_with_one_array_of_any_name_will_do(tmp_path):
    np.savez(tmp_path / "x.npz", embeddings=ROWS)
    np.testing.assert_array_equal(read_features(tmp_path / "x.npz").rows, ROWS)


def test_names_may_be_bytes_or_numbers(tmp_path):
    np.savez(tmp_path / "x.npz", features=ROWS, names=np.array([b"a", "ü".encode(), b"c"]))
    assert read_features(tmp_path / "x.npz").names == ("a", "ü", "c")
    np.savez(tmp_path / "x.npz", features=ROWS, names=[7, 8, 9])
    assert read_features(tmp_path / "x.npz").names == ("7", "8", "9")


def write(path, **arrays):
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda p: write(p, a=ROWS, b=ROWS), r"holds a, b; store the rows under the name"),
        (lambda p: write(p, names=["a"]), "holds nothing"),
        (lambda p: write(p, features=ROWS, names=["a"]), r"names of shape \(1,\) for .* \(3, 2\);"),
        (lambda p: write(p, features=np.float32(1), names=["a"]), r"for features of shape \(\);"),
        (lambda p: write(p, features=ROWS, names="a"), r"names of shape \(\) for"),
        (lambda p: write(p, features=ROWS, names=[["a"]] * 3), r"names of shape \(3, 1\) for"),
        (
            lambda p: write(p, features=ROWS, names=["a", "b", "a"]),
            "2 .* for 3 rows: both row 0 and row 2",
        ),
        (
            lambda p: write(p, features=ROWS, names=[b"a", b"b", b"\xff"]),
            "names that are not UTF-8",
        ),
        (lambda p: (p.write_bytes(b""), p)[1], "not a .npy or .npz file"),
        (lambda p: p.write_text("1,2\n3,4") and p, "not a .npy or .npz file"),
        (lambda p: p.write_bytes(b"PK\x03\x04 broken") and p, "not a .npy or .npz file"),
        (lambda p: write(p, a=np.array([{}], object)), "Python objects"),
    ],
)
def test_files_that_hold_something_else_are_named(make, says, tmp_path):
    path = make(tmp_path / "x.npz")
    with pytest.raises(DataError, match=says) as caught:
        read_features(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("cut", [1, 20, 100, 140])
def test_cut_files_are_named(cut, tmp_path):
    np.save(tmp_path / "x.npy", ROWS)
    whole = (tmp_path / "x.npy").read_bytes()
    (tmp_path / "x.npy").write_bytes(whole[:cut])
    with pytest.raises(DataError, match=r"x\.npy is not a \.npy or \.npz file"):
        read_features(tmp_path / "x.npy")


@pytest.mark.parametrize(
    "content", [b"\x93NUMPY\x01\x00\x46\x00{'descr': (" + b" " * 60, b"PK\x03\x04"]
)
def test_damaged_files_are_named_whatever_numpy_makes_of_them(content, tmp_path):
    path = tmp_path / "x.npy"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"x\.npy is not a \.npy or \.npz file"):
        read_features(path)


def test_a_compressed_file_with_changed_bytes_is_named(tmp_path):
    path = tmp_path / "x.npz"
    np.savez_compressed(path, features=np.random.default_rng(0).normal(size=(50, 20)))
    content = bytearray(path.read_bytes())
    content[200:260] = b"\0" * 60
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"x\.npz is not a \.npy or \.npz file"):
        read_features(path)


@pytest.mark.parametrize("kind", ["text", "pipe"])
def test_all_who_read_arrays_say_it_alike(kind, tmp_path):
    path = tmp_path / "x.npz"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.write_bytes(b"no numbers")
    readers = (
        lambda: read_features(path),
        lambda: load(ArraysSettings(path=path)),
        lambda: BLOCKS["file"](path=path).fit(None, None, None, 0, None),
    )
    said = []
    for reader in readers:
        with pytest.raises(DataError) as caught:
            reader()
        said.append(str(caught.value))
    assert len(set(said)) == 1 and str(path) in said[0]
    with pytest.raises(DataError, match="not a file") if kind == "pipe" else nullcontext():
        assert BLOCKS["file"](path=path).identity["sha256"]
