"""Strategies against those of scikit-activeml, in an environment that has it.

The extra `bench` installs it: pip install -e ".[dev,bench]" -c constraints.txt.
"""

from typing import Any

import numpy as np
import pytest

from nextlabel import Embedding, Pool, Snapshot
from nextlabel.kernels.gradient_embedding import badge, residuals
from nextlabel.kernels.posterior.information import bald
from nextlabel.strategies import create

peers: Any = pytest.importorskip("skactiveml.pool")
RNG = np.random.default_rng
LABELLED = np.array([3, 11, 20])


def classifier(predictions: list[np.ndarray]) -> Any:
    """Return a classifier of theirs that gives these probabilities (n, K), one table per call."""
    from skactiveml.base import SkactivemlClassifier

    class Given(SkactivemlClassifier):
        def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
            return self

        def predict_proba(self, X: Any) -> np.ndarray:
            return predictions.pop(0) if len(predictions) > 1 else predictions[0]

        def predict(self, X: Any) -> np.ndarray:
            return self.predict_proba(X).argmax(axis=1)

    return Given()


def labels(size: int) -> np.ndarray:
    from skactiveml.utils import MISSING_LABEL

    y = np.full(size, MISSING_LABEL)
    y[LABELLED] = 0
    return y


class Replayed:
    """A generator that draws what another one drew, and keeps the probabilities it was given."""

    def __init__(self, draws: list[int]) -> None:
        self.draws, self.asked = draws, list[np.ndarray]()

    def choice(self, size: int, p: np.ndarray) -> int:
        self.asked.append(p)
        return self.draws.pop(0)


@pytest.mark.parametrize("seed", range(4))
def test_badge_draws_with_the_same_probabilities_but_for_their_centre_at_the_origin(
    seed: int,
) -> None:
    rng = RNG(seed)
    x, p = rng.normal(size=(40, 4)), rng.dirichlet(np.ones(3), 40)
    free = np.setdiff1d(np.arange(40), LABELLED)
    picks, utilities = peers.Badge(random_state=seed).query(
        x, labels(40), classifier([p[free]]), fit_clf=False, batch_size=6, return_utilities=True
    )
    theirs = np.searchsorted(free, picks).tolist()
    replayed = Replayed(theirs[1:])
    ours = badge(x[free], residuals(p[free]), 6, replayed)  # type: ignore[arg-type]
    assert ours.tolist() == theirs
    g = (residuals(p[free])[:, :, None] * x[free][:, None]).reshape(len(free), -1)
    nearest = np.full(len(free), np.inf)
    for pick, asked, utility in zip(theirs, replayed.asked, utilities[1:, free], strict=False):
        nearest = np.minimum(nearest, np.square(g - g[pick]).sum(axis=1))
        np.testing.assert_allclose(asked, nearest / nearest.sum(), atol=1e-12)
        # The authors' code has no centre before the first pick; theirs has one at 0.
        of_theirs = np.minimum(nearest, np.square(g).sum(axis=1))
        np.testing.assert_allclose(np.nan_to_num(utility), of_theirs / of_theirs.sum(), atol=1e-9)


def test_bald_is_their_utility() -> None:
    from skactiveml.pool import batch_bald

    samples = RNG(1).dirichlet(np.ones(4), (30, 7))
    theirs = batch_bald(samples.transpose(1, 0, 2).copy(), batch_size=1)
    theirs = np.asarray(theirs[1] if isinstance(theirs, tuple) else theirs)[0]
    np.testing.assert_allclose(bald(samples), theirs, atol=1e-6)  # they clip at 1e-7


@pytest.mark.parametrize("seed", range(8))
def test_max_herding_picks_the_same_up_to_the_first_tie(seed: int) -> None:
    """Two images that have each other as the only neighbour tie, and theirs draws one."""
    x = RNG(seed).normal(size=(40, 3))
    gamma = {"gamma": 1 / 2.0**2}
    strategy = peers.MaxHerding(normalize_samples=False, metric_dict=gamma, random_state=0)
    theirs, utilities = strategy.query(x, labels(40), batch_size=10, return_utilities=True)
    view = Snapshot(Pool(40, LABELLED), features=Embedding.of(x))
    ours = create("max_herding", {"bandwidth": 2.0}).select(view, 10, RNG(0))
    differing = np.flatnonzero(ours != theirs)
    if len(differing):
        step = differing[0]
        assert utilities[step, ours[step]] == pytest.approx(np.nanmax(utilities[step]), rel=1e-12)
        assert step > 2
    assert set(ours[:3]) == set(theirs[:3])


def test_drop_query_takes_the_same_images_of_clear_clusters() -> None:
    rng = RNG(0)
    x = np.repeat([[0.0, 0], [50, 0], [0, 50], [50, 50]], 10, axis=0) + rng.normal(size=(40, 2))
    whole = np.tile([0.9, 0.1], (40, 1))
    passes = np.tile(whole[:, None], (1, 3, 1))
    passes[:30, :2] = [0.1, 0.9]  # the last cluster never changes
    free = np.setdiff1d(np.arange(40), LABELLED)
    given = classifier([whole[free], *(passes[free, s] for s in range(3))])
    strategy = peers.DropQuery(
        n_dropout_samples=3, cluster_algo_dict={"n_init": 10, "random_state": 0}, random_state=0
    )
    theirs = strategy.query(x, labels(40), given, fit_clf=False, batch_size=3)
    view = Snapshot(
        Pool(40, LABELLED),
        features=Embedding.of(x),
        probabilities=whole,
        signals={"dropped": passes},
    )
    ours = create("drop_query").select(view, 3, rng)
    assert sorted(ours.tolist()) == sorted(np.asarray(theirs).tolist())
    assert ours.max() < 30
