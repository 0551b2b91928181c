"""Settings of an experiment on this machine: files, weights, device, precision."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from nextlabel.experiment.spec import Experiment
from nextlabel.features.create import is_file
from nextlabel.files.digest import values_digest
from nextlabel.models.device import resolve_settings


@dataclass(frozen=True)
class Resolution:
    """The values of files and machine-dependent settings; shared by all trials of an experiment.

    Parameters
    ----------
    blocks : mapping
        For each feature block, what decides its outcome in addition to data and seed; of a file,
        the sha256 of its content.
    weights : str
        What the task model starts from: "random", a block, or the sha256 of a weights file.
    training : mapping
        The training settings that decide the outcome, with the device and the precision that
        "auto" means here.
    """

    blocks: Mapping[str, Mapping[str, Any]]
    weights: str
    training: Mapping[str, Any]

    def public_name(self, block: str) -> str:
        """Return the name of a block in a trial's key: a file counts by content, not by path."""
        return f"sha256:{self.blocks[block]['sha256']}" if is_file(block) else block


def resolve(experiment: Experiment, blocks: Iterable[str] | None = None) -> Resolution:
    """Resolve an experiment, reading each file once.

    Parameters
    ----------
    experiment : Experiment
        Settings that may name files and leave device and precision to the machine.
    blocks : iterable of str, optional
        Names of the feature blocks to resolve; by default those of all arms.

    Raises
    ------
    DataError
        When a file is missing or cannot be read.
    UsageError
        When this machine has no such device.
    """
    if blocks is None:
        blocks = (name for arm in experiment.arms for name in experiment.blocks_of(arm))
    identities = {name: experiment.identity_of(name) for name in dict.fromkeys(blocks)}
    training = resolve_settings(experiment.training.decisive())
    return Resolution(identities, _weights(experiment, identities), training)


def _weights(experiment: Experiment, blocks: Mapping[str, Mapping[str, Any]]) -> str:
    model = experiment.model
    if model.block is not None and model.block_use == "start":
        return f"block:{values_digest(blocks[model.block])}"
    if model.weights == "random":
        return "random"
    from nextlabel.models.weights import load_weights

    weights = load_weights(model.weights)
    return "random" if weights is None else weights.sha256
