import unicodedata

import numpy as np
import pytest

from nextlabel.core.dataset import Dataset, Images
from nextlabel.core.errors import DataError
from nextlabel.core.pool import Pool
from nextlabel.core.seeds import Seeds
from nextlabel.features.block_creation import make_block
from nextlabel.features.blocks import BLOCKS
from nextlabel.models.settings import TrainingSettings
from refusals import refused

pytestmark = pytest.mark.usefixtures("no_bfloat16")

NAMES = ("a.png", "b.png", "c.png", "d.png", "e.png")
ROWS = np.arange(10, dtype=np.float32).reshape(5, 2)


def images(*origin, names=True, drawn_from=None):
    pixels = np.zeros((len(origin), 1, 4, 4), np.uint8)
    known = tuple(NAMES[row] for row in origin) if names else None
    return Images(pixels, None, np.array(origin, np.int64), known, drawn_from)


def dataset(train, validation, test, names=True, drawn=(), sources=None):
    parts = (
        images(*rows, names=names, drawn_from="train" if part in drawn else None)
        for part, rows in (("train", train), ("validation", validation), ("test", test))
    )
    return Dataset("x", "multiclass", (), *parts, sources or {})


def fit(path, data, /, **arrays):
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


def test_names_are_found_in_the_other_form_of_letters(path):
    names = [unicodedata.normalize("NFD", "Köln/ü.png"), "b.png"]
    pixels = np.zeros((1, 1, 4, 4), np.uint8)
    composed = Images(pixels, names=(unicodedata.normalize("NFC", names[0]),))
    data = Dataset("x", "multiclass", (), composed, images(), images())
    assert np.array_equal(fit(path, data, features=ROWS[:2], names=names).rows("train"), ROWS[:1])


def test_rows_of_parts_alone_are_in_the_order_of_each_part(path):
    part = ["test", "train", "validation", "train", "test"]
    found = fit(path, dataset([0, 1], [2], [3, 4], names=False), features=ROWS, part=part)
    assert np.array_equal(found.rows("train"), ROWS[[1, 3]])
    assert np.array_equal(found.rows("validation"), ROWS[[2]])
    assert np.array_equal(found.rows("test"), ROWS[[0, 4]])
    with refused(DataError, "embedding-row-count", match="2 rows for test; give 1:"):
        fit(path, dataset([0, 1], [2], [3], names=False), features=ROWS, part=part)


def test_a_table_is_a_block_too(tmp_path):
    lines = [f"{name},{x},{y}" for name, (x, y) in zip(NAMES, ROWS, strict=True)]
    (tmp_path / "x.csv").write_text("\n".join(["file,a,b", *lines]))
    block = make_block(str(tmp_path / "x.csv"), {}, TrainingSettings())
    found = block.fit(dataset([2, 0], [], []), Pool(2), None, 0, Seeds(0))
    assert np.array_equal(found.rows("train"), ROWS[[2, 0]])


def test_names_may_be_bytes_or_numbers(path):
    found = fit(path, dataset([2, 0], [], []), features=ROWS, names=np.array(NAMES, "S"))
    assert np.array_equal(found.rows("train"), ROWS[[2, 0]])
    numbered = Images(np.zeros((2, 1, 4, 4), np.uint8), names=("8", "7"))
    data = Dataset("x", "multiclass", (), numbered, images(), images())
    found = fit(path, data, features=ROWS[:2], names=[7, 8])
    assert np.array_equal(found.rows("train"), ROWS[[1, 0]])


def test_rows_of_one_source_are_found_in_whatever_part(path):
    data = dataset([3, 0], [1], [4, 2], names=False, drawn=("validation", "test"))
    for kind in (str, bytes):
        source = np.array(["train"] * 5, kind)
        found = fit(path, data, features=ROWS, source=source, row=[4, 3, 2, 1, 0])
        assert np.array_equal(found.rows("train"), ROWS[[1, 4]])
        assert np.array_equal(found.rows("validation"), ROWS[[3]])
        assert np.array_equal(found.rows("test"), ROWS[[0, 2]])


def test_rows_of_several_sources_are_found_by_their_parts(path):
    data = dataset([1], [0], [1], names=False)
    source = ["train", "train", "validation", "test", "test"]
    found = fit(path, data, features=ROWS, source=source, row=[0, 1, 0, 0, 1])
    assert np.array_equal(found.rows("train"), ROWS[[1]])
    assert np.array_equal(found.rows("validation"), ROWS[[2]])
    assert np.array_equal(found.rows("test"), ROWS[[4]])


