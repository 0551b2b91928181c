import numpy as np
import pytest

from nextlabel.core.errors import DataError
from nextlabel.files.arrays import in_folder, of_folder, read_arrays
from refusals import refused

ROWS = np.arange(6.0).reshape(3, 2)


def test_an_npy_is_a_memory_map_and_an_npz_all_its_arrays(tmp_path):
    np.save(tmp_path / "x.npy", ROWS)
    found = read_arrays(tmp_path / "x.npy")
    assert isinstance(found, np.memmap) and not found.flags.writeable
    assert np.array_equal(found, ROWS)
    np.savez_compressed(tmp_path / "x.npz", a=ROWS, b=["x"])
    both = read_arrays(tmp_path / "x.npz")
    assert list(both) == ["a", "b"] and np.array_equal(both["a"], ROWS)


def broken(path, kind):
    np.savez(path, a=ROWS)
    content = bytearray(path.read_bytes())
    if kind == "cut":
        content = content[:100]
    elif kind == "empty":
        content = content[:0]
    elif kind == "changed":
        content[content.index(ROWS.tobytes()) + 9] ^= 255
    elif kind == "encrypted":
        start = content.index(b"PK\x01\x02")
        content[6] |= 1
        content[start + 8] |= 1
    elif kind == "code":
        np.savez(path, a=np.array([{}], object))
        return
    path.write_bytes(content)


@pytest.mark.parametrize("kind", ["cut", "empty", "changed", "encrypted"])
def test_a_broken_file_is_one_sentence(kind, tmp_path):
    path = tmp_path / "x.npz"
    broken(path, kind)
    with refused(DataError, "not-an-array-file", match=r"x\.npz is not a \.npy or \.npz.*; save"):
        read_arrays(path)


def test_nobody_is_advised_to_unpickle_a_file(tmp_path):
    text, objects = tmp_path / "twice.txt", tmp_path / "names.npy"
    text.write_text("a.png\n")
    with refused(DataError, "not-an-array-file") as of_text:
        read_arrays(text)
    np.save(objects, np.array(["a.png", "b.png"], object), allow_pickle=True)
    with refused(DataError, "array-of-objects", match=r"names\.astype\(str\)") as of_objects:
        read_arrays(objects)
    broken(tmp_path / "x.npz", "code")
    with refused(DataError, "array-of-objects"):
        read_arrays(tmp_path / "x.npz")
    assert not any("pickle" in str(refusal.value) for refusal in (of_text, of_objects))


def test_what_is_not_there_is_one_sentence(tmp_path):
    with refused(DataError, "file-unreadable", match=r"read \(No such file or directory\)"):
        read_arrays(tmp_path / "x.npy")
    with refused(DataError, "file-unreadable", match=r"\(Is a directory\); check the path"):
        read_arrays(tmp_path)


def test_arrays_in_folders_come_back(tmp_path):
    one, other = {"a/b": np.arange(3), "c": np.ones(2)}, {"c": np.zeros(1)}
    np.savez(tmp_path / "x.npz", **in_folder("one", one), **in_folder("one more", other))
    with np.load(tmp_path / "x.npz") as file:
        for folder, arrays in (("one", one), ("one more", other), ("on", {})):
            loaded = of_folder(folder, file)
            assert list(loaded) == list(arrays)
            assert all(np.array_equal(loaded[name], arrays[name]) for name in arrays)
