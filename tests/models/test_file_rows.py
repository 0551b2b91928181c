import numpy as np
import pytest

from nextlabel.core.dataset import Dataset, Images
from nextlabel.core.errors import DataError
from nextlabel.core.pool import Pool
from nextlabel.core.seeds import Seeds
from nextlabel.models.blocks import BLOCKS

NAMES = ("a.png", "b.png", "c.png", "d.png", "e.png")
ROWS = np.arange(10, dtype=np.float32).reshape(5, 2)


def images(*origin, names=True):
    pixels = np.zeros((len(origin), 1, 4, 4), np.uint8)
    known = tuple(NAMES[row] for row in origin) if names else None
    return Images(pixels, None, np.array(origin, np.int64), known)


def dataset(train, validation, test, names=True):
    parts = (images(*rows, names=names) for rows in (train, validation, test))
    return Dataset("x", "multiclass", (), *parts)


def fit(path, data, **arrays):
    np.savez(path, **arrays)
    return BLOCKS["file"](path=path).fit(data, Pool(len(data.train)), None, 0, Seeds(0))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "x.npz"


def test_a_folders_rows_are_found_by_name(path):
    found = fit(path, dataset([0, 2], [4, 1], [3]), features=ROWS, names=NAMES)
    assert np.array_equal(found.rows("train"), ROWS[[0, 2]])
    assert np.array_equal(found.rows("validation"), ROWS[[4, 1]])
    assert np.array_equal(found.rows("test"), ROWS[[3]])


def test_rows_of_one_source_are_found_in_whatever_part(path):
    data = dataset([3, 0], [1], [4, 2], names=False)
    found = fit(path, data, features=ROWS, part=["train"] * 5, row=[4, 3, 2, 1, 0])
    assert np.array_equal(found.rows("train"), ROWS[[1, 4]])
    assert np.array_equal(found.rows("test"), ROWS[[0, 2]])


def test_rows_of_several_sources_are_found_by_their_parts(path):
    data = dataset([1], [0], [1], names=False)
    part = ["train", "train", "validation", "test", "test"]
    found = fit(path, data, features=ROWS, part=part, row=[0, 1, 0, 0, 1])
    assert np.array_equal(found.rows("train"), ROWS[[1]])
    assert np.array_equal(found.rows("validation"), ROWS[[2]])
    assert np.array_equal(found.rows("test"), ROWS[[4]])


def test_rows_of_train_alone_are_no_others(path):
    data = dataset([1, 0], [], [0], names=False)
    found = fit(path, data, features=ROWS[:2], part=["train"] * 2, row=[0, 1])
    assert list(found.features) == ["train"]
    with pytest.raises(DataError, match=r"no features for row 3 of train"):
        fit(path, dataset([3], [], [0, 3], names=False), features=ROWS[:1], part=["train"], row=[0])
    with pytest.raises(DataError, match=r"no features for row 3 of train"):
        fit(path, dataset([3], [], [], names=False), features=ROWS[:1], part=["train"], row=[0])


def test_a_part_may_be_missing_as_a_whole_but_not_the_pool(path):
    found = fit(path, dataset([0, 1], [2], [3]), features=ROWS[:2], names=NAMES[:2])
    assert list(found.features) == ["train"]
    with pytest.raises(DataError, match=r"no features for 'c.png' of train, and 1 of its 3 images"):
        fit(path, dataset([0, 1, 2], [], []), features=ROWS[:2], names=NAMES[:2])
    with pytest.raises(DataError, match=r"no features for 'c.png' of test, and 1 of its 2 images"):
        fit(path, dataset([0], [], [1, 2]), features=ROWS[:2], names=NAMES[:2])


def test_rows_that_cannot_be_told_apart_are_refused(path):
    with pytest.raises(DataError, match=r"tells 4 images apart in rows of shape \(5, 2\)"):
        fit(path, dataset([0], [], []), features=ROWS, names=[*NAMES[:4], "a.png"])
    with pytest.raises(DataError, match=r"tells 5 images apart in rows of shape \(\)"):
        fit(path, dataset([0], [], []), features=np.float32(1), names=NAMES)
    with pytest.raises(DataError, match=r"tells 1 images apart"):
        fit(path, dataset([0], [], []), features=ROWS, names=[["a.png"]] * 5)
