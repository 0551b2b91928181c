import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nextlabel.core.errors import DataError, UsageError
from nextlabel.core.types import as_array, as_ids, as_names, in_sequence
from refusals import refused


@given(st.lists(st.integers(0, 2**40), max_size=20))
def test_every_kind_of_sequence_gives_the_same_ids(numbers):
    expected = np.array(numbers, np.int64)
    tensor = torch.tensor(numbers, dtype=torch.int64)
    for given_as in (numbers, tuple(numbers), expected, tensor, (i for i in numbers)):
        ids = as_ids(given_as)
        assert ids.dtype == np.int64
        np.testing.assert_array_equal(ids, expected)


def test_a_set_gives_its_ids_in_ascending_order_and_none_gives_no_ids():
    np.testing.assert_array_equal(as_ids({9, 0, 40, 3}), [0, 3, 9, 40])
    assert as_ids(None).shape == (0,)


def test_a_mask_gives_ids_where_its_length_is_known():
    mask = np.array([False, True, True])
    np.testing.assert_array_equal(as_ids(mask, 3), [1, 2])
    with refused(UsageError, "ids-are-a-mask"):
        as_ids(mask)
    with refused(UsageError, "mask-of-another-length"):
        as_ids(mask, 4)


@pytest.mark.parametrize(
    "labels",
    [
        [float("nan"), 1.5, 0],
        np.array([np.nan, "cat", "dog"], object),
        [None, "cat", 0],
        [np.nan, 0, 0],
        pd.array([None, 7, 0], "Int64"),
    ],
)
def test_labels_that_are_partly_unknown_give_the_ids_of_the_others(labels):
    np.testing.assert_array_equal(as_ids(labels, 3), [1, 2])
    with refused(UsageError, "id-not-whole"):
        as_ids(labels, 4)


@pytest.mark.parametrize("unknown", [None, float("nan"), pd.NA])
def test_a_mask_with_unknown_values_is_refused(unknown):
    with refused(UsageError, "id-not-whole"):
        as_ids(pd.Series([True, unknown, False]), 3)


def test_a_masked_array_is_refused_when_a_value_is_masked():
    values = np.ma.masked_equal([1.0, 2.0], 3.0)
    assert type(as_array(values)) is np.ndarray
    with refused(DataError, "masked-values", match="^masked values in features would"):
        as_array(np.ma.masked_equal([1.0, 2.0], 2.0), "features")
    with refused(DataError, "masked-values", match="masked values in the ids"):
        as_ids(np.ma.masked_equal([1, 2], 2))


def test_whole_floats_are_ids_and_unsigned_are_too():
    np.testing.assert_array_equal(as_ids([3.0, 1e9]), [3, 10**9])
    np.testing.assert_array_equal(as_ids(np.array([7, 2], np.uint8)), [7, 2])


@pytest.mark.parametrize(
    ("bad", "code", "says"),
    [
        ([0.5], "id-not-whole", "0.5"),
        ([1.0, float("nan")], "id-not-whole", "nan"),
        ([float("inf")], "id-not-whole", "inf"),
        ([True, False], "ids-are-a-mask", "flatnonzero"),
        ([2.0**53], "id-not-whole", "whole numbers"),  # a float beyond it may be a rounded one
        (["three"], "id-not-whole", "whole numbers"),
        ([2**70], "id-not-whole", "whole numbers"),
    ],
)
def test_what_is_no_id_is_refused(bad, code, says):
    with refused(UsageError, code, match=says):
        as_ids(bad)


def test_arrays_are_seen_not_copied():
    array = np.arange(6.0).reshape(2, 3)
    assert as_array(array) is array
    tensor = torch.arange(6.0, requires_grad=True)
    view = as_array(tensor)
    with torch.no_grad():
        tensor[0] = 41
    assert view[0] == 41


def test_rows_of_unequal_lengths_are_refused():
    with refused(
        DataError, "rows-of-unequal-lengths", match=r"make no array .* give rows of one length"
    ):
        as_array([[1.0, 2.0], [3.0]])


def test_a_set_without_an_order_keeps_all_of_its_members() -> None:
    assert in_sequence({3, 1, 2}) == [1, 2, 3]
    members = in_sequence({1, "a"})
    assert isinstance(members, list) and set(members) == {1, "a"}


@pytest.mark.parametrize("values", ["cell,debris", b"cell", 3, None])
def test_names_are_a_list_and_not_one_text(values):
    with refused(UsageError, "names-not-a-list", match="classes .*; give one, such as classes="):
        as_names(values, "classes")
    assert as_names(iter(["a", "b"]), "classes") == ("a", "b")


def test_a_name_is_text():
    with refused(UsageError, "name-not-text", match="have 3"):
        as_names(["a", 3], "classes")
