"""Checks before a run continues the rounds that a store has."""

from collections.abc import Mapping
from typing import Any

from nextlabel.core.errors import UsageError
from nextlabel.store.store import Store
from nextlabel.trial.spec import TrialSpec

MACHINE_SETTINGS = ("device", "precision")
"""Settings of the training that "auto" leaves to the machine."""


def check_labelled_counts(store: Store, planned: Mapping[str, TrialSpec]) -> None:
    """Refuse a target under which stored rounds would have had other numbers of labels.

    Only the last batch, which an earlier target cut short, can differ. A run that continued from
    it would end in other rows than a run from the beginning.

    Raises
    ------
    UsageError
        When a stored round differs.
    """
    stored = {state.record.key for name in store.experiments() for state in store.trials(name)}
    for key in stored & set(planned):
        trial = planned[key]
        for round in store.history(key)[: trial.rounds]:
            labelled = trial.labelled(round.number)
            if round.labelled_count != labelled:
                raise UsageError(
                    f"target {trial.experiment.target} would have {labelled} labels in round "
                    f"{round.number}, and {store.location} has {round.labelled_count} there; give "
                    f"target {round.labelled_count}, or another --store",
                    code="target-between-rounds",
                )


def check_machine_settings(store: Store, planned: Mapping[str, TrialSpec], checksum: str) -> None:
    """Refuse to start again what the store has from a machine with another device or precision.

    Only settings that are left to the machine count.

    Parameters
    ----------
    store : Store
        The store of the run.
    planned : mapping of str to TrialSpec
        The trials of the run by key.
    checksum : str
        The checksum of the data.

    Raises
    ------
    UsageError
        When a trial of the same arm and seed differs in these settings alone.
    """
    trials = {(trial.arm.name, trial.seed): (key, trial) for key, trial in planned.items()}
    for name in {trial.experiment.name for trial in planned.values()} & set(store.experiments()):
        for state in store.trials(name):
            key, trial = trials.get((state.record.arm, state.record.seed), (None, None))
            if trial is None or key == state.record.key or not state.rounds:
                continue
            stored = _other_settings(trial, state.record.spec)
            if not stored:
                continue
            stored_key = _key(trial, stored, checksum)
            if stored_key not in (state.record.key, None):
                continue
            settings = ", ".join(f"{name} {value}" for name, value in stored.items())
            options = " ".join(f'--set training.{n}="{value}"' for n, value in stored.items())
            remedy = "continue on a machine that has it"
            if stored_key is not None:
                remedy = f"to continue them give {options}"
            raise UsageError(
                f"{store.location} has rounds that were trained with {settings}, which is not the "
                f"choice of this machine; {remedy}, or give another --store",
                code="other-machine",
            )


def _other_settings(trial: TrialSpec, spec: Mapping[str, Any]) -> dict[str, str]:
    """Return the stored machine settings that differ; empty when other settings differ too."""
    stored, current = spec.get("training"), dict(trial.resolution.training)
    if not isinstance(stored, Mapping):
        return {}
    requested = trial.experiment.training
    automatic = [n for n in MACHINE_SETTINGS if getattr(requested, n) == "auto" and n in stored]
    different = {name: stored[name] for name in automatic if stored[name] != current[name]}
    return different if {**stored, **{n: current[n] for n in different}} == current else {}


def _key(trial: TrialSpec, settings: Mapping[str, str], checksum: str) -> str | None:
    """Return the trial's key with these settings; None when this machine lacks the device."""
    training = trial.experiment.training.model_copy(update=dict(settings))
    experiment = trial.experiment.model_copy(update={"training": training})
    try:
        return TrialSpec.of(experiment, trial.arm.name, trial.seed).key(checksum)
    except UsageError:
        return None
