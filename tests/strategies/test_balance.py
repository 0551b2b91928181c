"""Draws that make groups equal: balanced random, and the oracle's ceiling."""

import numpy as np
import pytest

from nextlabel import Embedding, Pool, Snapshot, select
from nextlabel.core.errors import UsageError
from nextlabel.kernels.even_draws import even_draws
from nextlabel.strategies import create
from refusals import refused

RNG = np.random.default_rng


def test_draws_make_the_groups_equal_with_what_was_drawn_before() -> None:
    groups = np.repeat([7, 3, 9], [10, 20, 30])
    free = np.ones(60, bool)
    free[:4] = False  # four of group 7
    drawn = even_draws(groups, free, 11, RNG(0))
    assert len(set(drawn.tolist())) == 11
    assert free[drawn].all()
    total = {g: int((groups[drawn] == g).sum() + (groups[~free] == g).sum()) for g in (3, 7, 9)}
    assert total == {3: 5, 7: 5, 9: 5}
    assert set(groups[drawn[:8]].tolist()) == {3, 9}  # the others first


def test_an_empty_group_is_passed_over() -> None:
    drawn = even_draws(np.array([0, 0, 1, 1, 1]), np.array([1, 0, 1, 1, 1], bool), 4, RNG(1))
    assert sorted(drawn.tolist()) == [0, 2, 3, 4]


def test_each_image_of_a_group_is_equally_likely() -> None:
    counts = np.zeros(6)
    for seed in range(2000):
        counts[even_draws(np.array([0, 0, 1, 1, 1, 1]), np.ones(6, bool), 2, RNG(seed))] += 1
    assert counts / 2000 == pytest.approx([0.5, 0.5, 0.25, 0.25, 0.25, 0.25], abs=0.04)


def test_balanced_random_draws_from_the_clusters() -> None:
    x = np.concatenate([RNG(0).normal(size=(size, 2)) + 100 * i for i, size in ((0, 50), (1, 10))])
    snapshot = Snapshot(Pool(60, np.array([0, 1, 2])), features=Embedding.of(x))
    picks = create("balanced_random", {"clusters": 2}).select(snapshot, 9, RNG(3))
    assert (picks >= 50).sum() == 6
    again = create("balanced_random", {"clusters": 2}).select(snapshot, 9, RNG(4))
    assert picks.tolist() != again.tolist()


def test_the_oracle_draws_by_true_class_and_only_in_a_simulation() -> None:
    labels = np.repeat([0, 1, 2], [40, 6, 14])
    pool = Pool(60, np.array([0, 1, 2]), np.array([45]))
    picks = create("oracle_balanced").select(
        Snapshot(pool, signals={"true_labels": labels}), 12, RNG(0)
    )
    assert np.bincount(labels[picks]).tolist() == [2, 5, 5]
    assert 45 not in picks
    for signals in (None, {"true_labels": labels}):
        with refused(UsageError, "simulation-only"):
            select(np.ones((60, 2)), 3, strategy="oracle_balanced", signals=signals)
