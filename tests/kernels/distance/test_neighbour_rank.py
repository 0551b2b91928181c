"""Distances to the neighbour of a rank are those of a sort, with any sizes."""

from typing import Any

import numpy as np
import pytest

from nextlabel.core.space.embedding import Embedding
from nextlabel.kernels.distance import neighbour_rank
from nextlabel.kernels.distance.exact import Metric
from nextlabel.kernels.distance.neighbour_rank import RankTuning, squared_distances_at_rank

WAYS = [RankTuning(), RankTuning(4000, 32), RankTuning(1, 100)]


def literal(metric: Metric, ids: np.ndarray, measured: np.ndarray, rank: int) -> np.ndarray:
    """Return the squared distances by a sort of each row."""
    rows = [metric.squared_distances(ids, metric.row(int(ids[at]))) for at in measured]
    return np.sort(rows, axis=1)[:, rank]


def test_all_ways_give_the_literal_distance(hard_set: Any) -> None:
    metric = Metric(Embedding.of(hard_set.features))
    ids = np.flatnonzero(np.arange(metric.size) % 7)
    measured = np.arange(0, len(ids), 5)
    for rank in (0, 1, len(ids) // 50 + 1, len(ids) // 2, len(ids) - 1):
        wanted = literal(metric, ids, measured, rank)
        for tuning in WAYS:
            found = squared_distances_at_rank(metric, ids, measured, rank, tuning)
            np.testing.assert_allclose(found, wanted, rtol=1e-12)


@pytest.fixture
def whole_rows(monkeypatch: Any) -> list[int]:
    """Count the rows that are measured whole."""
    counted: list[int] = []
    whole = neighbour_rank._in_whole_rows

    def count(distances: Any, positions: Any, rank: int) -> Any:
        counted.append(len(positions))
        return whole(distances, positions, rank)

    monkeypatch.setattr(neighbour_rank, "_in_whole_rows", count)
    return counted


def test_limits_of_a_sample_serve_nearly_all_rows(whole_rows: list[int]) -> None:
    metric = Metric(Embedding.of(np.random.default_rng(0).normal(size=(5000, 8))))
    ids, measured = np.arange(5000), np.arange(0, 5000, 10)
    found = squared_distances_at_rank(metric, ids, measured, 100, RankTuning(columns=1000))
    np.testing.assert_array_equal(found, literal(metric, ids, measured, 100))
    assert sum(whole_rows) <= 5


def test_a_sample_that_misleads_costs_time_alone(whole_rows: list[int]) -> None:
    rng = np.random.default_rng(0)
    x, sample = rng.normal(size=(1000, 4)), np.linspace(0, 999, 100).astype(np.int64)
    x[sample] += 100  # far from the others
    metric, ids = Metric(Embedding.of(x)), np.arange(1000)
    measured = np.setdiff1d(ids, sample)[::10]
    found = squared_distances_at_rank(metric, ids, measured, 500, RankTuning(columns=100))
    np.testing.assert_array_equal(found, literal(metric, ids, measured, 500))
    assert sum(whole_rows) == len(measured)


def test_clusters_far_smaller_than_float32_tells_apart_are_measured_directly() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 3, (900, 1)) * 50.1 + 1e-5 * rng.normal(size=(900, 3))
    metric, ids, measured = Metric(Embedding.of(x)), np.arange(900), np.arange(0, 900, 30)
    for rank in (1, 3, 250):
        found = squared_distances_at_rank(metric, ids, measured, rank)
        np.testing.assert_allclose(found, literal(metric, ids, measured, rank), rtol=1e-12)


def test_rows_of_many_equal_distances_are_measured_whole(whole_rows: list[int]) -> None:
    x = np.random.default_rng(0).integers(0, 2, (3000, 3))
    metric, ids, measured = Metric(Embedding.of(x)), np.arange(3000), np.arange(0, 3000, 50)
    found = squared_distances_at_rank(metric, ids, measured, 700, RankTuning(columns=500))
    np.testing.assert_array_equal(found, literal(metric, ids, measured, 700))
    assert sum(whole_rows) >= 60
