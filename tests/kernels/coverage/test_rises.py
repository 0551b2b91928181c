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
            some = rises(kernel, rows, rows, seen, weight, covered)
            slack = kernel.vanishing * weight.sum() + 1e-12 * truth + 1e-300
            assert (np.abs(some.sum - truth) <= some.error(kernel) + slack).all()


def test_float32_is_used_where_it_is_fine_enough() -> None:
    metric = Metric(Embedding.of(np.random.default_rng(0).normal(size=(50, 20))))
    for width, single in ((5.0, True), (1e-3, False), (0.0, False)):
        fine, quick = kernels(metric, np.arange(50), width, 13, ShiftedRows(metric))
        assert quick.single is single
        assert single or quick is fine
