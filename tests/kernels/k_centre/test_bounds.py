"""The top rows are those of the largest bounds, by smallest id at a tie."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nextlabel.kernels.k_centre.bounds import CLOSED, UpperBounds, highest_first

VALUES = st.lists(st.sampled_from([CLOSED, 0.0, 1.0, 1.0, 2.0, 2.5]), min_size=1, max_size=40)


def in_order(value: np.ndarray) -> list[int]:
    """Return the ids that may be picked, the largest first and the smaller id at a tie."""
    return sorted(np.flatnonzero(value > CLOSED).tolist(), key=lambda i: (-value[i], i))


@given(VALUES, st.integers(1, 50))
def test_the_highest_are_cut_by_place_at_a_tie(values: list[float], count: int) -> None:
    value = np.array(values)
    assert highest_first(value, count).tolist() == sorted(in_order(value)[:count])


@given(VALUES, st.integers(1, 9), st.integers(1, 30), st.integers(0, 10**6))
def test_top_rows_are_those_of_a_full_sort(
    values: list[float], size: int, reservoir: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    bounds = UpperBounds(np.array(values), reservoir)
    size = min(size, reservoir)
    for _ in range(12):
        top = bounds.top(size)
        order = in_order(bounds.value)
        assert top.ids.tolist() == sorted(order[:size])
        if len(order) > size:
            best = order[size]
            assert (top.bound_outside, top.id_outside) == (bounds.value[best], best)
        else:
            assert top.bound_outside == CLOSED
        assert top.ahead(bounds.value[top.ids], top.ids).all()
        if not top.ids.size:
            break
        # Bounds of the top rows fall, or the rows are picked.
        fall = rng.choice([0.0, 0.5, 1.0, np.inf], len(top.ids))
        bounds.value[top.ids] = np.maximum(bounds.value[top.ids] - fall, 0)
        bounds.value[top.ids[fall == np.inf]] = CLOSED


def test_a_closed_row_never_comes_back() -> None:
    bounds = UpperBounds(np.array([CLOSED, 3.0, CLOSED, 1.0]))
    assert bounds.top(4).ids.tolist() == [1, 3]
    bounds.value[[1, 3]] = CLOSED
    assert bounds.top(4).ids.tolist() == []
