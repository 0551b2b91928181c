"""Properties of a selection on any numbers, and the bugs that others shipped."""

import random
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from nextlabel import (
    CoreSet,
    Embedding,
    FeatureSpace,
    MedAL,
    Pool,
    Random,
    Snapshot,
    farthest_first,
    farthest_from_mean,
)
from nextlabel.core.errors import DataError
from nextlabel.kernels import reference
from nextlabel.kernels.distance.exact import Metric
from refusals import refused

pytestmark = pytest.mark.filterwarnings("ignore:the features of all", "ignore:block")

NUMBERS = st.floats(-1e6, 1e6, width=32)
MATRICES = arrays.arrays(
    np.float32, st.tuples(st.integers(2, 14), st.integers(1, 4)), elements=NUMBERS
)
GRIDS = arrays.arrays(
    np.int64, st.tuples(st.integers(2, 14), st.integers(1, 3)), elements=st.integers(-2, 2)
)


def split(x: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Return labelled ids, excluded ids and a budget that fit the rows."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(x))
    labelled = rng.integers(0, len(x))
    excluded = rng.integers(0, len(x) - labelled)
    return (
        order[:labelled],
        order[labelled : labelled + excluded],
        int(rng.integers(1, len(x) - labelled - excluded + 1)),
    )


@given(MATRICES, st.integers(0, 10**6), st.floats(0.01, 100))
def test_squared_distances_of_blocks_add(x: np.ndarray, seed: int, alpha: float) -> None:
    v = np.random.default_rng(seed).normal(size=(len(x), 3))
    space = FeatureSpace({"task": 1.0, "vae": alpha}, "none").embed({"task": x, "vae": v})
    both = space.concatenate()
    expected = (x.astype(float) ** 2).sum(1) + alpha**2 * (v**2).sum(1)
    np.testing.assert_allclose((both**2).sum(1), expected, rtol=1e-12)
    # The kernels' own measure is the same up to a common factor.
    ids = np.arange(len(x))
    measured = Metric(space).squared_distances(ids, Metric(space).row(0))
    direct = ((both - both[0]) ** 2).sum(1)
    scale = measured.max() / direct.max() if direct.max() else 1.0
    np.testing.assert_allclose(measured, direct * scale, rtol=1e-7, atol=1e-12 * measured.max())


@given(st.one_of(MATRICES, GRIDS), st.integers(0, 10**6), st.sampled_from([CoreSet(), MedAL()]))
def test_alpha_zero_picks_the_ids_of_the_baseline(x, seed, strategy) -> None:
    labelled, excluded, budget = split(x, seed)
    v = np.random.default_rng(seed).normal(size=(len(x), 3))
    pool, rng = Pool(len(x), labelled, excluded), np.random.default_rng(0)
    plain = FeatureSpace({"task": 1.0}).embed({"task": x})
    with_zero = FeatureSpace({"task": 1.0, "vae": 0.0}).embed({"task": x, "vae": v})
    np.testing.assert_array_equal(
        strategy.select(Snapshot(pool, features=plain), budget, rng),
        strategy.select(Snapshot(pool, features=with_zero), budget, rng),
    )


@given(st.one_of(MATRICES, GRIDS), st.integers(0, 10**6))
def test_kernels_pick_the_ids_of_the_reference(x: np.ndarray, seed: int) -> None:
    labelled, excluded, budget = split(x, seed)
    for fast, truth in (
        (farthest_first, reference.farthest_first),
        (farthest_from_mean, reference.farthest_from_mean),
    ):
        np.testing.assert_array_equal(
            fast(x, labelled, budget, excluded=excluded), truth(x, labelled, budget, excluded)
        )


def radius(x: np.ndarray, centres: list[int]) -> float:
    return float(np.sqrt(((x[:, None] - x[centres]) ** 2).sum(-1)).min(1).max())


@given(GRIDS, st.integers(0, 10**6))
def test_core_set_is_within_twice_the_best_radius(x: np.ndarray, seed: int) -> None:
    x = x[:10].astype(float) + np.random.default_rng(seed).uniform(0, 1e-3, x[:10].shape)
    budget = 1 + seed % min(3, len(x))
    best = min(radius(x, list(c)) for c in combinations(range(len(x)), budget))
    assert radius(x, farthest_first(x, [], budget).tolist()) <= 2 * best + 1e-9


@given(MATRICES, st.integers(0, 10**6))
def test_medal_picks_the_farthest_from_the_labelled_mean(x: np.ndarray, seed: int) -> None:
    labelled, excluded, _ = split(x, seed)
    labelled = (
        labelled if len(labelled) else np.array([int(np.setdiff1d(np.arange(len(x)), excluded)[0])])
    )
    free = Pool(len(x), labelled, excluded).unlabelled
    if not len(free):
        return
    z = x.astype(np.float64)
    distances = ((z - z[labelled].mean(0)) ** 2).sum(1)
    pick = farthest_from_mean(x, labelled, 1, excluded=excluded)[0]
    size = np.square(np.abs(z).max())
    assert distances[pick] >= distances[free].max() - 1e-10 * size


@given(GRIDS, st.integers(0, 10**6))
def test_ties_go_to_the_smallest_id(x: np.ndarray, seed: int) -> None:
    """On whole numbers every distance is exact, so the first pick is computed in integers."""
    labelled, excluded, _ = split(x, seed)
    free = Pool(len(x), labelled, excluded).unlabelled
    if not len(labelled):
        return
    squares = ((x[free][:, None] - x[labelled]) ** 2).sum(-1)
    assert farthest_first(x, labelled, 1, excluded=excluded)[0] == free[squares.min(1).argmax()]
    assert farthest_from_mean(x, labelled, 1, excluded=excluded)[0] == free[squares.sum(1).argmax()]


@given(st.integers(1, 40), st.integers(0, 10**6))
def test_random_never_draws_twice_and_never_loses_an_image(size: int, seed: int) -> None:
    pool = Pool(size, np.arange(0, size, 7))
    picks = Random().select(Snapshot(pool), len(pool.unlabelled), np.random.default_rng(seed))
    assert sorted(picks.tolist()) == pool.unlabelled.tolist()


def test_ids_stay_those_of_the_data_set_through_rounds() -> None:
    """Pool positions taken for data set ids pick the wrong images from the second round on."""
    x = np.random.default_rng(0).normal(size=(50, 5))
    one_go = CoreSet().select(
        Snapshot(Pool(50, np.array([40])), features=Embedding.of(x)), 30, np.random.default_rng(0)
    )
    pool = Pool(50, np.array([40]))
    for _ in range(6):
        chosen = CoreSet().select(
            Snapshot(pool, features=Embedding.of(x)), 5, np.random.default_rng(0)
        )
        pool = pool.label(chosen)
    assert pool.labelled.tolist() == [40, *one_go.tolist()]


@pytest.mark.parametrize("kernel", [farthest_first, farthest_from_mean])
def test_an_offset_changes_no_pick(kernel) -> None:
    """‖x‖² - 2xy + ‖y‖² in float32 loses all to an offset; steps of 2^-6 stay exact here."""
    rng = np.random.default_rng(1)
    x = np.round(rng.normal(size=(400, 48)) * 64) / 64
    plain = kernel(x.astype(np.float32), np.arange(30), 60)
    shifted = (x + 4096).astype(np.float32)
    np.testing.assert_array_equal(shifted.astype(np.float64) - 4096, x)
    np.testing.assert_array_equal(kernel(shifted, np.arange(30), 60), plain)


def test_not_a_number_is_refused_and_never_zero() -> None:
    x = np.zeros((5, 2), np.float32)
    x[3, 1] = np.nan
    for kernel in (farthest_first, farthest_from_mean, reference.farthest_first):
        with refused(DataError, "not-finite", match="row 3"):
            kernel(x, [0], 1)
    with refused(DataError, "not-finite", match="row 2"):
        Snapshot(Pool(3), probabilities=np.array([[0.5, 0.5], [1, 0], [np.nan, 0.5]]))


def test_selecting_leaves_the_global_generators_alone() -> None:
    """Else a strategy's draws move the initial labels of the next run."""
    import torch

    x = np.random.default_rng(0).normal(size=(30, 4))
    pool = Snapshot(Pool(30, np.arange(3)), features=Embedding.of(x))
    before = np.random.get_state()[1].tolist(), random.getstate(), torch.get_rng_state().tolist()  # noqa: NPY002
    for strategy in (Random(), CoreSet(), MedAL()):
        strategy.select(pool, 9, np.random.default_rng(0))
    after = np.random.get_state()[1].tolist(), random.getstate(), torch.get_rng_state().tolist()  # noqa: NPY002
    assert before == after
