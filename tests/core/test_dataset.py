import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextlabel.core.dataset import TILE, Dataset, Images
from nextlabel.core.errors import DataError
from refusals import refused


def images(n, labels=None, **more):
    pixels = np.arange(n * 4, dtype=np.uint64).astype(np.uint8).reshape(n, 1, 2, 2)
    return Images(pixels, None if labels is None else np.array(labels, np.int64), **more)


def dataset(train, task="multiclass", classes=("a", "b")):
    return Dataset("toy", task, classes, train, images(0), images(0))


@given(st.lists(st.integers(0, 9), max_size=15))
def test_taking_rows_keeps_the_way_back(rows):
    whole = images(10, range(10), names=tuple("abcdefghij"))
    part = whole.take(np.array(rows, np.int64))
    assert part.origin.tolist() == rows
    assert part.labels.tolist() == rows
    assert part.names == tuple("abcdefghij"[r] for r in rows)
    np.testing.assert_array_equal(part.images, whole.images[rows])
    again = part.take(np.arange(len(rows))[::-1])
    assert again.origin.tolist() == rows[::-1]  # of the source, not of the part
    assert part.drawn_from is None
    assert images(10, drawn_from="train").take(np.array(rows, np.int64)).drawn_from == "train"


def test_a_subset_leaves_the_other_parts_alone():
    data = Dataset("toy", "multiclass", ("a",), images(4, [0] * 4), images(2), images(1))
    small = data.subset(train=np.array([3, 1]))
    assert small.train.origin.tolist() == [3, 1]
    assert small.validation is data.validation
    assert data.image_shape == small.image_shape == (1, 2, 2)


def test_rows_say_where_in_the_source_they_stand():
    data = Dataset(
        "toy", "multiclass", ("a",), images(4), images(3, drawn_from="train"), images(2)
    ).subset(validation=np.array([2, 0]), test=np.array([1]))
    found = {part: data.source_rows(part) for part in ("train", "validation", "test")}
    assert {part: source for part, (source, _) in found.items()} == {
        "train": "train",
        "validation": "train",
        "test": "test",
    }
    assert [rows.tolist() for _, rows in found.values()] == [[0, 1, 2, 3], [2, 0], [1]]


def test_messages_name_an_image_by_its_file_or_its_row_in_the_source():
    named = Dataset(
        "toy", "multiclass", ("a",), images(2, names=("x.png", "y.png")), *[images(0)] * 2
    )
    assert named.whereabouts("train", 1) == "y.png"
    part = images(3, drawn_from="train").take(np.array([2, 0]))
    drawn = Dataset("toy", "multiclass", ("a",), images(4), part, images(0))
    assert drawn.whereabouts("validation", 0) == "row 2 of train"
    assert drawn.whereabouts("train", 3) == "row 3 of train"


@pytest.mark.parametrize(
    ("task", "needs"), [("multiclass", "(N,)"), ("multilabel", "(N, classes)")]
)
def test_labels_of_the_other_task_are_refused_with_the_shape_that_it_needs(task, needs):
    labels = [[0, 1], [1, 0]] if task == "multiclass" else [0, 1]
    with refused(DataError, "labels-shape") as refusal:
        dataset(images(2, labels), task)
    assert str(refusal.value).endswith(f"{task} data needs {needs}")


def test_the_checksum_sees_every_change_and_nothing_else():
    base = dataset(images(3, [0, 1, 1]))
    assert base.checksum == dataset(images(3, [0, 1, 1])).checksum
    brighter = images(3, [0, 1, 1])
    brighter.images[2, 0, 1, 1] += 1
    others = [
        dataset(brighter),
        dataset(images(3, [0, 1, 0])),
        dataset(images(3, [0, 1, 1]), classes=("a", "c")),
        base.subset(train=np.array([1, 0, 2])),
        Dataset("toy", "multiclass", ("a", "b"), images(0), images(3, [0, 1, 1]), images(0)),
    ]
    assert len({base.checksum, *(o.checksum for o in others)}) == 6


def test_the_checksum_sees_the_task():
    """Two data sets that differ in the task alone: without labels, the arrays say nothing of it."""
    unlabelled = images(3)
    assert dataset(unlabelled).checksum != dataset(unlabelled, "multilabel").checksum


def test_the_checksum_covers_all_tiles():
    many = Images(np.zeros((TILE + 3, 1, 1, 1), np.uint8))
    other = Images(many.images.copy())
    other.images[-1] = 1
    assert dataset(many).checksum != dataset(other).checksum


@pytest.mark.parametrize(
    ("make", "code", "says"),
    [
        (lambda: Images(np.zeros((2, 4, 4), np.uint8)), "images-shape", r"shape \(2, 4, 4\)"),
        (lambda: Images(np.zeros((2, 1, 4, 4), np.float32)), "images-shape", "type float32"),
        (lambda: images(3, [0, 1]), "part-lengths-differ", "3 images but 2 labels"),
        (lambda: images(3, names=("x",)), "part-lengths-differ", "3 images but 1 names"),
        (
            lambda: dataset(images(2, [0, 2])),
            "labels-out-of-range",
            "labels run from 0 to 2; allowed are 0 to 1",
        ),
        (
            lambda: dataset(images(5, [-1, 0, -2, 9, 1])),
            "labels-out-of-range",
            "run from -2 to 9; .*; repair 2 of them, the first in row 2",
        ),
        (
            lambda: dataset(images(2, [[0, 1], [1, 1]])),
            "labels-shape",
            r"multiclass data needs \(N,\)",
        ),
        (lambda: dataset(images(2, [0, 1]), "multilabel"), "labels-shape", r"needs \(N, classes\)"),
        (
            lambda: dataset(images(1, [[0, 1, 1]]), "multilabel"),
            "classes-shape",
            "3 label columns but 2 class",
        ),
        (
            lambda: dataset(images(1, [[0, 2]]), "multilabel"),
            "labels-out-of-range",
            "labels run from 0 to 2",
        ),
    ],
)
def test_what_does_not_fit_is_refused(make, code, says):
    with refused(DataError, code, match=says):
        make()


def test_unknown_labels_and_memory_maps_are_legal(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((2, 1, 2, 2), np.uint8))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    data = dataset(Images(mapped, np.array([-1, 1])))
    assert data.train.images is mapped
    assert len(data.checksum) == 64
