"""Settings of an experiment on this machine: files, weights, device, precision."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from nextlabel.experiment.arm import Arm
from nextlabel.experiment.spec import Experiment
from nextlabel.features.block_creation import is_file
from nextlabel.files.digest import values_digest
from nextlabel.models.device import resolve_settings
from nextlabel.models.settings import ModelSettings


@dataclass(frozen=True)
class Resolution:
    """The values of files and machine-dependent settings; shared by all trials of an experiment.

    Parameters
    ----------
    blocks : mapping
        For each feature block, what decides its outcome in addition to data and seed; of a file,
        the sha256 of its content.
    weights : mapping
        For each arm what its task model starts from: "random", a block, or the sha256 of a weights
        file.
    training : mapping
        The training settings that decide the outcome, with the device and the precision that
        "auto" means here.
    """

    blocks: Mapping[str, Mapping[str, Any]]
    weights: Mapping[str, str]
    training: Mapping[str, Any]

    def public_name(self, block: str) -> str:
        """Return the name of a block in a trial's key: a file counts by content, not by path."""
        return f"sha256:{self.blocks[block]['sha256']}" if is_file(block) else block


def resolve(experiment: Experiment, arms: Iterable[Arm] | None = None) -> Resolution:
    """Resolve an experiment, reading each file once.

    Parameters
    ----------
    experiment : Experiment
        Settings that may name files and leave device and precision to the machine.
    arms : iterable of Arm, optional
        The arms whose blocks and models to resolve; by default all.

    Raises
    ------
    DataError
        When a file is missing or cannot be read.
    UsageError
        When this machine has no such device, or no numba for fast arithmetic.
    """
    wanted = experiment.arms if arms is None else tuple(arms)
    blocks = dict.fromkeys(name for arm in wanted for name in experiment.blocks_of(arm))
    identities = {name: experiment.identity_of(name) for name in blocks}
    training = resolve_settings(experiment.training.decisive())
    files: dict[str, str] = {}
    weights = {arm.name: _weights(experiment.model_of(arm), identities, files) for arm in wanted}
    return Resolution(identities, weights, training)


def _weights(
    model: ModelSettings, blocks: Mapping[str, Mapping[str, Any]], files: dict[str, str]
) -> str:
    """Return what a model starts from; `files` remembers the digests of files read."""
    if model.block is not None and model.block_use == "start":
        return f"block:{values_digest(blocks[model.block])}"
    if model.weights == "random":
        return "random"
    if model.weights not in files:
        from nextlabel.models.weights import load_weights

        weights = load_weights(model.weights)
        files[model.weights] = "random" if weights is None else weights.sha256
    return files[model.weights]
