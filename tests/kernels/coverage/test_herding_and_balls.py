"""The covering kernels give the ids of their plain definitions, on any features."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from nextlabel.core.carried import Carried
from nextlabel.core.errors import AlreadyLabelled, BudgetError, DataError
from nextlabel.core.space.embedding import Embedding
from nextlabel.kernels import reference
from nextlabel.kernels.coverage import ball_cover as balls
from nextlabel.kernels.coverage import covered_images, gains
from nextlabel.kernels.coverage.ball_cover import ball_cover
from nextlabel.kernels.coverage.bandwidth import neighbour_distance
from nextlabel.kernels.coverage.gaussian_kernel import GaussianKernel
from nextlabel.kernels.coverage.max_herding import max_herding
from nextlabel.kernels.coverage.tuning import HerdingTuning
from refusals import refused

pytestmark = pytest.mark.filterwarnings("ignore:the features of all", "error::RuntimeWarning")

IMAGES = 30
MATRICES = arrays.arrays(
    np.float64, st.tuples(st.integers(2, 12), st.integers(1, 3)), elements=st.floats(-1e6, 1e6)
)
GRIDS = arrays.arrays(
    np.int64, st.tuples(st.integers(2, 14), st.integers(1, 3)), elements=st.integers(-2, 2)
)


def few(hard_set: Any) -> tuple[np.ndarray, np.ndarray, int]:
    """Return the first rows of a hard set: the definitions are slow."""
    x = hard_set.features[-IMAGES:]
    labelled = hard_set.labelled[hard_set.labelled < len(x)]
    return x, labelled, min(hard_set.budget, 6, len(x) - len(labelled))


# The ways through the kernels: with few pairs, with many, from many to few.
WAYS = [
    (
        gains.HerdingTuning(pairs, 1, passes=0, delayed=delayed, tile_rows=13, wide_tiles=wide),
        balls.BallTuning(words, tile_rows=13),
    )
    for words, pairs, delayed, wide in (
        (2**24, 2**23, 0, 2),
        (-1, -1, 0.3, 2),
        (20, IMAGES**2 // 3, 1e-3, 1),
    )
]


def test_coverage_of_hard_sets(hard_set: Any) -> None:
    x, labelled, budget = few(hard_set)
    width = neighbour_distance(x, np.arange(len(x)))
    weights = np.random.default_rng(0).uniform(size=len(x)) ** 4
    plain = reference.max_herding(x, labelled, budget, width)
    weighted = reference.max_herding(x, labelled, budget, width / 4, weights)
    covers = [reference.ball_cover(x, labelled, budget, r) for r in (width, width / 4)]
    for herding, covering in WAYS:
        picks = max_herding(x, labelled, budget, width, tuning=herding)
        assert picks.dtype == np.int64
        np.testing.assert_array_equal(picks, plain)
        picks = max_herding(x, labelled, budget, width / 4, weights=weights, tuning=herding)
        np.testing.assert_array_equal(picks, weighted)
        for radius, truth in zip((width, width / 4), covers, strict=True):
            picks = ball_cover(x, labelled, budget, radius, tuning=covering)
            assert picks.dtype == np.int64
            np.testing.assert_array_equal(picks, truth)


@pytest.mark.parametrize("factors", [(1.0, 0.5), (1e-3, 1e3), (1 / 3, 1e-30), (1e20, 3e19)])
@pytest.mark.parametrize("labelled", [0, 1, 20])
def test_weighted_blocks(factors: tuple[float, float], labelled: int) -> None:
    rng = np.random.default_rng(labelled)
    task = (rng.normal(size=(60, 20)) + 100).astype(np.float32)
    space = Embedding(((task, factors[0]), (rng.integers(0, 3, (60, 5)) / 3, factors[1])))
    start, out = np.arange(labelled), np.arange(55, 60)
    width = neighbour_distance(space, np.arange(55))
    herded = reference.max_herding(space, start, 10, width, excluded=out)
    covered = reference.ball_cover(space, start, 10, width, excluded=out)
    for herding, covering in WAYS:
        picks = max_herding(space, start, 10, width, excluded=out, tuning=herding)
        np.testing.assert_array_equal(picks, herded)
        picks = ball_cover(space, start, 10, width, excluded=out, tuning=covering)
        np.testing.assert_array_equal(picks, covered)


@given(st.one_of(MATRICES, GRIDS), st.integers(0, 10**6), st.sampled_from([0.0, 0.3, 1.0, 4.0]))
def test_any_numbers(x: np.ndarray, seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(x))
    labelled, excluded = order[: len(x) // 4], order[len(x) - len(x) // 6 :]
    free = len(x) - len(labelled) - len(excluded)
    width = share * neighbour_distance(x, np.arange(len(x)))
    weights = rng.integers(0, 3, len(x)) / 2
    np.testing.assert_array_equal(
        max_herding(x, labelled, free, width, weights=weights, excluded=excluded),
        reference.max_herding(x, labelled, free, width, weights, excluded),
    )
    np.testing.assert_array_equal(
        ball_cover(x, labelled, free, width, excluded=excluded),
        reference.ball_cover(x, labelled, free, width, excluded),
    )


@given(st.one_of(MATRICES, GRIDS), st.integers(0, 10**6), st.sampled_from([0.0, 0.3, 1.0, 4.0]))
def test_only_references_are_covered(x: np.ndarray, seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(x))
    labelled, excluded = order[: len(x) // 4], order[len(x) - len(x) // 6 :]
    free = len(x) - len(labelled) - len(excluded)
    width = share * neighbour_distance(x, np.arange(len(x)))
    references = rng.permutation(len(x))[: max(1, len(x) // 3)]
    weights = np.isin(np.arange(len(x)), references).astype(float)
    herded = reference.max_herding(x, labelled, free, width, weights, excluded)
    covered = reference.ball_cover(x, labelled, free, width, excluded, references)
    for herding, covering in ((gains.HerdingTuning(), balls.BallTuning()), *WAYS):
        given_ids = {"excluded": excluded, "references": references}
        picks = max_herding(x, labelled, free, width, tuning=herding, **given_ids)
        np.testing.assert_array_equal(picks, herded)
        picks = ball_cover(x, labelled, free, width, tuning=covering, **given_ids)
        np.testing.assert_array_equal(picks, covered)


def test_rows_that_are_too_many_to_keep_give_the_same_picks(monkeypatch: Any) -> None:
    monkeypatch.setattr(covered_images, "KEPT_VALUES", 0)
    x = np.random.default_rng(0).normal(size=(60, 4))
    for labelled in ([], [7, 30]):
        for weights in (None, np.random.default_rng(1).uniform(size=60) ** 4):
            wanted = reference.max_herding(x, labelled, 25, 1.5, weights)
            for way in WAYS:
                picks = max_herding(x, labelled, 25, 1.5, weights=weights, tuning=way[0])
                np.testing.assert_array_equal(picks, wanted)


@pytest.fixture
def tiles(monkeypatch: Any) -> list[int]:
    """Count the kernel values of tiles."""
    values: list[int] = []
    tile = GaussianKernel.tile

    def count(kernel: Any, rows: Any, columns: Any) -> Any:
        values.append(len(rows.positions) * len(columns.positions))
        return tile(kernel, rows, columns)

    monkeypatch.setattr(GaussianKernel, "tile", count)
    return values


def test_a_pass_over_all_computes_half_of_the_values(tiles: list[int]) -> None:
    x, tuning = np.random.default_rng(0).normal(size=(130, 4)), HerdingTuning(-1, tile_rows=13)
    for weights, pairs in ((None, 130 * 143 // 2), (np.arange(130) % 13 > 0, 130 * 120)):
        tiles.clear()
        max_herding(x, [], 1, 2.0, weights=weights, tuning=tuning)
        assert sum(tiles) == pairs


def test_all_gains_are_computed_again_after_the_very_first_centre(monkeypatch: Any) -> None:
    measured: list[int] = []
    measure = gains.Gains._measure

    def count(self: Any, few: Any) -> None:
        measured.append(int(np.isfinite(self.images.squared).sum()))
        measure(self, few)

    monkeypatch.setattr(gains.Gains, "_measure", count)
    x, tuning = np.random.default_rng(0).normal(size=(50, 4)), HerdingTuning(-1, tile_rows=13)
    for labelled, budget, times in (([], 17, [0, 50]), ([], 16, [0]), ([5], 17, [49])):
        measured.clear()
        max_herding(x, labelled, budget, 2.0, tuning=tuning)
        assert measured == times


@given(GRIDS, st.integers(0, 10**6))
def test_herding_is_within_63_percent_of_the_best(x: np.ndarray, seed: int) -> None:
    """Greedy on a submodular gain reaches 1 - 1/e of the optimum: here of two picks."""
    x = x[:9].astype(float) + np.random.default_rng(seed).uniform(0, 1e-3, x[:9].shape)
    kernel = np.exp(-((x[:, None] - x) ** 2).sum(-1))
    best = max(np.maximum(a, b).sum() for a in kernel for b in kernel)
    picks = max_herding(x, [], 2, 1.0)
    assert kernel[picks].max(axis=0).sum() >= (1 - 1 / np.e) * best - 1e-9


def test_rounds_pick_what_one_go_picks() -> None:
    x = np.random.default_rng(3).normal(size=(120, 4))
    for kernel in (max_herding, ball_cover):
        one_go = kernel(x, [5], 60, 0.8)
        labelled = [5]
        for _ in range(6):
            labelled += kernel(x, labelled, 10, 0.8).tolist()
        assert labelled[1:] == one_go.tolist()


def test_a_bandwidth_is_a_distance_in_the_space() -> None:
    rng = np.random.default_rng(4)
    x, v = rng.normal(size=(100, 5)), rng.normal(size=(100, 3))
    both = Embedding(((x, 2.0), (v, 0.5)))
    joined = both.concatenate()
    for kernel in (max_herding, ball_cover):
        expected = kernel(joined, [], 20, 1.7)
        np.testing.assert_array_equal(kernel(both, [], 20, 1.7), expected)
        np.testing.assert_array_equal(kernel(joined * 1e90, [], 20, 1.7e90), expected)
        np.testing.assert_array_equal(kernel(Embedding(((joined, 3.0),)), [], 20, 5.1), expected)
        assert kernel(joined, [], 20, 0.4).tolist() != expected.tolist()


@pytest.mark.parametrize("bandwidth", [1e160, 1e300])
def test_a_bandwidth_whose_square_overflows_makes_all_similar(bandwidth: float) -> None:
    rows = np.random.default_rng(0).normal(size=(30, 3))
    for herding in (max_herding, reference.max_herding):
        assert herding(rows, [2], 4, bandwidth).tolist() == [0, 1, 3, 4]
    carried, expected = Carried(), reference.max_herding(rows, [], 29, bandwidth).tolist()
    picks = max_herding(rows, [], 20, bandwidth, carried=carried).tolist()
    later = max_herding(rows, picks, 9, bandwidth, carried=carried).tolist()
    assert picks + later == expected
    weights = np.linspace(0.5, 1, 30)
    picks = max_herding(rows, [2], 20, bandwidth, weights=weights, carried=carried).tolist()
    assert picks == reference.max_herding(rows, [2], 20, bandwidth, weights).tolist()


@pytest.mark.parametrize("bandwidth", [1e-140, 1e-153, 1e-163])
def test_a_bandwidth_whose_square_underflows_makes_only_copies_similar(bandwidth: float) -> None:
    rows = np.random.default_rng(0).integers(0, 9, (40, 3)) * 13.7
    for way in WAYS:
        picks = max_herding(rows, [2], 30, bandwidth, tuning=way[0])
        assert picks.tolist() == reference.max_herding(rows, [2], 30, 0.0).tolist()


def test_only_copies_are_similar_at_a_bandwidth_of_0() -> None:
    x = np.array([[1.0], [2], [2], [3], [3], [3], [4]])
    assert max_herding(x, [], 7, 0.0).tolist() == [3, 1, 0, 6, 2, 4, 5]
    assert max_herding(x / 3, [4], 3, 0.0).tolist() == [1, 0, 6]


def test_an_image_of_weight_0_need_not_be_covered() -> None:
    x = np.array([[0.0], [0.1], [0.2], [5], [9]])
    assert max_herding(x, [], 2, 1.0).tolist() == [1, 3]
    assert max_herding(x, [], 2, 1.0, weights=[0, 0, 0, 0, 1]).tolist() == [4, 0]
    assert max_herding(x, [], 3, 1.0, weights=np.zeros(5)).tolist() == [0, 1, 2]


def test_a_second_cover_begins_where_the_first_is_thinnest() -> None:
    x = np.array([[0.0], [1], [2], [10], [10.5], [11]])
    assert ball_cover(x, [], 6, 1.0).tolist() == [1, 3, 4, 0, 2, 5]


@pytest.mark.parametrize("radius", [0.5, 1.0, 2.0])
def test_covers_upon_covers(radius: float) -> None:
    x = np.random.default_rng(8).normal(size=(40, 2))
    truth = reference.ball_cover(x, [3], 39, radius)
    for _, covering in WAYS:
        picks = ball_cover(x, [3], 39, radius, tuning=covering)
        assert picks.tolist() == truth.tolist()


def test_an_excluded_image_is_neither_picked_nor_covered() -> None:
    x = np.array([[0.0], [0.1], [0.2], [0.15], [5], [5.2]])
    for kernel in (max_herding, ball_cover):
        assert kernel(x, [], 1, 0.5, excluded=[0, 1, 2]).tolist() == [4]


@pytest.mark.parametrize("kernel", [max_herding, ball_cover])
def test_bad_input_is_named(kernel: Any) -> None:
    x = np.zeros((5, 2))
    with refused(BudgetError, "budget-too-large"):
        kernel(x, [], 6, 1.0)
    with refused(AlreadyLabelled, "id-listed-twice"):
        kernel(x, [3, 3], 1, 1.0)
    x[3, 1] = np.nan
    with refused(DataError, "not-finite", match="row 3"):
        kernel(x, [0], 1, 1.0)


@pytest.mark.parametrize(
    ("weights", "code", "message"),
    [
        ([1, 1], "weights-shape", r"shape \(2,\) for 3 images"),
        ([1, -1, 1], "bad-weight", "weight -1 of image 1"),
        ([1, 1, np.nan], "bad-weight", "weight nan of image 2"),
    ],
)
def test_bad_weights_are_named(weights: list[float], code: str, message: str) -> None:
    with refused(DataError, code, match=message):
        max_herding([[0.0], [1], [2]], [], 1, 1.0, weights=weights)


@pytest.mark.parametrize("kernel", [max_herding, ball_cover])
def test_rows_that_do_not_vary_give_the_smallest_ids(kernel: Any) -> None:
    with pytest.warns(UserWarning, match="the features of all 5 images are the same"):
        assert kernel(np.ones((5, 2)), [1], 3, 1.0).tolist() == [0, 2, 3]


def test_memory_maps_are_read_as_they_are(tmp_path: Any) -> None:
    x = np.random.default_rng(0).normal(size=(60, 6)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    for kernel in (max_herding, ball_cover):
        np.testing.assert_array_equal(kernel(mapped, [], 9, 2.0), kernel(x, [], 9, 2.0))


def test_values_in_float32_decide_nothing(monkeypatch: Any) -> None:
    """Two halves mirror each other: each gain is there twice, and products differ in rounding."""
    rng = np.random.default_rng(8)
    half = rng.normal(size=(40, 6)) + 3
    x = np.concatenate([half, -half])
    weights = np.tile(rng.uniform(size=40), 2)
    width = neighbour_distance(x, np.arange(80)) * 2
    labelled = [3, 43]  # mirrored too
    truth = reference.max_herding(x, labelled, 12, width, weights)
    tuning = gains.HerdingTuning(listed_pairs=-1, tile_rows=13)
    refreshed = []
    whole = gains.Gains._refreshed

    def counted(self: gains.Gains, positions: Any) -> Any:
        assert self.images.quick.single
        refreshed.append(len(positions))
        return whole(self, positions)

    monkeypatch.setattr(gains.Gains, "_refreshed", counted)
    picks = max_herding(x, labelled, 12, width, weights=weights, tuning=tuning)
    np.testing.assert_array_equal(picks, truth)
    assert refreshed
