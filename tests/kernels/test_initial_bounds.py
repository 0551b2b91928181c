"""First bounds are never below the truth, whatever the features, and near it where it matters."""

from typing import Any

import numpy as np
import pytest

from nextlabel.core.feature_space import Embedding
from nextlabel.kernels.distance.exact import Metric
from nextlabel.kernels.distance.products import Screen
from nextlabel.kernels.k_centre.bfloat16 import BfloatCentres
from nextlabel.kernels.k_centre.centres import Centres, NumpyCentres
from nextlabel.kernels.k_centre.initial_bounds import first_bounds


def single(screen: Screen, capacity: int) -> Centres:
    return NumpyCentres(screen, np.float32, capacity)


def double(screen: Screen, capacity: int) -> Centres:
    return NumpyCentres(screen, np.float64, capacity)


def short(screen: Screen, capacity: int) -> Centres:
    return BfloatCentres(screen, "cpu", capacity)


def bounds_and_truth(
    features: object, labelled: np.ndarray, kind: Any
) -> tuple[np.ndarray, np.ndarray]:
    metric = Metric(Embedding.of(features))
    centres = kind(Screen(metric), len(labelled))
    centres.add(labelled)
    truth = np.full(metric.size, np.inf)
    for row in labelled:
        own = metric.squared_distances(np.arange(metric.size), metric.centre(int(row)))
        truth = np.minimum(truth, own)
    return first_bounds(centres, lambda: None), truth


@pytest.mark.parametrize("kind", [single, double, short])
def test_no_bound_is_below_the_distance(hard_set: Any, kind: Any) -> None:
    if len(hard_set.labelled):
        bound, truth = bounds_and_truth(hard_set.features, hard_set.labelled, kind)
        assert (bound >= truth).all()
        assert np.isfinite(bound).all()


@pytest.mark.parametrize("kind", [single, short])
def test_bounds_are_near_the_truth(kind: Any) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(30, 64))[rng.integers(0, 30, 3000)] * 3 + rng.normal(size=(3000, 64))
    bound, truth = bounds_and_truth(x.astype(np.float32), np.arange(400), kind)
    assert np.median(bound[400:] / truth[400:]) < 1.1
    spaced = Embedding(((x[:, :40], 2.0), (x[:, 40:], 0.3)))
    bound, truth = bounds_and_truth(spaced, np.arange(400), kind)
    assert np.median(bound[400:] / truth[400:]) < 1.1


def test_one_centre_is_everyones_witness() -> None:
    x = np.random.default_rng(0).normal(size=(50, 40))
    bound, truth = bounds_and_truth(x, np.array([7]), double)
    np.testing.assert_allclose(bound, truth, rtol=1e-9, atol=1e-9)


def test_centres_beyond_what_is_kept_are_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    from nextlabel.kernels.k_centre import centres as module

    x = np.random.default_rng(0).normal(size=(50, 40)).astype(np.float32)
    plain = single(Screen(Metric(Embedding.of(x))), 30)
    monkeypatch.setattr(module, "CACHE", 160 * 10)
    few = single(plain.screen, 30)
    for own in (plain, few):
        own.add(np.arange(8))
        own.add(np.arange(20, 33))
    assert (plain.kept, few.kept) == (30, 10)
    for begin, end in ((0, 8), (5, 15), (12, 21)):
        np.testing.assert_array_equal(few.rows(begin, end)[0], plain.rows(begin, end)[0])
