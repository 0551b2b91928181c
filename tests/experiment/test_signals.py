"""Signals that the task model cannot give are refused when an experiment is read."""

from typing import Any

import pytest

from nextlabel.core.errors import UsageError
from nextlabel.experiment.parse import parse_experiment
from refusals import refused


def experiment(model: dict[str, Any], **arm: Any) -> dict[str, Any]:
    return {
        "name": "small",
        "seeds": [0],
        "initial": 5,
        "batch": 5,
        "target": 10,
        "data": {"name": "digits"},
        "model": model,
        "arms": [{"name": "a", "features": {"pca": 1.0}, **arm}],
    }


SPREADING = {"name": "label_spreading", "block": "pca"}
LINEAR = {"name": "linear", "block": "pca"}


@pytest.mark.parametrize(
    ("model", "strategy"),
    [(SPREADING, "bald"), (SPREADING, "drop_query"), (LINEAR, "predicted_loss")],
)
def test_a_signal_that_the_model_does_not_give_is_refused(model: Any, strategy: str) -> None:
    with refused(UsageError, "signal-not-available"):
        parse_experiment(experiment(model, strategy=strategy))
    parse_experiment(experiment({"name": "small_cnn"}, strategy=strategy))


def test_a_start_needs_only_what_its_first_choice_reads() -> None:
    assert parse_experiment(experiment(LINEAR, strategy="margin", start="tcm"))
    late = experiment(LINEAR, strategy="margin", start="tcm") | {"initial": 30, "target": 40}
    with refused(UsageError, "signal-before-labels"):
        parse_experiment(late)
