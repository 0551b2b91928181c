"""BADGE against gradients that are really formed."""

import numpy as np
import pytest

from nextlabel.kernels.gradient_embedding import badge, residuals


def case(seed, n=40, d=5, k=4):
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(k), n)
    return rng.normal(size=(n, d)), residuals(probabilities)


def literally(features, factors, budget, rng):
    """k-means++ on the gradients themselves."""
    gradients = np.einsum("ck,cd->ckd", factors, features).reshape(len(features), -1)
    chosen = [int((gradients**2).sum(axis=1).argmax())]
    while len(chosen) < budget:
        gaps = gradients[:, None] - gradients[chosen][None]
        nearest = (gaps**2).sum(axis=2).min(axis=1)
        nearest[chosen] = 0
        chosen.append(int(rng.choice(len(features), p=nearest / nearest.sum())))
    return chosen


def test_residuals_by_hand():
    assert np.allclose(
        residuals([[0.2, 0.7, 0.1], [0.5, 0.5, 0]]), [[0.2, -0.3, 0.1], [-0.5, 0.5, 0]]
    )


@pytest.mark.parametrize("seed", range(10))
def test_picks_are_those_of_the_gradients(seed):
    features, factors = case(seed)
    mine = badge(features, factors, 12, np.random.default_rng(seed))
    assert mine.tolist() == literally(features, factors, 12, np.random.default_rng(seed))


def test_copies_come_only_when_nothing_else_is_left():
    features, factors = case(0, n=6)
    rows = np.repeat(np.arange(6), 3)
    chosen = badge(features[rows], factors[rows], 18, np.random.default_rng(1))
    assert sorted(rows[chosen[:6]].tolist()) == list(range(6))
    assert sorted(chosen.tolist()) == list(range(18))


def test_sure_predictions_have_no_gradient_and_are_taken_in_order():
    factors = residuals([[1, 0]] * 5)
    assert badge(np.ones((5, 2)), factors, 3, np.random.default_rng(0)).tolist() == [0, 1, 2]
