"""Tiles of distances are within their error, and what is decided on them is decided directly."""

from typing import Any

import numpy as np
import pytest

from nextlabel.core.space.embedding import Embedding
from nextlabel.kernels.coverage.gaussian_kernel import GaussianKernel, gaussian
from nextlabel.kernels.distance.exact import Metric
from nextlabel.kernels.distance.products import FloatType
from nextlabel.kernels.distance.tiles import Distances, nearest_squared_distances


def direct(metric: Metric, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.array([metric.squared_distances(second, metric.row(int(i))) for i in first])


@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_tiles_are_within_their_error(hard_set: Any, precision: FloatType) -> None:
    metric = Metric(Embedding.of(hard_set.features[-60:]))
    ids = np.arange(metric.size)
    measured = Distances(metric, ids, precision)
    truth = direct(metric, ids, ids)
    bound = measured.error(measured.squared_norms[:, None], measured.squared_norms)
    for first, second, differ in measured.upper_triangle(len(ids)):
        off = np.abs(measured.tile(first, second).astype(np.float64) - truth)
        assert not differ
        assert (off <= bound).all()


def test_the_nearest_is_measured_directly(hard_set: Any) -> None:
    metric = Metric(Embedding.of(hard_set.features[-60:]))
    ids = np.arange(metric.size)
    found = nearest_squared_distances(Distances(metric, ids, tile_rows=16), ids[:35], ids[35:])
    np.testing.assert_array_equal(found, direct(metric, ids[:35], ids[35:]).min(axis=1))
    assert np.isinf(nearest_squared_distances(Distances(metric, ids), ids[:3], ids[:0])).all()


def test_the_nearest_is_right_where_products_are_wrong() -> None:
    rng = np.random.default_rng(0)
    x = np.where(np.arange(60) % 2, 1e4, -1e4)[:, None] + 1e-4 * rng.normal(size=(60, 8))
    measured = Distances(Metric(Embedding.of(x)), np.arange(60))
    truth = direct(measured.metric, np.arange(30), np.arange(30, 60))
    tile = measured.tile(measured.rows_at(np.arange(30)), measured.rows_at(np.arange(30, 60)))
    assert (tile.argmin(axis=1) != truth.argmin(axis=1)).any()
    found = nearest_squared_distances(measured, np.arange(30), np.arange(30, 60))
    np.testing.assert_array_equal(found, truth.min(axis=1))


def test_kernel_values_are_within_their_doubt(hard_set: Any) -> None:
    metric = Metric(Embedding.of(hard_set.features[-60:]))
    ids = np.arange(metric.size)
    truth = direct(metric, ids, ids)
    for width in (float(np.median(truth)), float(np.median(truth)) / 1e4, 0.0):
        kernel = GaussianKernel(Distances(metric, ids), width)
        rows = next(kernel.distances.each_rows_at())
        exponents = kernel.exponents(rows, rows)
        exact = gaussian(truth, width)
        near = exponents >= kernel.least(np.array(np.inf))
        assert near[exact > 0].all()
        # Beyond e^-700 the kernel is 0 by definition, and products need not be right.
        off = np.abs(kernel.values(exponents) - exact)[near]
        assert (off <= 2 * kernel.doubt * exact[near] + 1e-300).all()


def test_the_kernel() -> None:
    squared = np.array([0.0, 1, 4, 1e6, np.inf])
    expected = [1, np.exp(-0.25), np.exp(-1), 0, 0]
    np.testing.assert_allclose(gaussian(squared, 4.0), expected, rtol=1e-15)
    assert gaussian(squared, 0.0).tolist() == [1, 0, 0, 0, 0]


@pytest.mark.parametrize("factors", [(1.0, 0.5), (1e-3, 1e3), (1e20, 3e19), (0.0, 2.0)])
def test_the_unit_turns_distances_into_the_metric_s(factors: tuple[float, float]) -> None:
    rng = np.random.default_rng(0)
    blocks = rng.normal(size=(9, 3)), 1e30 * rng.normal(size=(9, 2))
    for space in (
        Embedding(tuple(zip(blocks, factors, strict=True))),
        Embedding(((blocks[1], factors[1]),)),
    ):
        metric, joined = Metric(space), space.concatenate()
        expected = np.linalg.norm(joined[4] - joined[7]) * metric.distance_unit
        found = np.sqrt(metric.pair_distances(np.array([4]), np.array([7])))[0]
        assert found == pytest.approx(expected, rel=1e-12)
