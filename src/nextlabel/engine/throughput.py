"""How fast this machine trains what an experiment asks for: a few steps, timed."""

import time
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nextlabel.core.dataset import Dataset
from nextlabel.core.seeds import Seeds
from nextlabel.experiment.spec import Experiment
from nextlabel.models.classical import ShallowModel
from nextlabel.models.normalise import to_device
from nextlabel.models.settings import Epochs
from nextlabel.models.task import TaskModel

STEPS = 4
COLUMNS = 32
PIXELS = 2**22
"""Of all images that are timed, so that large ones do not make a plan long."""


@dataclass(frozen=True, eq=False)
class Pace:
    """Seconds of what an experiment trains, each found by doing a little of it."""

    experiment: Experiment
    data: Dataset

    @property
    def model(self) -> TaskModel:
        """The task model, to be trained for one epoch."""
        spec = self.experiment
        training = spec.training.model_copy(
            update={"epochs": Epochs(initial=1, step=0), "min_steps": 0, "train_until": None}
        )
        return TaskModel(spec.model, training, self.data.task, len(self.data.classes))

    @cached_property
    def shallow_seconds(self) -> float:
        """One fit of a model that sees no pixels, at the target, on rows of the usual width."""
        rows = np.random.default_rng(0).normal(size=(len(self.data.train), COLUMNS))
        assert self.data.train.labels is not None
        labelled = np.arange(self.experiment.target, dtype=np.int64)
        model = ShallowModel(self.experiment.model, self.data.task, len(self.data.classes))
        clock = time.perf_counter()
        model.fit(rows, labelled, self.data.train.labels[labelled])
        return time.perf_counter() - clock

    @cached_property
    def sample_seconds(self) -> float:
        """One image in one epoch of the task model, from a few full batches, after one to warm."""
        import torch

        torch.set_num_threads(self.experiment.training.threads)
        size = self._bounded(self.experiment.training.batch_size * STEPS)
        rows = np.arange(size) % len(self.data.train)
        model = self.model
        images = to_device(self.data.train.images[rows], model.device)
        assert self.data.train.labels is not None
        labels = self.data.train.labels[rows]
        model.fit(images[: size // 2], labels[: size // 2], 0, Seeds(0))
        clock = time.perf_counter()
        model.fit(images, labels, 0, Seeds(0))
        return (time.perf_counter() - clock) / size

    def _bounded(self, size: int) -> int:
        """Return so many images, or as many as have PIXELS, at least four."""
        _, _, height, width = self.data.train.images.shape
        return int(max(4, min(size, PIXELS // (height * width))))
