"""BAIT and BADGE as strategies: their columns, their candidates, their options."""

import numpy as np
import pytest

from nextlabel import FeatureSpace, Pool, Snapshot
from nextlabel.core.errors import UsageError
from nextlabel.kernels.fisher_information import bait, binary_factors, full_factors
from nextlabel.kernels.gradient_embedding import badge, residuals
from nextlabel.strategies import create
from refusals import refused

RNG = np.random.default_rng
LABELLED, EXCLUDED = np.array([7, 3, 11]), np.array([0, 20])


@pytest.fixture
def snapshot() -> Snapshot:
    rng = RNG(3)
    space = FeatureSpace({"task": 1.0, "vae": 0.5})
    return Snapshot(
        Pool(40, LABELLED, EXCLUDED),
        features=space.embed({"task": rng.normal(size=(40, 4)), "vae": rng.normal(size=(40, 2))}),
        probabilities=rng.dirichlet(np.ones(3), 40),
    )


@pytest.mark.parametrize(
    ("information", "make"), [("binary", binary_factors), ("full", full_factors)]
)
def test_bait_weighs_errors_with_all_images_that_are_not_excluded(
    snapshot: Snapshot, information: str, make: object
) -> None:
    strategy = create("bait", {"information": information, "ridge": np.float32(0.5)})
    kept = np.setdiff1d(np.arange(40), EXCLUDED)
    factors = make(snapshot.features.concatenate()[kept], snapshot.probabilities[kept])
    labelled = np.searchsorted(kept, LABELLED)
    free = np.setdiff1d(np.arange(len(kept)), labelled)
    wanted = kept[bait(factors, labelled, free, 5, 0.5)]
    assert strategy.select(snapshot, 5, RNG(0)).tolist() == wanted.tolist()


def test_badge_draws_from_the_unlabelled_in_the_weighed_space(snapshot: Snapshot) -> None:
    free = snapshot.pool.unlabelled
    rows = snapshot.features.concatenate()[free]
    factors = residuals(snapshot.probabilities[free])
    wanted = free[badge(rows, factors, 6, RNG(5))]
    assert create("badge").select(snapshot, 6, RNG(5)).tolist() == wanted.tolist()


def test_options_of_bait_are_checked(snapshot: Snapshot) -> None:
    with refused(UsageError, "unknown-information"):
        create("bait", {"information": "fulll"})
    for ridge in (0, -1.0, np.inf, "1"):
        with refused(UsageError, "option-out-of-range"):
            create("bait", {"ridge": ridge})
    findings = Snapshot(snapshot.pool, "multilabel", snapshot.features, snapshot.probabilities)
    with refused(UsageError, "full-information-multilabel"):
        create("bait", {"information": "full"}).select(findings, 3, RNG(0))
    assert len(create("bait").select(findings, 3, RNG(0))) == 3
