"""Typicality and k-means."""

from typing import Any

import numpy as np
import pytest

from nextlabel.core.space.embedding import Embedding
from nextlabel.kernels import typicality
from nextlabel.kernels.distance.exact import Metric
from nextlabel.kernels.distance.tiles import Distances
from nextlabel.kernels.k_means import k_means
from nextlabel.kernels.typicality import mean_neighbour_distances, most_typical


def means(x: Any, positions: np.ndarray, neighbours: int, spare: int = 8) -> np.ndarray:
    distances = Distances(Metric(Embedding.of(x)), np.arange(len(x)), tile_rows=23)
    return mean_neighbour_distances(distances, positions, neighbours, spare=spare)


def plain(x: Any, positions: np.ndarray, neighbours: int) -> np.ndarray:
    metric, found = Metric(Embedding.of(x)), []
    for position in positions:
        others = positions[positions != position]
        squared = metric.squared_distances(others, metric.row(int(position)))
        found.append(np.sqrt(np.sort(squared)[:neighbours]).sum() / min(neighbours, len(others)))
    return np.array(found)


@pytest.mark.parametrize("spare", [0, 8])
def test_mean_distances_are_direct_on_hard_sets(hard_set: Any, spare: int) -> None:
    x = hard_set.features[:60]
    positions = np.arange(0, 60, 2) if len(x) == 60 else np.arange(len(x))
    for neighbours in (1, 4, 100):
        found = means(x, positions, neighbours, spare)
        # The very same numbers: what ties in exact arithmetic must tie here.
        np.testing.assert_array_equal(found, plain(x, positions, neighbours))


def both_precisions(x: Any) -> tuple[Distances, Distances]:
    metric, ids = Metric(Embedding.of(x)), np.arange(len(x))
    return Distances(metric, ids, np.float32, tile_rows=23), Distances(metric, ids, tile_rows=23)


def test_the_most_typical_is_the_first_with_the_smallest_mean_on_hard_sets(hard_set: Any) -> None:
    x = hard_set.features[:60]
    positions, precisions = np.arange(1 if len(x) > 1 else 0, len(x)), both_precisions(x)
    for neighbours in (1, 4, 100):
        expected = plain(x, positions, neighbours)
        every = np.arange(len(positions))
        for candidates in (every, every[::3], every[-1:]):
            best = most_typical(precisions, positions, neighbours, candidates)
            assert best == candidates[expected[candidates].argmin()]
            np.testing.assert_array_equal(
                mean_neighbour_distances(precisions[1], positions, neighbours, candidates),
                expected[candidates],
            )


def test_the_most_typical_is_that_of_all_blocks() -> None:
    rng = np.random.default_rng(3)
    blocks = rng.normal(size=(90, 4)).astype(np.float32), rng.normal(size=(90, 2))
    space, positions = Embedding(((blocks[0], 0.3), (blocks[1], 2.0))), np.arange(5, 90, 2)
    expected = plain(space, positions, 6)
    every = np.arange(len(positions))
    assert most_typical(both_precisions(space), positions, 6, every) == expected.argmin()
    alone = plain(blocks[0], positions, 6)
    assert alone.argmin() != expected.argmin()


def test_the_most_typical_is_found_where_float32_cannot_tell(monkeypatch: Any) -> None:
    """Two clouds far apart: within one, distances are below the rounding of float32."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 3))
    x[:40] = 1e3 + 1e-2 * x[:40]
    positions, precisions = np.arange(40), both_precisions(x)
    expected, measured = plain(x, positions, 5), list[int]()

    def counted(*given: Any) -> Any:
        measured.append(len(given[3]))
        return mean_neighbour_distances(*given)

    monkeypatch.setattr(typicality, "mean_neighbour_distances", counted)
    assert most_typical(precisions, positions, 5, positions) == expected.argmin()
    assert measured == []  # float64 leaves one
    assert most_typical(precisions[:1], positions, 5, positions) == expected.argmin()
    assert measured == [40]  # float32 leaves all


def test_one_alone_has_no_neighbours() -> None:
    assert means(np.eye(3), np.array([2]), 20).tolist() == [0]
    assert most_typical(both_precisions(np.eye(3)), np.array([2]), 20, np.array([0])) == 0


def test_means_find_separate_clouds_in_a_space_of_blocks() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, 200)
    x = (1e4 + 40 * np.eye(4)[truth] + rng.normal(size=(200, 4))).astype(np.float32)
    space = Embedding(((x, 1.0), (rng.normal(size=(200, 2)), 0.1)))
    found = k_means(Metric(space), np.arange(200), 4, np.random.default_rng(1))
    assert found.dtype == np.int64
    assert len({*zip(found.tolist(), truth.tolist(), strict=True)}) == 4


@pytest.mark.parametrize("count", [20, 80])
def test_means_come_from_their_generator_alone(count: int) -> None:
    x, ids = np.random.default_rng(2).normal(size=(300, 5)), np.arange(10, 300)
    first = k_means(Metric(Embedding.of(x)), ids, count, np.random.default_rng(0))
    again = k_means(Metric(Embedding.of(x)), ids, count, np.random.default_rng(0))
    other = k_means(Metric(Embedding.of(x)), ids, count, np.random.default_rng(1))
    np.testing.assert_array_equal(first, again)
    assert first.shape == (290,)
    assert first.tolist() != other.tolist()
    assert 0 <= first.min() <= first.max() < count


def test_copies_share_a_cluster_and_fewer_rows_than_clusters_are_no_fault() -> None:
    x = np.repeat(np.arange(5.0)[:, None], 6, axis=0)
    with pytest.warns(UserWarning) as seen:
        import warnings

        warnings.warn("the only one", stacklevel=1)
        found = k_means(Metric(Embedding.of(x)), np.arange(30), 8, np.random.default_rng(0))
    assert len(seen) == 1
    assert all(len(set(found[i : i + 6])) == 1 for i in range(0, 30, 6))
    few = k_means(Metric(Embedding.of(x)), np.arange(4), 8, np.random.default_rng(0))
    assert few.tolist() == [0, 1, 2, 3]
