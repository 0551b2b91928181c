"""Trials: one arm with one seed each, named by a key."""

from dataclasses import dataclass, field
from typing import Any

from nextlabel.experiment.arm import Arm
from nextlabel.experiment.spec import Experiment
from nextlabel.files.digest import values_digest
from nextlabel.trial.resolution import Resolution, resolve

KEY_VERSION = 1


@dataclass(frozen=True)
class TrialSpec:
    """One arm with one seed, as a worker needs it.

    Parameters
    ----------
    experiment : Experiment
        The experiment that the trial belongs to.
    arm : Arm
        The arm.
    seed : int
        The seed.
    resolution : Resolution
        The experiment's files, device and precision, resolved once for all of its trials.
    """

    experiment: Experiment
    arm: Arm
    seed: int
    resolution: Resolution = field(compare=False)

    @property
    def rounds(self) -> int:
        """The number of rounds to the target, with round 0."""
        spec = self.experiment
        return 1 + -(-(spec.target - spec.initial) // spec.batch)

    def labelled(self, number: int) -> int:
        """Return |L| in round `number`."""
        spec = self.experiment
        return min(spec.target, spec.initial + spec.batch * number)

    @classmethod
    def of(cls, experiment: Experiment, arm: str, seed: int) -> "TrialSpec":
        """Return a single trial; for all trials of an experiment, `trials` resolves once."""
        spec = experiment.arm(arm)
        return cls(experiment, spec, seed, resolve(experiment, [spec]))

    def outcome(self, data_checksum: str) -> dict[str, Any]:
        """Return all that decides the rounds, as JSON values.

        The target and the number of jobs are not in it. A file counts by its content and not by
        its path. A setting that is added later must be left out at its default
        (`Settings.later`), so that older trials keep their keys.
        """
        spec = self.experiment
        arm = self.arm.decisive()
        del arm["baseline"]
        arm.pop("model", None)  # it decides by what it makes of `[model]`
        resolution = self.resolution
        blocks = {name: resolution.blocks[name] for name in spec.blocks_of(self.arm)}
        named = {name: resolution.public_name(name) for name in blocks}
        for space in {"features", "side"} & set(arm):
            arm[space] = {named.get(n, n): weight for n, weight in arm[space].items()}
        settings = spec.model_of(self.arm)
        model = settings.decisive() | {"weights": resolution.weights[self.arm.name]}
        if settings.block is not None:
            model["block"] = named[settings.block]
        if settings.blocks:
            model["blocks"] = {named[n]: weight for n, weight in settings.row_blocks.items()}
        outcome = {
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
            outcome["loss_prediction"] = spec.loss_prediction.decisive()
        return outcome

    def key(self, data_checksum: str) -> str:
        """Return the sha256 of the outcome: the name of the trial in every store."""
        return values_digest(self.outcome(data_checksum))


def trials(experiment: Experiment, jobs: int = 1) -> list[TrialSpec]:
    """Return arms × seeds, ordered so that `jobs` trials at a time have different seeds.

    Trials of one seed share artefacts, and would wait for each other.
    """
    seeds, resolution = experiment.seeds, resolve(experiment)
    ordered = []
    for start in range(0, len(seeds), max(1, jobs)):
        for arm in experiment.arms:
            ordered += [
                TrialSpec(experiment, arm, seed, resolution) for seed in seeds[start : start + jobs]
            ]
    return ordered
