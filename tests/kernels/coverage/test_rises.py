"""Rises in coverage by tiles are within their error, in float32 and in float64."""

from typing import Any

import numpy as np
import pytest

from nextlabel.core.space.embedding import Embedding
from nextlabel.kernels.coverage.gaussian_kernel import gaussian, kernels
from nextlabel.kernels.coverage.rises import rises
from nextlabel.kernels.distance.exact import Metric
from nextlabel.kernels.distance.products import ShiftedRows


@pytest.mark.parametrize("share", [0.02, 1.0, 30.0])
def test_rises_are_within_their_error(hard_set: Any, share: float) -> None:
    metric = Metric(Embedding.of(hard_set.features[-60:]))
    ids = np.arange(metric.size)
    squared = np.array([metric.squared_distances(ids, metric.row(i)) for i in ids])
    width = share * float(np.median(squared))
    k = gaussian(squared, width)
    seen = squared[:, -2:].min(axis=1)
    low, high = gaussian(seen, width), np.maximum(gaussian(seen, width), k[:, 0])
    weight = np.random.default_rng(0).uniform(size=len(ids)) ** 3
    for kernel in kernels(metric, ids, width, len(ids), ShiftedRows(metric)):
        rows = kernel.distances.rows_at(ids)
        for covered, top in ((None, np.inf), (high, high)):
            truth = (np.clip(k, low, top) - low) @ weight
            tile = kernel.tile(rows, rows)
            for each in (tile, tile.transposed()):
                some = rises(kernel, each, kernel.least(seen), low, weight, covered)
                slack = kernel.vanishing * weight.sum() + 1e-12 * truth + 1e-300
                assert (np.abs(some.sum - truth) <= some.error(kernel) + slack).all()


def test_a_transposed_tile_has_rows_and_columns_exchanged() -> None:
    x = np.random.default_rng(0).normal(size=(20, 3))
    metric, ids = Metric(Embedding.of(x)), np.arange(20)
    first, second, low = ids[:13], ids[13:], np.full(20, 0.1)
    for kernel in kernels(metric, ids, 2.0, 13, ShiftedRows(metric)):
        tile = kernel.tile(kernel.distances.rows_at(first), kernel.distances.rows_at(second))
        for least in (-np.inf, -1.0):  # dense, and not
            pairs: list[tuple[int, int]] = []

            def keep(i: np.ndarray, j: np.ndarray, exponents: np.ndarray) -> None:
                squared = metric.pair_distances(second[i], first[j])
                np.testing.assert_allclose(exponents, -squared / 2.0, rtol=1e-4)
                pairs.extend(zip(i.tolist(), j.tolist(), strict=True))  # noqa: B023

            turned = tile.transposed()
            floor = np.full(len(first), least, kernel.distances.precision)
            rises(kernel, turned, floor, low[first], np.ones(len(first)), near=keep)
            squared = metric.pair_distances(np.repeat(second, 13), np.tile(first, 7))
            nearer = (-squared / 2.0 >= least).reshape(7, 13)
            assert sorted(pairs) == sorted(zip(*np.nonzero(nearer), strict=True))


def test_float32_is_used_where_it_is_fine_enough() -> None:
    metric = Metric(Embedding.of(np.random.default_rng(0).normal(size=(50, 20))))
    for width, single in ((5.0, True), (1e-3, False), (0.0, False)):
        fine, quick = kernels(metric, np.arange(50), width, 13, ShiftedRows(metric))
        assert quick.single is single
        assert single or quick is fine
