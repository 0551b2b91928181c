"""Cluster-Margin against its paper's steps, worked by hand."""

import numpy as np
import pytest

from nextlabel import Embedding, Pool, Snapshot
from nextlabel.core.errors import UsageError
from nextlabel.kernels import average_linkage as linkage
from nextlabel.kernels.distance.exact import Metric
from nextlabel.strategies import create
from nextlabel.strategies.cluster_margin import ClusterMargin, round_robin
from refusals import refused

RNG = np.random.default_rng
X = np.array([[0.0], [0.1], [0.2], [5.0], [5.1], [9.0]])


def literally(x: np.ndarray, count: int) -> list[set[int]]:
    """Merge the two clusters of the least mean distance until `count` are left."""
    clusters = [{i} for i in range(len(x))]
    while len(clusters) > count:
        gaps = {
            (a, b): np.mean([np.linalg.norm(x[i] - x[j]) for i in clusters[a] for j in clusters[b]])
            for b in range(len(clusters))
            for a in range(b)
        }
        a, b = min(gaps, key=lambda pair: gaps[pair])
        clusters[a] |= clusters.pop(b)
    return clusters


@pytest.mark.parametrize("count", [1, 2, 5, 11, 29, 30])
def test_the_nearest_clusters_merge_first(count: int) -> None:
    x = RNG(count).normal(size=(30, 3))
    found = linkage.average_linkage(Metric(Embedding.of(x)), np.arange(30), count)
    groups = [set(np.flatnonzero(found == name).tolist()) for name in np.unique(found)]
    assert sorted(map(sorted, groups)) == sorted(map(sorted, literally(x, count)))


def test_too_many_images_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linkage, "MOST", 5)
    with refused(UsageError, "too-many-images"):
        linkage.average_linkage(Metric(Embedding.of(X)), np.arange(6), 3)


def test_each_cluster_gives_one_in_turn_the_smallest_first() -> None:
    clusters = np.array([0, 0, 0, 1, 1, 2])
    for seed in range(5):
        picks = round_robin(clusters, 6, RNG(seed))
        assert clusters[picks].tolist() == [2, 1, 0, 1, 0, 0]
        assert sorted(picks.tolist()) == list(range(6))
    firsts = {int(round_robin(clusters, 3, RNG(seed))[2]) for seed in range(30)}
    assert firsts == {0, 1, 2}  # random within a cluster


def test_candidates_are_those_of_least_margin() -> None:
    """Of three clusters {0, 1, 2}, {3, 4}, {5}; 5 is sure, so the turn is {3, 4}, {0, 1, 2}."""
    margins = np.array([0.1, 0.2, 0.9, 0.3, 0.8, 0.95])
    p = np.stack([(1 + margins) / 2, (1 - margins) / 2], axis=1)
    snapshot = Snapshot(Pool(6), features=Embedding.of(X), probabilities=p)
    strategy = ClusterMargin(oversampling=1.5, cluster_size=2)
    for seed in range(9):
        first, second = strategy.select(snapshot, 2, RNG(seed)).tolist()
        assert first == 3
        assert second in (0, 1)
    assert strategy.select(snapshot, 6, RNG(0))[0] == 5


def test_options_are_checked() -> None:
    for option in ("oversampling", "cluster_size"):
        for value in (0.9, np.inf, True, "2"):
            with refused(UsageError, "option-out-of-range"):
                create("cluster_margin", {option: value})
    assert create("cluster_margin", {"oversampling": np.float32(10)}).oversampling == 10


def test_the_largest_oversampling_has_all_images_as_candidates() -> None:
    p = np.full((6, 2), 0.5)
    snapshot = Snapshot(Pool(6), features=Embedding.of(X), probabilities=p)
    picks = [
        create("cluster_margin", {"oversampling": value}).select(snapshot, 3, RNG(1)).tolist()
        for value in (2.0, 1.7e308)
    ]
    assert picks[0] == picks[1]
