"""A window is the largest bounds, by smallest id at a tie, and knows the best of the others."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextlabel.kernels.k_centre import bounds as module
from nextlabel.kernels.k_centre.bounds import OUT, Bounds, highest_first

VALUES = st.lists(st.sampled_from([OUT, 0.0, 1.0, 1.0, 2.0, 2.5]), min_size=1, max_size=40)


def in_order(value: np.ndarray) -> list[int]:
    """Return the ids of all who may be picked, the largest first and the smaller id at a tie."""
    return sorted(np.flatnonzero(value > OUT).tolist(), key=lambda i: (-value[i], i))


@given(VALUES, st.integers(1, 50))
def test_the_highest_are_cut_by_place_at_a_tie(values: list[float], count: int) -> None:
    value = np.array(values)
    assert highest_first(value, count).tolist() == sorted(in_order(value)[:count])


@given(VALUES, st.integers(1, 9), st.integers(1, 30), st.integers(0, 10**6))
def test_windows_are_those_of_a_full_sort(
    values: list[float], size: int, reservoir: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "RESERVOIR", reservoir)
        bounds = Bounds(np.array(values))
        size = min(size, reservoir)
        for _ in range(12):
            window = bounds.window(size)
            order = in_order(bounds.value)
            assert window.ids.tolist() == sorted(order[:size])
            if len(order) > size:
                assert (window.rest, window.first) == (bounds.value[order[size]], order[size])
            else:
                assert window.rest == OUT
            ahead = window.ahead(bounds.value[window.ids], window.ids)
            assert ahead.all()
            if not window.ids.size:
                break
            # Bounds of a window's rows fall, or the rows are picked.
            fall = rng.choice([0.0, 0.5, 1.0, np.inf], len(window.ids))
            bounds.value[window.ids] = np.maximum(bounds.value[window.ids] - fall, 0)
            bounds.value[window.ids[fall == np.inf]] = OUT


def test_who_is_out_never_comes_back() -> None:
    bounds = Bounds(np.array([OUT, 3.0, OUT, 1.0]))
    assert bounds.window(4).ids.tolist() == [1, 3]
    bounds.value[[1, 3]] = OUT
    assert bounds.window(4).ids.tolist() == []
