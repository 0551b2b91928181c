import numpy as np
import pytest

from nextlabel.core.errors import DataError, UsageError
from nextlabel.core.pool import Pool
from nextlabel.core.snapshot import Snapshot
from nextlabel.core.space.embedding import Embedding
from refusals import refused


def test_signals_have_a_row_for_each_image():
    pool = Pool(3)
    for signals in (
        {"features": Embedding.of(np.eye(4))},
        {"probabilities": np.full((2, 2), 0.5)},
        {"predicted_loss": np.zeros(4)},
    ):
        with refused(
            DataError,
            "wrong-number-of-rows",
            match="rows for a pool of 3 images; give one for each",
        ):
            Snapshot(pool, **signals)


def test_signals_that_are_not_finite_are_named_by_row():
    probabilities = np.full((3, 2), 0.5)
    probabilities[1, 0] = np.nan
    with refused(
        DataError, "not-finite", match="row 1 of probabilities is not finite; give numbers there"
    ):
        Snapshot(Pool(3), probabilities=probabilities)
    with refused(DataError, "not-finite"):
        Snapshot(Pool(3), predicted_loss=np.array([0, 1, np.inf]))
    with refused(DataError, "wrong-dimensions", match="probabilities has 1 dimensions; give 2"):
        Snapshot(Pool(3), probabilities=np.zeros(3))


def test_a_signal_of_another_package_has_any_number_of_dimensions_but_none():
    shapes = [(3,), (3, 2), (3, 2, 4)]
    for shape in shapes:
        snapshot = Snapshot(Pool(3), signals={"mine": np.zeros(shape)})
        assert snapshot.require("mine").shape == shape
    with refused(DataError, "wrong-dimensions"):
        Snapshot(Pool(3), signals={"mine": np.float64(1)})


def test_a_strategy_cannot_write_what_it_sees():
    probabilities = np.full((3, 2), 0.5)
    snapshot = Snapshot(Pool(3), "multiclass", Embedding.of(np.eye(3)), probabilities, np.zeros(3))
    assert snapshot.features is not None
    for array in (
        snapshot.probabilities,
        snapshot.predicted_loss,
        snapshot.features.blocks[0][0],
        snapshot.pool.labelled,
    ):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 1
    probabilities[0] = 0.25  # the owner still may


def test_what_was_not_computed_is_asked_for_by_name():
    with refused(UsageError, "missing-signal", match="needs features, and none were given"):
        Snapshot(Pool(3)).require("features")
    Snapshot(Pool(3), predicted_loss=np.zeros(3)).require("predicted_loss")
