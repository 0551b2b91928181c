"""The measures of a cloud against cases that can be worked out by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextlabel.statistics.point_cloud import kurtosis, shape, sparsest

SQUARE = np.array([[1.0, 1], [1, -1], [-1, 1], [-1, -1]])


def ids(*values):
    return np.array(values, np.int64)


# -- kurtosis ------------------------------------------------------------------------------------


def test_kurtosis_by_hand():
    assert kurtosis(np.array([[1.0], [-1.0]])) == pytest.approx(1 / 3 - 1)  # 1 is the least of all
    assert kurtosis(SQUARE) == pytest.approx(4 / (4 + 4) - 1)  # r² = 2, tr Σ = 2, tr Σ² = 2
    long = np.array([[2.0, 0], [-2, 0], [0, 1], [0, -1]])  # r⁴ = 16, 1; Σ = diag(2, 1/2)
    assert kurtosis(long) == pytest.approx(8.5 / (2.5**2 + 2 * 4.25) - 1)


def test_kurtosis_of_known_distributions():
    rng = np.random.default_rng(0)
    stretched = rng.normal(size=(200_000, 3)) * [1, 5, 0.2]
    assert kurtosis(stretched) == pytest.approx(0, abs=0.02)
    assert kurtosis(rng.normal(size=(2000, 500))) == pytest.approx(0, abs=0.01)
    radius, angle = np.sqrt(rng.random(200_000)), rng.random(200_000) * 2 * math.pi
    disc = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    assert kurtosis(disc) == pytest.approx(-1 / 3, abs=0.01)
    assert kurtosis(rng.laplace(size=(200_000, 1))) == pytest.approx(6 / 3 - 1, abs=0.1)


def test_kurtosis_in_one_dimension_is_the_usual_one():
    from scipy import stats

    values = np.random.default_rng(1).gamma(2, size=300)
    assert kurtosis(values[:, None]) == pytest.approx(stats.kurtosis(values, fisher=False) / 3 - 1)


@given(
    st.integers(2, 12), st.integers(1, 20), st.integers(0, 1000), st.sampled_from([1e-200, 1e150])
)
def test_neither_rotation_nor_scale_nor_place_changes_a_shape(n, d, seed, scale):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(n, d))
    turn = np.linalg.qr(rng.normal(size=(d, d)))[0]
    picked = ids(*rng.permutation(n)[: n // 2])
    one = shape(points, np.arange(n), picked)
    for other in (points @ turn, points + 3, points * scale):
        found = shape(other, np.arange(n), picked)
        for name in ("kurtosis", "nearest", "spread", "sparse", "offset"):
            here, there = getattr(found, name), getattr(one, name)
            assert here is there is None or here == pytest.approx(there, rel=1e-6), name


# -- where the picked lie ------------------------------------------------------------------------


def test_a_line_by_hand():
    points = np.array([[0.0], [1], [2], [10]])
    found = shape(points, ids(1, 2, 3), ids(2, 3))
    assert found.kurtosis == kurtosis(points)
    # nearest of the picked: 1 and 8; of the candidates: 1, 1 and 8
    assert found.nearest == pytest.approx(4.5 / (10 / 3))
    # between the picked: 8; over the six pairs: 1 2 10 1 9 8
    assert found.spread == pytest.approx(8 / (31 / 6))
    # the mean of all is 3.25, that of the picked 6
    radius = math.sqrt(np.mean((points - 3.25) ** 2))
    assert found.offset == pytest.approx(2.75 / radius)
    assert found.sparse == 0.5  # one of three candidates is a tenth, rounded up: the one at 10


def test_all_picked_is_no_choice_at_all():
    points = np.random.default_rng(2).normal(size=(40, 3))
    found = shape(points, np.arange(40), np.arange(40))
    assert found.nearest == pytest.approx(1)
    assert found.spread == pytest.approx(1)
    assert found.sparse == pytest.approx(0.1)
    assert found.offset == pytest.approx(0)


def test_neighbours_may_be_labelled_and_candidates_are_counted_alone():
    points = np.array([[0.0], [0.5], [4], [5], [20]])
    found = shape(points, ids(2, 3), ids(2))
    assert found.nearest == pytest.approx(1)  # 4 and 5 are 1 apart
    assert shape(points, ids(1, 2), ids(1)).nearest == pytest.approx(0.5 / 0.75)
    assert found.sparse == 1  # the farthest, 20, is 16 away from it, 15 from the other


def test_the_sparsest_decile_goes_by_the_tenth_neighbour():
    crowd = np.linspace(0, 1, 30)  # evenly, so that the ends are the loneliest of the crowd
    pair = np.array([50.0, 50.001])  # close to each other, far from ten
    points = np.concatenate([crowd, pair])[:, None]
    found = shape(points, np.arange(32), ids(30, 31))
    assert found.sparse == 1
    assert found.nearest is not None and found.nearest < 1
    assert shape(points, np.arange(32), ids(15)).sparse == 0


def test_ties_go_to_the_smallest_row():
    assert sparsest(np.ones(25), np.arange(24, -1, -1)).tolist() == [0, 1, 2]
    assert sparsest(np.arange(25.0), np.arange(20)).tolist() == [19, 18]
    assert sparsest(np.arange(25.0), np.arange(21)).tolist() == [20, 19, 18]
    many = np.r_[np.zeros(300), np.ones(300)]  # more than a sort that is not stable keeps in order
    assert sparsest(many, np.arange(600)).tolist() == list(range(300, 360))


def test_tiles_change_nothing(monkeypatch):
    points = np.random.default_rng(3).normal(size=(50, 4))
    whole = shape(points, np.arange(10, 50), ids(11, 30, 49))
    monkeypatch.setattr("nextlabel.statistics.point_cloud.TILE", 7)
    tiled = shape(points, np.arange(10, 50), ids(11, 30, 49))
    assert tiled.spread == pytest.approx(whole.spread)
    assert (tiled.nearest, tiled.sparse) == (whole.nearest, whole.sparse)


def test_what_has_no_value_is_none():
    same = shape(np.full((5, 2), 0.1), np.arange(5), ids(1, 2))
    assert (same.kurtosis, same.nearest, same.spread, same.offset) == (None,) * 4
    one = shape(SQUARE, np.arange(4), ids(2))
    assert one.spread is None and one.nearest == 1 and one.offset == pytest.approx(1)
    none = shape(SQUARE, np.arange(4), ids())
    assert (none.nearest, none.spread, none.sparse, none.offset) == (None,) * 4


def test_equal_points_are_equal_although_their_mean_rounds() -> None:
    same = np.tile([1.0, 0.1], (3, 1))
    assert (same - same.mean(axis=0)).any()
    assert kurtosis(same) is None
