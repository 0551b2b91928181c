"""A trial's learner: blocks, task model and signals, for one arm and one seed."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from nextlabel.core.block import FittedBlock
from nextlabel.core.dataset import Dataset
from nextlabel.core.errors import UsageError
from nextlabel.core.features import Embedding
from nextlabel.core.learner import Fitted, Metrics, Training
from nextlabel.core.pool import Pool
from nextlabel.core.seeds import Seeds
from nextlabel.core.snapshot import Snapshot
from nextlabel.core.types import Array, Labels, Part, Signal
from nextlabel.lab.artefacts import circumstances, fitted_block, load_task, save_task
from nextlabel.lab.cache import Cache
from nextlabel.lab.spec import TASK, Arm, Experiment
from nextlabel.models.metrics import evaluate
from nextlabel.models.pixels import to_device
from nextlabel.models.task import FittedTask, Inference, TaskModel


@dataclass(frozen=True, eq=False)
class TrialLearner:
    """Fits an arm's models; what other arms fit alike is taken from the cache."""

    experiment: Experiment
    arm: Arm
    seeds: Seeds
    data: Dataset
    cache: Cache
    _blocks: dict[str, FittedBlock] = field(default_factory=dict)
    _tensors: dict[Part, Any] = field(default_factory=dict)

    @property
    def sequential(self) -> bool:
        """True when fine-tuning: a round then depends on the one before."""
        return self.experiment.training.refit == "finetune"

    @property
    def model(self) -> TaskModel:
        """The task model to fit."""
        spec = self.experiment
        return TaskModel(spec.model, spec.training, self.data.task, len(self.data.classes))

    def cold(self, pool: Pool, needs: frozenset[Signal]) -> Snapshot:
        """Return the task-agnostic part of the space; UsageError when more is needed."""
        if not needs:
            return Snapshot(pool, self.data.task)
        if not self.arm.blocks:
            raise UsageError(
                f"start {self.arm.start!r} needs features before any label is there, and arm "
                f"{self.arm.name!r} has those of the task model alone; add a block to its features"
            )
        rows = {name: self.block(name).rows("train") for name in self.arm.blocks}
        space = replace(self.arm.space, weights={n: self.arm.features[n] for n in self.arm.blocks})
        return Snapshot(pool, self.data.task, space.embed(rows))

    def fit(
        self, pool: Pool, labels: Labels, number: int, previous: Fitted | None
    ) -> "FittedRound":
        """Fit the arm's blocks (once) and the task model for round `number`."""
        clock = time.perf_counter()
        for name in self.arm.blocks:
            self.block(name)
        blocks = time.perf_counter() - clock
        before = previous.model if isinstance(previous, FittedRound) else None
        if number == 0:
            fitted = self._first(pool, labels)
        else:
            rows = self.images("train")[to_index(pool.labelled)]
            fitted = self.model.fit(rows, labels, number, self.seeds, before)
        spent = time.perf_counter() - clock - blocks
        seconds = {"blocks": blocks, "train": spent}
        return FittedRound(self, fitted, replace(fitted.training, seconds=seconds))

    def _first(self, pool: Pool, labels: Labels) -> FittedTask:
        """Fit round 0, or take it from an arm that trained alike on the same labels."""
        model = self.model

        def make() -> tuple[dict[str, Any], Training]:
            rows = self.images("train")[to_index(pool.labelled)]
            fitted = model.fit(rows, labels, 0, self.seeds)
            return fitted.state(), fitted.training

        identity = {
            **circumstances(self.data, self.seeds, self.experiment.training),
            "model": self.experiment.model.model_dump(mode="json", exclude={"weights"}),
            "weights": weights_identity(self.experiment),
            "training": self.experiment.training.model_dump(mode="json", exclude={"device"}),
            "labelled": pool.labelled.tolist(),
        }
        (state, training), _ = self.cache.get("round0", identity, make, save_task, load_task)
        return model.restore(state, training)

    def block(self, name: str) -> FittedBlock:
        """Return the block's features, fitted at first use or taken from the cache."""
        if name not in self._blocks:
            self._blocks[name] = fitted_block(
                self.experiment.block(name),
                self.data,
                self.seeds,
                self.experiment.training,
                self.cache,
            )
        return self._blocks[name]

    def images(self, part: Part) -> Any:
        """Return the images of a part as a uint8 tensor on the model's device."""
        if part not in self._tensors:
            self._tensors[part] = to_device(self.data.part(part).images, self.model.device)
        return self._tensors[part]


@dataclass(frozen=True, eq=False)
class FittedRound:
    """A round's models; the pool is looked at once, however many signals are asked for."""

    learner: TrialLearner
    model: FittedTask
    training: Training

    def snapshot(self, pool: Pool, needs: frozenset[Signal]) -> Snapshot:
        """Compute the signals in `needs` in one pass over the pool."""
        learner, seen = self.learner, None
        space = learner.arm.space
        if "probabilities" in needs or ("features" in needs and TASK in space.blocks):
            seen = self.model.infer(learner.images("train"))
        return Snapshot(
            pool,
            learner.data.task,
            features=self._embed(seen) if "features" in needs else None,
            probabilities=_sure(seen).probabilities if "probabilities" in needs else None,
        )

    def _embed(self, seen: Inference | None) -> Embedding:
        space = self.learner.arm.space
        rows: Mapping[str, Array] = {
            name: _sure(seen).features if name == TASK else self.learner.block(name).rows("train")
            for name in space.blocks
        }
        return space.embed(rows)

    def evaluate(self) -> Metrics:
        """Measure on validation, and on test where there is one; nothing is decided on test."""
        found: dict[str, float] = {}
        parts: tuple[Part, ...] = ("validation", "test")
        for part in parts:
            labels = self.learner.data.part(part).labels
            if labels is None or not len(labels):
                continue
            seen = self.model.infer(self.learner.images(part))
            measured = evaluate(seen.probabilities, labels, self.learner.data.task)
            found |= {f"{part}/{name}": value for name, value in measured.items()}
        return found


def weights_identity(experiment: Experiment) -> str:
    """Return what the task model starts from: "random", or the sha256 of the file's bytes."""
    from nextlabel.models.weights import load_weights

    weights = load_weights(experiment.model.weights)
    return "random" if weights is None else weights.sha256


def to_index(ids: Array) -> Any:
    """Return ids as a torch index."""
    import torch

    return torch.from_numpy(np.array(ids))


def _sure(seen: Inference | None) -> Inference:
    assert seen is not None
    return seen
