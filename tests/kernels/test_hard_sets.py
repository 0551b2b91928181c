"""The fast kernels give the ids of the float64 reference, whatever the features."""

from typing import Any

import numpy as np
import pytest

from nextlabel.core.feature_space import Embedding
from nextlabel.kernels import farthest_from_mean as fast_mean
from nextlabel.kernels import reference
from nextlabel.kernels.farthest_from_mean import farthest_from_mean
from nextlabel.kernels.k_centre.farthest_first import farthest_first

pytestmark = pytest.mark.filterwarnings("ignore:the features of all")


def test_core_set_picks_what_the_reference_picks(hard_set: Any, small: Any) -> None:
    truth = reference.farthest_first(hard_set.features, hard_set.labelled, hard_set.budget)
    picks = farthest_first(hard_set.features, hard_set.labelled, hard_set.budget)
    assert picks.dtype == np.int64
    np.testing.assert_array_equal(picks, truth)
    for sizes in ((16, 64, 8, 2, 4), (64, 100, 32, 4, 16)):
        small(*sizes)
        picks = farthest_first(hard_set.features, hard_set.labelled, hard_set.budget)
        np.testing.assert_array_equal(picks, truth)


def test_core_set_in_bfloat16_picks_what_the_reference_picks(
    hard_set: Any, short: None, small: Any
) -> None:
    truth = reference.farthest_first(hard_set.features, hard_set.labelled, hard_set.budget)
    picks = farthest_first(hard_set.features, hard_set.labelled, hard_set.budget)
    np.testing.assert_array_equal(picks, truth)
    small(16, 64, 8, 2, 4)
    picks = farthest_first(hard_set.features, hard_set.labelled, hard_set.budget)
    np.testing.assert_array_equal(picks, truth)


def test_medal_picks_what_the_reference_picks(
    hard_set: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fast_mean, "WINDOW", 32)
    truth = reference.farthest_from_mean(hard_set.features, hard_set.labelled, hard_set.budget)
    for block, held in ((64, 2**22), (3, 2**22), (64, 0)):
        monkeypatch.setattr(fast_mean, "BLOCK", block)
        monkeypatch.setattr(fast_mean, "HELD", held)
        picks = farthest_from_mean(hard_set.features, hard_set.labelled, hard_set.budget)
        assert picks.dtype == np.int64
        np.testing.assert_array_equal(picks, truth)


@pytest.mark.parametrize("factors", [(1.0, 0.5), (1e-3, 1e3), (1 / 3, 1e-30), (1e20, 3e19)])
@pytest.mark.parametrize("offset", [0.0, 1000.0])
@pytest.mark.parametrize("labelled", [0, 1, 80])
@pytest.mark.parametrize("screening", ["numpy", "short"])
def test_weighted_blocks(
    factors: tuple[float, float],
    offset: float,
    labelled: int,
    screening: str,
    request: pytest.FixtureRequest,
) -> None:
    if screening == "short":
        request.getfixturevalue("short")
    rng = np.random.default_rng(labelled)
    task = (rng.normal(size=(600, 40)) + offset).astype(np.float32)
    vae = rng.integers(0, 3, (600, 7)) / 3
    space = Embedding(((task, factors[0]), (vae, factors[1])))
    start, excluded = np.arange(labelled), np.arange(590, 600)
    for fast, truth in (
        (farthest_first, reference.farthest_first),
        (farthest_from_mean, reference.farthest_from_mean),
    ):
        np.testing.assert_array_equal(
            fast(space, start, 60, excluded=excluded), truth(space, start, 60, excluded)
        )
