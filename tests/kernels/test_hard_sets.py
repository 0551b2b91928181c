"""The fast kernels give the ids of the float64 reference, for all features."""

from typing import Any

import numpy as np
import pytest

from nextlabel.core.space.embedding import Embedding
from nextlabel.kernels import reference
from nextlabel.kernels.farthest_from_mean import MeanTuning, farthest_from_mean
from nextlabel.kernels.k_centre.farthest_first import farthest_first
from nextlabel.kernels.k_centre.tuning import KCentreTuning

pytestmark = pytest.mark.filterwarnings("ignore:the features of all")


def test_core_set_picks_the_ids_of_the_reference(hard_set: Any) -> None:
    truth = reference.farthest_first(hard_set.features, hard_set.labelled, hard_set.budget)
    picks = farthest_first(hard_set.features, hard_set.labelled, hard_set.budget)
    assert picks.dtype == np.int64
    np.testing.assert_array_equal(picks, truth)


def test_core_set_picks_the_ids_of_the_reference_in_small_steps(
    hard_set: Any, tuning: KCentreTuning
) -> None:
    truth = reference.farthest_first(hard_set.features, hard_set.labelled, hard_set.budget)
    picks = farthest_first(hard_set.features, hard_set.labelled, hard_set.budget, tuning=tuning)
    np.testing.assert_array_equal(picks, truth)


@pytest.mark.parametrize(
    "sizes",
    [
        MeanTuning(window=32),
        MeanTuning(window=32, prepared_rows=3, groups=7),
        MeanTuning(window=32, held_values=0),
    ],
    ids=["small window", "few prepared rows", "nothing held"],
)
def test_medal_picks_the_ids_of_the_reference(hard_set: Any, sizes: MeanTuning) -> None:
    truth = reference.farthest_from_mean(hard_set.features, hard_set.labelled, hard_set.budget)
    picks = farthest_from_mean(hard_set.features, hard_set.labelled, hard_set.budget, tuning=sizes)
    assert picks.dtype == np.int64
    np.testing.assert_array_equal(picks, truth)


@pytest.mark.parametrize("factors", [(1.0, 0.5), (1e-3, 1e3), (1 / 3, 1e-30), (1e20, 3e19)])
@pytest.mark.parametrize("offset", [0.0, 1000.0])
@pytest.mark.parametrize("labelled", [0, 1, 80])
def test_weighted_blocks(
    factors: tuple[float, float],
    offset: float,
    labelled: int,
) -> None:
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
