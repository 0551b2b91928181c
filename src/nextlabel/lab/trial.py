"""The composition root: an arm and a seed become an iterator of rounds."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nextlabel.algorithm1 import algorithm1, check_sizes
from nextlabel.core.block import FittedBlock
from nextlabel.core.dataset import Dataset
from nextlabel.core.errors import DataError, UsageError
from nextlabel.core.oracle import Reveal
from nextlabel.core.picture import contact_sheet
from nextlabel.core.round import Round
from nextlabel.core.seeds import Seeds
from nextlabel.core.types import Part
from nextlabel.lab.cache import Cache, digest
from nextlabel.lab.learner import TrialLearner, weights_identity
from nextlabel.lab.spec import Arm, Experiment
from nextlabel.models.device import resolve_settings
from nextlabel.models.metrics import MEASURED, RANKING, warn_undefined
from nextlabel.strategies import create

KEY_VERSION = 1
SHOWN = 64


@dataclass(frozen=True)
class TrialSpec:
    """One arm with one seed: what a worker needs to run it."""

    experiment: Experiment
    arm: Arm
    seed: int

    @property
    def rounds(self) -> int:
        """How many rounds it takes to the target, the initial one counted."""
        spec = self.experiment
        return 1 + -(-(spec.target - spec.initial) // spec.batch)

    def labelled(self, number: int) -> int:
        """Return |L| in round `number`."""
        spec = self.experiment
        return min(spec.target, spec.initial + spec.batch * number)

    @property
    def training(self) -> dict[str, Any]:
        """The settings of the training as they stand for here; UsageError without that device."""
        return resolve_settings(self.experiment.training.decisive())

    def outcome(self, data_checksum: str) -> dict[str, Any]:
        """Return all that decides the outcome: not the target, and not how many run at once.

        Files count by their content, wherever they lie. A setting that is added one day must be
        left out at its default here (`Settings.later`), so that the trials known by then keep
        their keys.
        """
        spec = self.experiment
        arm = self.arm.decisive()
        del arm["baseline"]
        blocks = {name: spec.identity_of(name) for name in spec.blocks_of(self.arm)}
        named = {
            n: f"sha256:{i['sha256']}" if set(i) == {"sha256"} else n for n, i in blocks.items()
        }
        for space in {"features", "side"} & set(arm):
            arm[space] = {named.get(n, n): weight for n, weight in arm[space].items()}
        model = spec.model.decisive() | {"weights": weights_identity(spec)}
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
            "training": self.training,
            "blocks": {named[name]: identity for name, identity in blocks.items()},
        }
        if self.arm.predicts_loss:
            found["loss_prediction"] = spec.loss_prediction.decisive()
        return found

    def key(self, data_checksum: str) -> str:
        """Return the sha256 that names this trial wherever it runs."""
        return digest(self.outcome(data_checksum))


def trials(experiment: Experiment, jobs: int = 1) -> list[TrialSpec]:
    """Return arms × seeds, so ordered that trials run at once do not wait for shared artefacts."""
    seeds = experiment.seeds
    ordered = []
    for start in range(0, len(seeds), max(1, jobs)):
        for arm in experiment.arms:
            ordered += [TrialSpec(experiment, arm, seed) for seed in seeds[start : start + jobs]]
    return ordered


def load_data(experiment: Experiment, data_dir: Path | None, progress: bool = False) -> Dataset:
    """Load the experiment's data set and refuse what no trial could use.

    `progress` draws the bars of a download on stderr.

    Raises DataError when a label is unknown, when there is one class only, or when there is
    nothing to validate on; UsageError when the sizes do not fit or the headline is not measured.
    """
    from nextlabel.data import load

    size = experiment.model.image_size
    data = load(experiment.data, image_size=size, data_dir=data_dir, progress=progress)
    check_sizes(len(data.train), experiment.initial, experiment.batch, experiment.target)
    judged: tuple[Part, ...] = ("train", "validation")
    for part in judged:
        labels = data.part(part).labels
        if labels is None or not len(labels):
            raise DataError(
                f"{data.name} has no {part} labels; an experiment needs them, so give labels or "
                "use `nextlabel select` on unlabelled images"
            )
        lacking = (labels < 0).reshape(len(labels), -1).any(axis=1)
        if lacking.any():
            what = "have no label" if labels.ndim == 1 else "lack the label of a class"
            raise DataError(
                f"{data.name}: {int(lacking.sum())} {part} images {what}, the first in "
                f"{data.whereabouts(part, int(lacking.argmax()))}; a simulation needs all labels, "
                "so leave such images out of the data"
            )
    train = data.train.labels
    assert train is not None
    if data.task == "multiclass" and len(np.unique(train)) < 2:
        raise DataError(
            f"{data.name}: all {len(train)} training images are of one class; "
            "there is nothing to tell apart"
        )
    headline(experiment, data)
    return data


def headline(experiment: Experiment, data: Dataset) -> str:
    """Return the metric of curves and tests; refuse one that no round will have.

    Raises UsageError when it is not measured on such data, DataError when it is not defined there.
    """
    chosen = experiment.headline or f"validation/{MEASURED[data.task][0]}"
    parts = [part for part in ("validation", "test") if len(getattr(data, part))]
    known = [f"{part}/{name}" for part in parts for name in MEASURED[data.task]]
    if chosen not in known:
        raise UsageError(
            f"headline {chosen!r} is not measured on {data.name}, which is {data.task}; "
            f"set it to one of {', '.join(known)}"
        )
    part, _, name = chosen.partition("/")
    labels = getattr(data, part).labels
    if name in RANKING and (labels == labels[:1]).all():
        others = [key for key in known if key.rpartition("/")[2] not in RANKING]
        raise DataError(
            f"headline {chosen!r} is not defined, since all {part} images of {data.name} are of "
            f"one kind; give images of another, or set headline to one of {', '.join(others)}"
        )
    return chosen


def initial_weights(trial: TrialSpec, data: Dataset, cache: Cache) -> str:
    """Return the sha256 of the weights that every round starts from; "none" without any."""
    if trial.experiment.model.shallow:
        return "none"
    network, _ = learner_of(trial, data, cache).model.initial(Seeds(trial.seed))
    found = hashlib.sha256()
    for tensor in network.state_dict().values():
        found.update(tensor.contiguous().numpy().data)
    return found.hexdigest()


def run_trial(
    trial: TrialSpec,
    data: Dataset,
    cache: Cache,
    history: Sequence[Round] = (),
    learner: TrialLearner | None = None,
) -> Iterator[tuple[Round, Mapping[str, bytes]]]:
    """Yield each round that `history` does not have, with a picture of what was chosen.

    Give a learner, of `learner_of`, to ask it for its blocks afterwards.
    """
    import torch

    spec, arm = trial.experiment, trial.arm
    torch.set_num_threads(spec.training.threads)
    warn_undefined(data)
    assert data.train.labels is not None
    seeds = Seeds(trial.seed)
    rounds = algorithm1(
        size=len(data.train),
        initial=spec.initial,
        batch=spec.batch,
        target=spec.target,
        oracle=Reveal(data.train.labels),
        learner=learner_of(trial, data, cache) if learner is None else learner,
        strategy=create(arm.strategy, arm.options),
        seeds=seeds,
        start=None if arm.start == "random" else create(arm.start),
        history=history,
    )
    for found in rounds:
        yield found, {"picked": contact_sheet(data.train.images[found.chosen[:SHOWN]])}


BlockRecords = dict[str, tuple[Sequence[Mapping[str, float]], Mapping[str, bytes]]]
"""Log and pictures by block."""


def learner_of(trial: TrialSpec, data: Dataset, cache: Cache) -> TrialLearner:
    """Return the learner of a trial."""
    return TrialLearner(trial.experiment, trial.arm, Seeds(trial.seed), data, cache)


def beginning_records(learner: TrialLearner) -> BlockRecords:
    """Return what the arm's blocks have to show, as fitted to the images alone."""
    names = learner.experiment.blocks_of(learner.arm)
    return _records({name: learner.block(name) for name in names})


def last_records(learner: TrialLearner) -> BlockRecords:
    """Return what the supervised blocks have to show, as the last round fitted them."""
    return _records({f"{name}, last round": b for name, b in learner.latest.items()})


def _records(blocks: Mapping[str, FittedBlock]) -> BlockRecords:
    return {name: (b.log, b.pictures) for name, b in blocks.items() if b.log or b.pictures}
