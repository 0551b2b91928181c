"""Trials that train nothing, for tests of the engine and of the command line."""

import numpy as np

from nextlabel.core.learner import Training
from nextlabel.core.round import Round
from nextlabel.engine.messages import (
    BlockMessage,
    DoneMessage,
    EnvironmentMessage,
    PicksMessage,
    RoundMessage,
    WarningMessage,
)


def fake_round(trial, number):
    """Return a round whose accuracy depends on arm, seed and number alone."""
    labelled = trial.labelled(number)
    before = trial.labelled(number - 1) if number else 0
    arms = [arm.name for arm in trial.experiment.arms]
    accuracy = 0.5 + 0.1 * number + 0.01 * (2 * arms.index(trial.arm.name) + trial.seed)
    ids = np.arange(before, labelled) + trial.seed
    return Round(
        number, labelled, ids, {"validation/accuracy": accuracy}, Training(1.0, 1, 1, "random")
    )


class FakeTrials:
    """Yields the messages of a trial without training.

    `faults` are lists by (arm, seed) of (number of the round, fault). A fault is used once and
    replaces the round: an exception is raised, a message is the last one. `histories` are the
    trials that were started, as (arm, seed, number of stored rounds).
    """

    def __init__(self, faults=None):
        self.faults = faults or {}
        self.histories = []

    def __call__(self, trial, history, data_dir, cache_dir):
        name = trial.arm.name, trial.seed
        self.histories.append((*name, len(history)))
        faults = self.faults.get(name, [])
        yield EnvironmentMessage({"initial_weights": "same", "processor": "none"})
        for number in range(len(history), trial.rounds):
            if faults and faults[0][0] == number:
                _, fault = faults.pop(0)
                if isinstance(fault, BaseException):
                    raise fault
                yield fault
                return
            yield RoundMessage(fake_round(trial, number), {"picked": b"png"})
        yield WarningMessage("a warning of all trials")
        yield BlockMessage("vae", [{"loss": 1.0}], {})
        yield PicksMessage(np.array([1, 2]))
        yield DoneMessage()
