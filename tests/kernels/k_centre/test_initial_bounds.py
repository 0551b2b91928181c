"""Initial bounds are never below the truth on any features, and near it where it matters."""

from typing import Any

import numpy as np
import pytest

from nextlabel.core.space.embedding import Embedding
from nextlabel.kernels.distance.exact import Metric
from nextlabel.kernels.distance.products import FloatType, ShiftedRows
from nextlabel.kernels.k_centre.centres import Centres
from nextlabel.kernels.k_centre.initial_bounds import initial_bounds
from nextlabel.kernels.k_centre.tuning import KCentreTuning


def bounds_and_truth(
    features: object, labelled: np.ndarray, precision: FloatType
) -> tuple[np.ndarray, np.ndarray]:
    metric = Metric(Embedding.of(features))
    centres = Centres(ShiftedRows(metric), precision, len(labelled))
    centres.add(labelled)
    truth = np.full(metric.size, np.inf)
    for image in labelled:
        squared = metric.squared_distances(np.arange(metric.size), metric.row(int(image)))
        truth = np.minimum(truth, squared)
    return initial_bounds(centres, lambda: None), truth


@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_no_bound_is_below_the_distance(hard_set: Any, precision: FloatType) -> None:
    if len(hard_set.labelled):
        bound, truth = bounds_and_truth(hard_set.features, hard_set.labelled, precision)
        assert (bound >= truth).all()
        assert np.isfinite(bound).all()


def test_bounds_are_near_the_truth() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(30, 64))[rng.integers(0, 30, 3000)] * 3 + rng.normal(size=(3000, 64))
    bound, truth = bounds_and_truth(x.astype(np.float32), np.arange(400), np.float32)
    assert np.median(bound[400:] / truth[400:]) < 1.1
    spaced = Embedding(((x[:, :40], 2.0), (x[:, 40:], 0.3)))
    bound, truth = bounds_and_truth(spaced, np.arange(400), np.float32)
    assert np.median(bound[400:] / truth[400:]) < 1.1


def test_one_centre_bounds_every_row_by_its_distance() -> None:
    x = np.random.default_rng(0).normal(size=(50, 40))
    bound, truth = bounds_and_truth(x, np.array([7]), np.float64)
    np.testing.assert_allclose(bound, truth, rtol=1e-9, atol=1e-9)


def test_centres_beyond_the_kept_ones_are_read_again() -> None:
    x = np.random.default_rng(0).normal(size=(50, 40)).astype(np.float32)
    shifted = ShiftedRows(Metric(Embedding.of(x)))
    plain = Centres(shifted, np.float32, 30)
    few = Centres(shifted, np.float32, 30, KCentreTuning(cached_bytes=160 * 10))
    for centres in (plain, few):
        centres.add(np.arange(8))
        centres.add(np.arange(20, 33))
    assert (plain.kept, few.kept) == (30, 10)
    for begin, end in ((0, 8), (5, 15), (12, 21)):
        np.testing.assert_array_equal(few.rows(begin, end)[0], plain.rows(begin, end)[0])
