from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nextlabel.kernels import equal_rows
from nextlabel.kernels.equal_rows import first_equal

FEW = st.sampled_from([0.0, -0.0, 1.0, 2.5, float("nan")])


def literal(rows: np.ndarray) -> list[int]:
    """The first row of which all numbers are equal; a row with NaN is equal to itself alone."""
    return [
        next((j for j in range(i) if bool((rows[i] == rows[j]).all())), i) for i in range(len(rows))
    ]


@given(arrays(np.float32, st.tuples(st.integers(0, 25), st.integers(1, 3)), elements=FEW))
def test_it_is_the_definition(rows: np.ndarray) -> None:
    assert first_equal(rows).tolist() == literal(rows)


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float16, np.bool_])
def test_every_type_and_shape_in_tiles(
    dtype: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = np.random.default_rng(0).integers(0, 2, (70, 1, 2, 2)).astype(dtype)
    np.save(tmp_path / "x.npy", rows)
    monkeypatch.setattr(equal_rows, "TILE_BYTES", 8 * 4 * 9)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert first_equal(mapped).tolist() == literal(rows.reshape(70, -1))


def test_rows_that_differ_between_the_columns_glanced_at() -> None:
    rows = np.zeros((3, 1000))
    rows[1, 7] = 1.0
    assert first_equal(rows).tolist() == [0, 1, 0]


def test_keys_that_collide_do_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        equal_rows, "_keys", lambda rows, ids, columns: np.zeros(len(ids), np.uint64)
    )
    assert first_equal(np.array([[3], [1], [3], [2], [1]])).tolist() == [0, 1, 0, 3, 1]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_other_rows_hardly_ever_share_a_key(dtype: type) -> None:
    rows = np.random.default_rng(0).normal(size=(50_000, 16)).astype(dtype)
    assert len(np.unique(equal_rows._keys(rows, np.arange(len(rows)), 16))) == len(rows)


def test_no_rows_and_no_columns() -> None:
    assert first_equal(np.zeros((0, 3))).tolist() == []
    assert first_equal(np.zeros((3, 0))).tolist() == [0, 0, 0]
