"""A trial: one arm with one seed, and the key that names it."""

from dataclasses import dataclass, field
from typing import Any

from nextlabel.experiment.spec import Arm, Experiment
from nextlabel.files.digest import values_digest
from nextlabel.trial.resolution import Resolution, resolve

KEY_VERSION = 1


@dataclass(frozen=True)
class TrialSpec:
    """One arm with one seed: what a worker needs to run it."""

    experiment: Experiment
    arm: Arm
    seed: int
    resolution: Resolution = field(compare=False)

    @property
    def rounds(self) -> int:
        """How many rounds it takes to the target, the initial one counted."""
        spec = self.experiment
        return 1 + -(-(spec.target - spec.initial) // spec.batch)

    def labelled(self, number: int) -> int:
        """Return |L| in round `number`."""
        spec = self.experiment
        return min(spec.target, spec.initial + spec.batch * number)

    @classmethod
    def of(cls, experiment: Experiment, arm: str, seed: int) -> "TrialSpec":
        """Return a single trial; for all trials of an experiment, `trials` resolves once."""
        found = experiment.arm(arm)
        return cls(experiment, found, seed, resolve(experiment, experiment.blocks_of(found)))

    def outcome(self, data_checksum: str) -> dict[str, Any]:
        """Return all that decides the outcome: not the target, and not how many run at once.

        Files count by their content, wherever they lie. A setting that is added one day must be
        left out at its default here (`Settings.later`), so that the trials known by then keep
        their keys.
        """
        spec = self.experiment
        arm = self.arm.decisive()
        del arm["baseline"]
        resolution = self.resolution
        blocks = {name: resolution.blocks[name] for name in spec.blocks_of(self.arm)}
        named = {name: resolution.public_name(name) for name in blocks}
        for space in {"features", "side"} & set(arm):
            arm[space] = {named.get(n, n): weight for n, weight in arm[space].items()}
        model = spec.model.decisive() | {"weights": resolution.weights}
        if spec.model.block is not None:
            model["block"] = named[spec.model.block]
        found = {
            "version": KEY_VERSION,
            "arm": arm,
            "seed": self.seed,
            "start": self.arm.start,
            "initial": spec.initial,
            "batch": spec.batch,
            "data": spec.data.name,
            "data_checksum": data_checksum,
            "model": model,
            "training": dict(resolution.training),
            "blocks": {named[name]: dict(identity) for name, identity in blocks.items()},
        }
        if self.arm.predicts_loss:
            found["loss_prediction"] = spec.loss_prediction.decisive()
        return found

    def key(self, data_checksum: str) -> str:
        """Return the sha256 that names this trial wherever it runs."""
        return values_digest(self.outcome(data_checksum))


def trials(experiment: Experiment, jobs: int = 1) -> list[TrialSpec]:
    """Return arms × seeds, so ordered that trials run at once do not wait for shared artefacts."""
    seeds, resolution = experiment.seeds, resolve(experiment)
    ordered = []
    for start in range(0, len(seeds), max(1, jobs)):
        for arm in experiment.arms:
            ordered += [
                TrialSpec(experiment, arm, seed, resolution) for seed in seeds[start : start + jobs]
            ]
    return ordered