def test_drawn_rows_are_told_from_those_of_a_part_of_its_own(path):
    """As in MNIST: validation is drawn from the training file, test is a file with equal rows."""
    source, row = ["train"] * 3 + ["test"] * 2, [2, 0, 1, 1, 0]
    for train, validation in (([0, 1], [2]), ([2], [0, 1]), ([1], [0])):
        data = dataset(train, validation, [0, 1], names=False, drawn=("validation",))
        found = fit(path, data, features=ROWS, source=source, row=row)
        at = [1, 2, 0]
        assert np.array_equal(found.rows("train"), ROWS[[at[i] for i in train]])
        assert np.array_equal(found.rows("validation"), ROWS[[at[i] for i in validation]])
        assert np.array_equal(found.rows("test"), ROWS[[4, 3]])


def test_rows_of_train_alone_are_no_others(path):
    data = dataset([1, 0], [], [3, 4], names=False)
    found = fit(path, data, features=ROWS, source=["train"] * 5, row=range(5))
    assert list(found.features) == ["train"]
    for data in (dataset([3], [], [0, 3], names=False), dataset([3], [], [], names=False)):
        with refused(
            DataError,
            "embedding-rows-missing",
            match=r"no features for 1 of the 1 images of train, row 3 of the source's train first",
        ):
            fit(path, data, features=ROWS[:1], source=["train"], row=[0])


def test_a_file_made_from_others_is_refused(path):
    mine = {"x/images.gz": "1" * 64, "x/labels.gz": "2" * 64}
    rows = {"features": ROWS, "source": ["train"] * 5, "row": range(5), "data": "y"}
    data = dataset([1], [], [], names=False, sources=mine)

    def given(sources):
        return {**rows, "files": list(sources), "sha256": list(sources.values())}

    for same in (mine, {"x/images.gz": "1" * 64}, {"renamed.gz": "1" * 64}):
        assert np.array_equal(fit(path, data, **given(same)).rows("train"), ROWS[[1]])
    for other in ({"y/images.gz": "3" * 64}, {**mine, "y/images.gz": "3" * 64}):
        with refused(DataError, "embedding-of-other-data"):
            fit(path, data, **given(other))
    with refused(
        DataError,
        "embedding-of-other-data",
        match=r"x/labels.gz \(sha256 4+…\), but .* x/labels.gz \(sha256 2",
    ):
        fit(path, data, **given({"a": "3" * 64, "x/labels.gz": "4" * 64}))
    with refused(DataError, "embedding-of-other-data"):
        fit(path, dataset([1], [], [], names=False), **given(mine))
    with refused(DataError, "embedding-of-other-data"):
        fit(path, dataset([1], [], []), **given(mine))


def test_a_part_may_be_missing_as_a_whole_but_not_the_pool(path):
    found = fit(path, dataset([0, 1], [2], [3]), features=ROWS[:2], names=NAMES[:2])
    assert list(found.features) == ["train"]
    with refused(DataError, "embedding-rows-missing"):
        fit(path, dataset([0, 1, 2], [], []), features=ROWS[:2], names=NAMES[:2])
    with refused(DataError, "embedding-rows-missing"):
        fit(path, dataset([0], [], [1, 2]), features=ROWS[:2], names=NAMES[:2])


def test_rows_that_cannot_be_told_apart_are_refused(path):
    with refused(
        DataError, "names-repeated", match="has 4 different names for 5 rows: both row 0 and row 4"
    ):
        fit(path, dataset([0], [], []), features=ROWS, names=[*NAMES[:4], "a.png"])
    with refused(
        DataError, "names-shape", match=r"names of shape \(5,\) for features of shape \(\);"
    ):
        fit(path, dataset([0], [], []), features=np.float32(1), names=NAMES)
    with refused(DataError, "names-shape"):
        fit(path, dataset([0], [], []), features=ROWS, names=[["a.png"]] * 5)


@pytest.mark.parametrize(
    ("arrays", "code", "says"),
    [
        (
            {"source": ["train"] * 5, "row": [0, 1, 2, 3, 0]},
            "embedding-rows-repeated",
            "has 4 different images for 5 rows",
        ),
        (
            {"part": ["train"] * 5, "row": range(5)},
            "array-missing",
            "lacks the array 'source'; embed",
        ),
        ({"source": ["train"] * 5}, "array-missing", "'row'"),
        (
            {"source": "train", "row": range(5)},
            "embedding-shape",
            r"'source' of shape \(\) for features of shape \(5",
        ),
        ({"source": ["train"] * 5, "row": [0]}, "embedding-shape", "'row'.*1"),
        (
            {"source": ["val"] * 5, "row": range(5)},
            "embedding-source-unknown",
            "source 'val', which is unknown; give train,",
        ),
    ],
)
def test_sources_that_do_not_fit_are_refused(path, arrays, code, says):
    with refused(DataError, code, match=says):
        fit(path, dataset([0], [], [], names=False), features=ROWS, **arrays)
