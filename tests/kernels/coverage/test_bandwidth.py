"""Bandwidths and radii against their plain definitions."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from nextlabel.core.progress import reporting_to
from nextlabel.core.space.embedding import Embedding
from nextlabel.kernels.coverage import bandwidth
from nextlabel.kernels.coverage.bandwidth import closest_pair, neighbour_distance, pure_radius
from nextlabel.kernels.distance.neighbour_rank import RankTuning

GRIDS = arrays.arrays(
    np.int64, st.tuples(st.integers(2, 120), st.integers(1, 2)), elements=st.integers(-9, 9)
)


def table(x: np.ndarray) -> np.ndarray:
    return np.sqrt(((x[:, None].astype(float) - x) ** 2).sum(-1))


def median_neighbour(x: np.ndarray) -> float:
    rank = math.ceil(len(x) / 50)
    own = np.sort(table(x), axis=1)[:, min(rank, len(x) - 1)]
    return float(np.median(own[own > 0])) if (own > 0).any() else 0.0


@given(GRIDS)
def test_the_neighbour_distance(x: np.ndarray) -> None:
    for scale in (1.0, 1 / 3, 1e-150):
        found = neighbour_distance(x * scale, np.arange(len(x)))
        assert found == pytest.approx(median_neighbour(x) * scale, rel=1e-12)


def test_the_neighbour_distance_is_of_the_space_and_of_the_ids() -> None:
    rng = np.random.default_rng(0)
    x, v = rng.normal(size=(150, 5)) + 50, rng.normal(size=(150, 3))
    space = Embedding(((x.astype(np.float32), 2.0), (v, 0.5)))
    ids = np.arange(0, 150, 2)
    expected = median_neighbour(space.concatenate()[ids])
    assert neighbour_distance(space, ids) == pytest.approx(expected, rel=1e-10)
    assert neighbour_distance(space, ids[:1]) == 0
    assert neighbour_distance(np.ones((9, 2)), np.arange(9)) == 0


def test_of_many_images_an_even_sample_is_taken() -> None:
    x = np.random.default_rng(1).normal(size=(900, 3))
    exact = neighbour_distance(x, np.arange(900))
    sampled = neighbour_distance(x, np.arange(900), 200)
    assert sampled != exact
    assert sampled == pytest.approx(exact, rel=0.1)
    assert sampled == neighbour_distance(x, np.arange(900), 200, RankTuning(4000, 64))


@given(GRIDS)
def test_the_closest_pair(x: np.ndarray) -> None:
    distances = table(x)
    expected = distances[distances > 0].min(initial=np.inf)
    found = closest_pair(x / 7, np.arange(len(x)))
    assert found == pytest.approx(expected / 7 if np.isfinite(expected) else 0.0, rel=1e-12)


def test_the_closest_pair_is_of_the_labelled_alone() -> None:
    x = np.array([[0.0], [0.1], [3], [3], [7]])
    assert closest_pair(x, np.array([4, 0, 3, 2])) == 3
    assert closest_pair(x, np.array([2, 3])) == closest_pair(x, np.array([1])) == 0


def pure_share(x: np.ndarray, clusters: np.ndarray, radius: float) -> float:
    inside = table(x) <= radius
    pure = (clusters[:, None] == clusters) | ~inside
    return float(pure.all(axis=1).mean())


@given(st.integers(0, 10**6), st.sampled_from([0.5, 0.8, 0.95, 1.0]))
def test_the_radius_is_the_largest_that_is_pure_enough(seed: int, purity: float) -> None:
    rng = np.random.default_rng(seed)
    x, clusters = rng.normal(size=(40, 2)), rng.integers(0, 3, 40)
    clusters[:2] = 0, 1
    radius = pure_radius(x, np.arange(40), clusters, purity)
    assert pure_share(x, clusters, radius) >= purity - 1e-9
    assert pure_share(x, clusters, radius * (1 + 1e-6)) < purity


def test_with_one_cluster_a_ball_holds_all() -> None:
    x = np.random.default_rng(0).normal(size=(30, 2))
    assert pure_radius(x, np.arange(30), np.zeros(30, int), 0.95) >= table(x).max()


def test_the_radius_reports_the_share_of_images_that_are_compared(monkeypatch: Any) -> None:
    monkeypatch.setattr(bandwidth, "COLUMNS", 10)
    x = np.random.default_rng(0).normal(size=(40, 3))
    shares: list[float] = []
    with reporting_to(None, shares.append):
        pure_radius(x, np.arange(40), np.arange(40) % 4, 0.95)
    assert shares[:4] == [0, 0.25, 0.5, 0.75]


def literal_radius(x: np.ndarray, clusters: np.ndarray, purity: float) -> float:
    """Return the quantile of the distances to the nearest image of another cluster."""
    apart = np.where(clusters[:, None] == clusters, np.inf, table(x)).min(axis=1)
    return float(np.sort(apart)[min(math.floor((1 - purity) * len(x) + 1e-9), len(x) - 1)])


@pytest.mark.parametrize("purity", [0.5, 0.95, 1.0])
@pytest.mark.parametrize("case", ["plain", "offset", "copies", "scales", "rows of 1e-150"])
def test_the_radius_is_exact_on_hard_sets(case: str, purity: float, monkeypatch: Any) -> None:
    rng = np.random.default_rng(3)
    x, clusters = rng.normal(size=(700, 6)), rng.integers(0, 5, 700)
    if case == "offset":
        x = x + 1000
    elif case == "copies":
        x = np.repeat(x[:350], 2, axis=0)
    elif case == "scales":
        x = x * 10.0 ** rng.integers(-6, 3, (700, 1))
    elif case == "rows of 1e-150":
        x = x * 1e-150
    monkeypatch.setattr(bandwidth, "COLUMNS", 130)
    wanted = literal_radius(x, clusters, purity)
    assert pure_radius(x, np.arange(700), clusters, purity) == pytest.approx(wanted, rel=1e-8)
    some = np.arange(0, 700, 3)
    wanted = literal_radius(x[some], clusters[some], purity)
    assert pure_radius(x, some, clusters[some], purity) == pytest.approx(wanted, rel=1e-8)


def test_of_very_many_images_even_ones_are_measured(monkeypatch: Any) -> None:
    monkeypatch.setattr(bandwidth, "SPREAD", 200)
    rng = np.random.default_rng(1)
    x, clusters = rng.normal(size=(900, 3)), rng.integers(0, 4, 900)
    exact = pure_radius(x, np.arange(900), clusters, 0.5)
    sampled = pure_radius(x, np.arange(900), clusters, 0.5, most=899)
    assert sampled != exact
    assert pure_share(x, clusters, sampled) == pytest.approx(0.5, abs=0.1)
