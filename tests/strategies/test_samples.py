"""BALD, EPIG and DropQuery as strategies."""

import tracemalloc

import numpy as np
import pytest

from nextlabel import Embedding, Pool, Snapshot
from nextlabel.core.errors import UsageError
from nextlabel.kernels.posterior import information
from nextlabel.kernels.posterior.information import bald, epig
from nextlabel.strategies import create
from nextlabel.strategies.drop_query import changed
from refusals import refused

RNG = np.random.default_rng
POOL = Pool(30, np.array([2, 9]), np.array([4]))


def snapshot(samples: np.ndarray, pool: Pool = POOL) -> Snapshot:
    return Snapshot(pool, signals={"samples": samples})


def test_bald_ranks_the_unlabelled() -> None:
    samples = RNG(0).dirichlet(np.ones(3), (30, 6))
    scores = bald(samples)
    free = POOL.unlabelled
    wanted = free[np.argsort(-scores[free], kind="stable")[:8]]
    assert create("bald").select(snapshot(samples), 8, RNG(0)).tolist() == wanted.tolist()


def test_epig_has_targets_of_the_pool_that_are_not_excluded() -> None:
    samples = RNG(0).dirichlet(np.ones(3), (30, 6))
    free, targets = POOL.unlabelled, np.setdiff1d(np.arange(30), [4])
    scores = epig(samples, samples[targets])
    wanted = free[np.argsort(-scores[free], kind="stable")[:8]]
    strategy = create("epig", {"targets": 29})
    assert strategy.select(snapshot(samples), 8, RNG(0)).tolist() == wanted.tolist()
    few = create("epig", {"targets": np.int64(3)})
    ways = {tuple(few.select(snapshot(samples), 8, RNG(seed)).tolist()) for seed in range(5)}
    assert len(ways) > 1
    with refused(UsageError, "option-not-whole"):
        create("epig", {"targets": 0})


@pytest.mark.parametrize("name", ["bald", "epig"])
def test_rounding_is_no_information(name: str) -> None:
    """Every sample predicts the same, so no label tells anything, and the smallest ids follow."""
    one = RNG(1).dirichlet(np.ones(4), (40, 1))
    view = snapshot(np.repeat(one, 7, axis=1), Pool(40, np.array([1])))
    strategy = create(name, {"targets": 40} if name == "epig" else {})
    assert strategy.scores(view, np.arange(40), RNG(0)).max() < 1e-12
    assert strategy.select(view, 6, RNG(0)).tolist() == [0, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("name", ["bald", "epig"])
def test_samples_are_not_copied(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(information, "VALUES", 2**10)
    size = 8000
    few = RNG(0).dirichlet(np.ones(4), (10, 16)).astype(np.float32)
    view = snapshot(few[np.arange(size) % 10], Pool(size, np.arange(9)))
    strategy = create(name, {"targets": 5} if name == "epig" else {})
    tracemalloc.start()
    strategy.select(view, 3, RNG(0))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < view.require("samples").nbytes / 2


def test_changes_by_hand() -> None:
    p = np.array([[0.6, 0.4], [0.6, 0.4], [0.5, 0.5]])
    passes = np.array(
        [[[0.4, 0.6], [0.9, 0.1]], [[0.4, 0.6], [0.1, 0.9]], [[0.5, 0.5], [0.4, 0.6]]]
    )
    assert changed(p, passes, "multiclass").tolist() == [1, 2, 1]
    findings = np.array(
        [[[0.6, 0.6], [0.9, 0.1]], [[0.4, 0.4], [0.6, 0.4]], [[0.9, 0.9], [0.5, 1]]]
    )
    assert changed(p, findings, "multilabel").tolist() == [1, 1, 0]


def drop_case(changes: list[int]) -> Snapshot:
    """Return images on a line whose prediction changes in this number of three passes."""
    n = len(changes)
    margins = np.linspace(0.2, 0.9, n)
    p = np.stack([(1 + margins) / 2, (1 - margins) / 2], axis=1)
    passes = np.tile(np.array([0.9, 0.1]), (n, 3, 1))
    for i, count in enumerate(changes):
        passes[i, :count] = [0.1, 0.9]
    x = np.array([[0.0], [1], [2], [50], [51], [52.5], [7], [8]])[:n]
    return Snapshot(Pool(n), features=Embedding.of(x), probabilities=p, signals={"dropped": passes})


def test_drop_query_takes_the_candidate_nearest_each_centre() -> None:
    """0 to 5 change in two or three passes: two clusters, their middles 1 and 4."""
    picks = create("drop_query").select(drop_case([2, 3, 2, 3, 2, 2, 1, 0]), 2, RNG(0))
    assert sorted(picks.tolist()) == [1, 4]


def test_drop_query_fills_up_by_changes_and_margin() -> None:
    picks = create("drop_query").select(drop_case([0, 2, 1, 0, 1, 3, 0, 0]), 5, RNG(0))
    assert picks.tolist() == [1, 5, 2, 4, 0]
