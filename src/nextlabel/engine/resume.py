"""Rounds from another kind of machine: found before they are left behind."""

from collections.abc import Mapping
from typing import Any

from nextlabel.core.errors import UsageError
from nextlabel.store.store import Store
from nextlabel.trial.spec import TrialSpec

CHOICES = ("device", "precision")
"""Settings of a training that may be left to the machine."""


def check_machine(store: Store, planned: Mapping[str, TrialSpec], checksum: str) -> None:
    """Raise UsageError where this machine would begin anew what the store has from another kind.

    `planned` are the trials by key, `checksum` the data's. Only settings left to the machine count.
    """
    trials = {(t.arm.name, t.seed): (key, t) for key, t in planned.items()}
    for name in {t.experiment.name for t in planned.values()} & set(store.experiments()):
        for state in store.trials(name):
            key, trial = trials.get((state.record.arm, state.record.seed), (None, None))
            if trial is None or key == state.record.key or not state.rounds:
                continue
            theirs = _choices(trial, state.record.spec)
            if theirs and _key(trial, theirs, checksum) in (state.record.key, None):
                how = ", ".join(f"{k} {v}" for k, v in theirs.items())
                again = " ".join(f'--set training.{k}="{v}"' for k, v in theirs.items())
                here = _key(trial, theirs, checksum) is not None
                raise UsageError(
                    f"{store.location} has rounds that were trained with {how}, which this machine "
                    f"does not take by itself; "
                    + (f"go on with them by {again}" if here else "go on where there is such a one")
                    + ", or give another --store"
                )


def _choices(trial: TrialSpec, spec: Mapping[str, Any]) -> dict[str, str]:
    """Return what another machine chose otherwise; nothing when more than that is different."""
    then, now = spec.get("training"), dict(trial.resolution.training)
    if not isinstance(then, Mapping):
        return {}
    given = trial.experiment.training
    free = [k for k in CHOICES if getattr(given, k) == "auto" and k in then]
    theirs = {k: then[k] for k in free if then[k] != now[k]}
    return theirs if {**then, **{k: now[k] for k in theirs}} == now else {}


def _key(trial: TrialSpec, choices: Mapping[str, str], checksum: str) -> str | None:
    """Return the trial's key with these choices; None where such a device is not here."""
    training = trial.experiment.training.model_copy(update=dict(choices))
    experiment = trial.experiment.model_copy(update={"training": training})
    try:
        return TrialSpec.of(experiment, trial.arm.name, trial.seed).key(checksum)
    except UsageError:
        return None
