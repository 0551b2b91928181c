import os
from contextlib import nullcontext

import numpy as np
import pytest

from nextlabel.core.errors import DataError
from nextlabel.data import ArraysSettings, load
from nextlabel.features.blocks import BLOCKS
from nextlabel.features.embedding_file import EmbeddingFile
from refusals import refused

ROWS = np.arange(6, dtype=np.float32).reshape(3, 2)


def test_what_embed_saves_is_read_with_its_names(tmp_path):
    names = ("a.png", "ü/b.png", "c.png")
    EmbeddingFile(ROWS, names).save(tmp_path / "f.npz")
    found = EmbeddingFile.load(tmp_path / "f.npz")
    np.testing.assert_array_equal(found.features, ROWS)
    assert found.features.dtype == np.float32
    assert found.names == names
    EmbeddingFile(ROWS, part=np.array(["train"] * 3), row=np.arange(3)).save(tmp_path / "f.npz")
    np.testing.assert_array_equal(EmbeddingFile.load(tmp_path / "f.npz").features, ROWS)
    assert EmbeddingFile.load(tmp_path / "f.npz").names is None


def test_npy_files_are_memory_maps(tmp_path):
    np.save(tmp_path / "x.npy", ROWS)
    found = EmbeddingFile.load(tmp_path / "x.npy")
    assert isinstance(found.features, np.memmap)
    assert found.names is None


def test_an_npz_file_with_one_array_of_any_name_will_do(tmp_path):
    np.savez(tmp_path / "x.npz", embeddings=ROWS)
    np.testing.assert_array_equal(EmbeddingFile.load(tmp_path / "x.npz").features, ROWS)


def test_rows_of_each_part_are_joined_and_those_of_validation_and_test_are_held(tmp_path):
    np.savez(tmp_path / "x.npz", test=ROWS[2:], train=ROWS[:1], validation=ROWS[1:2])
    found = EmbeddingFile.load(tmp_path / "x.npz")
    np.testing.assert_array_equal(found.features, ROWS)
    assert found.part.tolist() == ["train", "validation", "test"]
    assert found.held.tolist() == [1, 2]


def test_what_is_saved_is_loaded_whole(tmp_path):
    made = EmbeddingFile(
        ROWS,
        ("a", "b", "c"),
        np.array(["train", "test", "train"]),
        np.array(["train"] * 3),
        np.array([2, 0, 1]),
        "x",
        {"x.gz": "1" * 64},
    )
    made.save(tmp_path / "x.npz")
    found = EmbeddingFile.load(tmp_path / "x.npz")
    assert (found.names, found.data, found.sources) == (made.names, made.data, made.sources)
    for name in ("features", "part", "source", "row"):
        np.testing.assert_array_equal(getattr(found, name), getattr(made, name))
    assert found.path == tmp_path / "x.npz"
    assert not list(tmp_path.glob("*.partial"))


def test_images_are_not_taken_for_features(tmp_path):
    np.savez(tmp_path / "pathmnist.npz", train_images=ROWS, train_labels=ROWS)
    with refused(DataError, "images-not-features", match="nextlabel embed .*pathmnist.npz -o"):
        EmbeddingFile.load(tmp_path / "pathmnist.npz")


def test_names_may_be_bytes_or_numbers(tmp_path):
    np.savez(tmp_path / "x.npz", features=ROWS, names=np.array([b"a", "ü".encode(), b"c"]))
    assert EmbeddingFile.load(tmp_path / "x.npz").names == ("a", "ü", "c")
    np.savez(tmp_path / "x.npz", features=ROWS, names=[7, 8, 9])
    assert EmbeddingFile.load(tmp_path / "x.npz").names == ("7", "8", "9")


def write(path, **arrays):
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize(
    ("make", "code", "says"),
    [
        (
            lambda p: write(p, a=ROWS, b=ROWS),
            "array-missing",
            r"holds a, b; store the rows under the name",
        ),
        (lambda p: write(p, names=["a"]), "array-missing", "holds names; store"),
        (
            lambda p: write(p, features=ROWS, names=["a"]),
            "names-shape",
            r"names of shape \(1,\) for .* \(3, 2\);",
        ),
        (
            lambda p: write(p, features=np.float32(1), names=["a"]),
            "names-shape",
            r"for features of shape \(\);",
        ),
        (lambda p: write(p, features=ROWS, names="a"), "names-shape", r"names of shape \(\) for"),
        (
            lambda p: write(p, features=ROWS, names=[["a"]] * 3),
            "names-shape",
            r"names of shape \(3, 1\) for",
        ),
        (
            lambda p: write(p, features=ROWS, names=["a", "b", "a"]),
            "names-repeated",
            "2 .* for 3 rows: both row 0 and row 2",
        ),
        (
            lambda p: write(p, features=ROWS, names=[b"a", b"b", b"\xff"]),
            "names-not-utf8",
            "names that are not UTF-8",
        ),
        (lambda p: (p.write_bytes(b""), p)[1], "not-an-array-file", "not a .npy or .npz file"),
        (lambda p: p.write_text("1,2\n3,4") and p, "not-an-array-file", "not a .npy or .npz file"),
        (
            lambda p: p.write_bytes(b"PK\x03\x04 broken") and p,
            "not-an-array-file",
            "not a .npy or .npz file",
        ),
        (lambda p: write(p, a=np.array([{}], object)), "array-of-objects", "Python objects"),
    ],
)
def test_files_that_hold_something_else_are_named(make, code, says, tmp_path):
    path = make(tmp_path / "x.npz")
    with refused(DataError, code, match=says) as caught:
        EmbeddingFile.load(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("cut", [1, 20, 100, 140])
def test_cut_files_are_named(cut, tmp_path):
    np.save(tmp_path / "x.npy", ROWS)
    whole = (tmp_path / "x.npy").read_bytes()
    (tmp_path / "x.npy").write_bytes(whole[:cut])
    with refused(DataError, "not-an-array-file"):
        EmbeddingFile.load(tmp_path / "x.npy")


@pytest.mark.parametrize(
    "content", [b"\x93NUMPY\x01\x00\x46\x00{'descr': (" + b" " * 60, b"PK\x03\x04"]
)
def test_damaged_files_are_named_whatever_numpy_makes_of_them(content, tmp_path):
    path = tmp_path / "x.npy"
    path.write_bytes(content)
    with refused(DataError, "not-an-array-file"):
        EmbeddingFile.load(path)


def test_a_compressed_file_with_changed_bytes_is_named(tmp_path):
    path = tmp_path / "x.npz"
    np.savez_compressed(path, features=np.random.default_rng(0).normal(size=(50, 20)))
    content = bytearray(path.read_bytes())
    content[200:260] = b"\0" * 60
    path.write_bytes(content)
    with refused(DataError, "not-an-array-file"):
        EmbeddingFile.load(path)


@pytest.mark.parametrize("kind", ["text", "pipe"])
def test_all_who_read_arrays_say_it_alike(kind, tmp_path):
    path = tmp_path / "x.npz"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.write_bytes(b"no numbers")
    readers = (
        lambda: EmbeddingFile.load(path),
        lambda: load(ArraysSettings(path=path)),
        lambda: BLOCKS["file"](path=path).fit(None, None, None, 0, None),
    )
    said = []
    for reader in readers:
        with pytest.raises(DataError) as caught:
            reader()
        said.append(str(caught.value))
    assert len(set(said)) == 1 and str(path) in said[0]
    with (
        refused(DataError, "feature-file-unreadable", match="not a file")
        if kind == "pipe"
        else nullcontext()
    ):
        assert BLOCKS["file"](path=path).identity["sha256"]
