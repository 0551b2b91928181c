import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nextlabel.core.dataset import Images
from nextlabel.core.errors import DataError, UsageError
from nextlabel.data.settings import DataSettings
from nextlabel.data.source import Raw
from nextlabel.data.splits import divide
from refusals import refused


def images(n: int, labels: np.ndarray | None = None) -> Images:
    pixels = np.arange(n, dtype=np.uint8)[:, None, None, None]
    return Images(pixels, np.zeros(n, np.int64) if labels is None else labels)


def raw(n: int = 100, **drawn: int) -> Raw:
    return Raw("toy", "multiclass", ("a",), {"train": images(n)}, drawn)  # type: ignore[arg-type]


def settings(**values: int) -> DataSettings:
    return DataSettings(name="toy", **values)  # type: ignore[arg-type]


@given(
    st.integers(3, 60).flatmap(
        lambda n: st.tuples(
            st.just(n),
            st.integers(0, n // 3),
            st.integers(0, n // 3),
            st.integers(1, n // 3),
            st.integers(0, 2**32),
        )
    )
)
def test_parts_are_disjoint_ascending_and_as_large_as_asked(sizes: tuple[int, ...]) -> None:
    n, validation, test, train, seed = sizes
    parts = divide(raw(n), settings(train=train, validation=validation, test=test, seed=seed))
    rows = {part: found.origin for part, found in parts.items()}
    assert {part: len(r) for part, r in rows.items()} == {
        "train": train,
        "validation": validation,
        "test": test,
    }
    together = np.concatenate(list(rows.values()))
    assert len(np.unique(together)) == len(together)
    for part, found in parts.items():
        assert np.array_equal(rows[part], np.sort(rows[part]))
        assert np.array_equal(found.images[:, 0, 0, 0], rows[part])


def test_validation_does_not_depend_on_train_and_train_is_nested() -> None:
    small = divide(raw(), settings(train=10, validation=20, test=5))
    large = divide(raw(), settings(train=50, validation=20, test=5))
    assert np.array_equal(small["validation"].origin, large["validation"].origin)
    assert set(small["train"].origin) < set(large["train"].origin)


def test_seeds_decide() -> None:
    one, same, other = (divide(raw(), settings(validation=20, seed=s)) for s in (1, 1, 2))
    assert np.array_equal(one["validation"].origin, same["validation"].origin)
    assert not np.array_equal(one["validation"].origin, other["validation"].origin)


def test_golden_draw() -> None:
    parts = divide(raw(12), settings(validation=4, test=2))
    assert parts["test"].origin.tolist() == GOLDEN["test"]
    assert parts["validation"].origin.tolist() == GOLDEN["validation"]


GOLDEN = {"test": [0, 2], "validation": [4, 5, 8, 11]}


def test_defaults_and_own_parts() -> None:
    parts = divide(raw(50, validation=10, test=5), settings())
    assert [len(parts[p]) for p in ("train", "validation", "test")] == [35, 10, 5]
    own = Raw("toy", "multiclass", ("a",), {"train": images(9), "validation": images(6)}, {})
    parts = divide(own, settings(validation=2))
    assert [len(parts[p]) for p in ("train", "validation", "test")] == [9, 2, 0]
    assert divide(own, settings())["validation"] is own.parts["validation"]


def test_what_is_drawn_from_train_says_so() -> None:
    own = Raw("toy", "multiclass", ("a",), {"train": images(9), "test": images(6)}, {})
    for size in (0, 2):
        parts = divide(own, settings(validation=size, test=3))
        found = {part: of.drawn_from for part, of in parts.items()}
        assert found == {"train": None, "validation": "train", "test": None}


def test_unlabelled_images_stay_in_the_pool() -> None:
    labels = np.where(np.arange(20) < 6, 0, -1)
    mixed = Raw("toy", "multiclass", ("a",), {"train": images(20, labels)})
    parts = divide(mixed, settings(validation=3, test=2))
    assert (parts["validation"].labels == 0).all() and (parts["test"].labels == 0).all()
    assert len(parts["train"]) == 15
    with refused(UsageError, "part-too-large"):
        divide(mixed, settings(validation=7))


def test_asking_for_more_than_there_is() -> None:
    with refused(
        UsageError,
        "part-too-large",
        match="train 80 exceeds the 75 images left after test 5 and validation 20; "
        "lower train to 75 or lower the others",
    ):
        divide(raw(), settings(train=80, validation=20, test=5))
    with refused(UsageError, "part-too-large"):
        divide(raw(), settings(test=101))
    with refused(DataError, "no-training-images"):
        empty = images(0, np.zeros(0, np.int64))
        divide(Raw("toy", "multiclass", ("a",), {"train": empty, "test": images(3)}), settings())
    with refused(
        DataError,
        "no-training-images",
        match="no training image is left after test 0 and validation 9",
    ):
        divide(raw(9), settings(validation=9))
