"""What a run would cost, before it is started."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nextlabel.core.dataset import Dataset
from nextlabel.core.seeds import Seeds
from nextlabel.lab.spec import Experiment
from nextlabel.lab.store import Store
from nextlabel.lab.trial import TrialSpec, load_data, trials
from nextlabel.models.pixels import to_device
from nextlabel.models.settings import Epochs
from nextlabel.models.shallow import ShallowModel
from nextlabel.models.task import TaskModel

PROBE_STEPS = 4
PROBE_COLUMNS = 32
ROUND_BYTES = 60_000


@dataclass(frozen=True)
class Plan:
    """Trials in all and to run, training samples, seconds with so many jobs, bytes on disk."""

    trials: int
    pending: int
    training_samples: int
    seconds: float
    disk_bytes: int
    jobs: int


def plan(
    experiment: Experiment,
    store: Store | None = None,
    *,
    data_dir: Path | None = None,
    cache_dir: Path | None = None,
    jobs: int = 1,
    progress: bool = False,
    arms: Sequence[str] | None = None,
) -> Plan:
    """Estimate what is still to do, by timing a few training steps; nothing is run or written.

    A round's training counts labelled × epochs samples. Round 0 is trained once a seed. The time
    is training alone: leave a tenth for the rest. With `arms`, only theirs are counted as ahead.
    """
    wanted = experiment.names_of(arms)
    data = load_data(experiment, data_dir, progress)
    ahead = []
    for trial in trials(experiment, jobs):
        known = _rounds_known(store, trial, data.checksum)
        if known < trial.rounds and trial.arm.name in wanted:
            ahead.append((trial, known))
    samples = sum(_samples(trial, known) for trial, known in ahead)
    shared = {trial.seed for trial, known in ahead if known == 0}
    twice = sum(known == 0 for _, known in ahead) - len(shared)
    samples -= max(0, twice) * _round_samples(experiment, 0)
    if experiment.model.shallow:
        seconds = _shallow_seconds(experiment, data) * sum(t.rounds - k for t, k in ahead)
        samples = weights = 0
    else:
        seconds = samples / _samples_per_second(experiment, data)
        network, _ = _model(experiment, data).initial(Seeds(0))
        weights = 4 * sum(p.numel() for p in network.parameters())
    disk = len(shared) * weights + sum((t.rounds - k) * ROUND_BYTES for t, k in ahead)
    return Plan(
        len(experiment.arms) * len(experiment.seeds),
        len(ahead),
        samples,
        seconds / max(1, min(jobs, len(ahead))),
        disk,
        jobs,
    )


def _rounds_known(store: Store | None, trial: TrialSpec, checksum: str) -> int:
    key = trial.key(checksum)  # also finds out whether all files are there
    if store is None or trial.experiment.name not in store.experiments():
        return 0
    states = {s.record.key: s.rounds for s in store.trials(trial.experiment.name)}
    return states.get(key, 0)


def _samples(trial: TrialSpec, known: int) -> int:
    return sum(_round_samples(trial.experiment, k) for k in range(known, trial.rounds))


def _round_samples(experiment: Experiment, number: int) -> int:
    labelled = min(experiment.target, experiment.initial + experiment.batch * number)
    return labelled * experiment.training.planned_epochs(number, labelled)


def _model(experiment: Experiment, data: Dataset) -> TaskModel:
    training = experiment.training.model_copy(
        update={"epochs": Epochs(initial=1, step=0), "min_steps": 0, "train_until": None}
    )
    return TaskModel(experiment.model, training, data.task, len(data.classes))


def _shallow_seconds(experiment: Experiment, data: Dataset) -> float:
    """Time one fit of a model that sees no pixels, at the target, on rows of the usual width."""
    rows = np.random.default_rng(0).normal(size=(len(data.train), PROBE_COLUMNS))
    assert data.train.labels is not None
    labelled = np.arange(experiment.target, dtype=np.int64)
    model = ShallowModel(experiment.model, data.task, len(data.classes))
    clock = time.perf_counter()
    model.fit(rows, labelled, data.train.labels[labelled])
    return time.perf_counter() - clock


def _samples_per_second(experiment: Experiment, data: Dataset) -> float:
    """Time an epoch of a few full batches, after one to warm up."""
    import torch

    torch.set_num_threads(experiment.training.threads)
    model = _model(experiment, data)
    size = experiment.training.batch_size * PROBE_STEPS
    rows = np.arange(size) % len(data.train)
    images = to_device(data.train.images[rows], model.device)
    assert data.train.labels is not None
    labels = data.train.labels[rows]
    model.fit(images[: size // 2], labels[: size // 2], 0, Seeds(0))
    clock = time.perf_counter()
    model.fit(images, labels, 0, Seeds(0))
    return size / (time.perf_counter() - clock)
