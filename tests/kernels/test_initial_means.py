"""The first means of k-means are those of scikit-learn, draw by draw."""

import numpy as np
import pytest
from sklearn.cluster import kmeans_plusplus

from nextlabel.kernels.initial_means import initial_means


def clouds(rng: np.random.Generator, spread: float) -> np.ndarray:
    return rng.normal(size=(12, 6))[rng.integers(0, 12, 600)] * spread + rng.normal(size=(600, 6))


@pytest.mark.parametrize("precision", [np.float32, np.float64])
@pytest.mark.parametrize("spread", [0.0, 2.0, 30.0])  # all rows, some, and few are measured
def test_means_are_those_of_scikit_learn(precision: type, spread: float) -> None:
    for seed in range(4):
        x = clouds(np.random.default_rng(seed), spread).astype(precision)
        means = initial_means(x, 60, np.random.RandomState(seed))
        expected, _ = kmeans_plusplus(x, 60, random_state=seed)
        np.testing.assert_array_equal(means, expected)


def test_rows_that_repeat_are_means_again_only_when_no_other_is_left() -> None:
    x = np.repeat(np.arange(5.0)[:, None], 4, axis=0) + 1e6
    means = initial_means(x, 7, np.random.RandomState(0))
    assert sorted(set(means[:5, 0] - 1e6)) == [0, 1, 2, 3, 4]
    assert means.shape == (7, 1)
