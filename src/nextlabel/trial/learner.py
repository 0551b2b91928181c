"""The learner of one arm with one seed, which fits its blocks, task model and signals."""

import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from nextlabel.core.dataset import Dataset
from nextlabel.core.errors import DataError
from nextlabel.core.learner import Fitted, Metrics, Training
from nextlabel.core.pool import Pool
from nextlabel.core.seeds import Seeds
from nextlabel.core.snapshot import Snapshot
from nextlabel.core.space.block import FittedBlock
from nextlabel.core.space.scaled_blocks import ScaledBlocks
from nextlabel.core.task_model import FittedModel, ModelInputs, ModelOutputs, TaskModel
from nextlabel.core.types import Array, Labels, Part
from nextlabel.experiment.arm import Arm
from nextlabel.experiment.spec import Experiment
from nextlabel.features.blocks.base import ReadsModel
from nextlabel.features.cache import Cache
from nextlabel.features.fitted import circumstances, fitted_block, load_task_model, save_task_model
from nextlabel.models.loss_prediction import loss_correlation
from nextlabel.models.metrics import evaluate
from nextlabel.models.settings import ModelSettings
from nextlabel.statistics.reliability import reliability
from nextlabel.trial.resolution import Resolution
from nextlabel.trial.resolution import resolve as resolve_experiment
from nextlabel.trial.view import TrialView


@dataclass(frozen=True, eq=False)
class TrialLearner:
    """Fits an arm's models; what other arms fit alike is taken from the cache."""

    experiment: Experiment
    arm: Arm
    seeds: Seeds
    data: Dataset
    cache: Cache
    latest: dict[str, FittedBlock] = field(default_factory=dict)
    """The supervised blocks as the last round fitted them."""
    last: list["FittedRound"] = field(default_factory=list)
    """The models of the last round that was fitted, alone."""
    _blocks: dict[str, FittedBlock] = field(default_factory=dict)
    resolution: Resolution | None = None
    """The experiment's; resolved here where none is given."""
    _begun: list[float] = field(default_factory=list)
    """Seconds spent on blocks before the first fit, of which round 0 gives account."""

    @property
    def sequential(self) -> bool:
        """True when fine-tuning: a round then depends on the one before."""
        return self.experiment.training.refit == "finetune"

    @cached_property
    def settings(self) -> ModelSettings:
        """The settings of the arm's task model."""
        return self.experiment.model_of(self.arm)

    @cached_property
    def model(self) -> TaskModel:
        """The task model to fit, with the module P where the arm trains it."""
        spec = self.experiment
        start = None
        uses_state = self.settings.block_use == "start" or self.settings.reads_state
        if self.settings.block is not None and uses_state:
            start = self.block(self.settings.block).state
        return self.settings.create(
            spec.training,
            self.data.task,
            len(self.data.classes),
            loss_prediction=spec.loss_prediction if self.arm.predicts_loss else None,
            start=start,
        )

    def inputs(self, part: Part, blocks: Mapping[str, FittedBlock]) -> ModelInputs:
        """Return what the task model may read of a part; no side rows where a block has none."""
        weights = self.settings.row_blocks
        arrays = {name: blocks[name].rows(part) for name in weights}
        distances = {name: blocks[name].rms_distance for name in weights}
        rows = ScaledBlocks.of(arrays, weights, distances) if weights else None
        missing = part != "train" and self.without_rows(part, blocks)
        side = None if missing else self.side(part, blocks)
        return ModelInputs(part, self.data.part(part).images, rows, side)

    def without_rows(self, part: Part, blocks: Mapping[str, FittedBlock]) -> list[str]:
        """Return the side blocks that have no rows for a part."""
        return [name for name in self.arm.side_blocks if part not in blocks[name].features]

    def cold(self, pool: Pool, needs: frozenset[str]) -> Snapshot:
        """Return the task-agnostic part of the space; UsageError when there is none."""
        start = self._worked()
        blocks = {name: self.block(name) for name in self.arm.blocks} if needs else {}
        self._begun.append(self._worked() - start)
        return TrialView(self.data, self.arm, blocks, None).snapshot(pool, needs, self.seeds, 0)

    def fit(
        self, pool: Pool, labels: Labels, number: int, previous: Fitted | None
    ) -> "FittedRound":
        """Fit the arm's blocks (those that use no label once) and the task model for a round."""
        start = self._worked()
        blocks = {
            name: self._refitted(name, pool, labels, number)
            for name in self.experiment.blocks_of(self.arm)
        }
        fitting = self._worked()
        before = previous.model if isinstance(previous, FittedRound) else None
        fitted = self._model(pool, labels, number, blocks, before)
        spent = fitting - start + sum(self._begun)
        self._begun.clear()
        trained = self._worked()
        blocks |= self._fitted_to(fitted, pool, number, blocks)
        spent += self._worked() - trained
        seconds = {"blocks": spent, "train": trained - fitting}
        training = replace(fitted.training, seconds=seconds)
        self.last[:] = [FittedRound(self, fitted, training, blocks, number)]
        return self.last[0]

    def _worked(self) -> float:
        """Return seconds that pass, but not while another process makes what this one needs."""
        return time.perf_counter() - self.cache.waited

    def _model(
        self,
        pool: Pool,
        labels: Labels,
        number: int,
        blocks: Mapping[str, FittedBlock],
        before: FittedModel | None,
    ) -> FittedModel:
        """Fit the task model; round 0 may come from an arm that trained alike."""
        spec, model = self.experiment, self.model

        def make() -> FittedModel:
            inputs = self.inputs("train", blocks)
            return model.fit(inputs, pool.labelled, labels, number, self.seeds, before)

        if number or not model.cached:
            return make()

        def first() -> tuple[dict[str, Any], Training]:
            fitted = make()
            return fitted.state(), fitted.training

        resolution = self.resolution or resolve_experiment(spec, [self.arm])
        how = dict(resolution.training)
        del how["device"]  # of the circumstances
        identity = {
            **circumstances(self.data, self.seeds, spec.training),
            "model": {k: v for k, v in self.settings.decisive().items() if k != "weights"},
            "weights": resolution.weights[self.arm.name],
            "training": how,
            "labelled": pool.labelled.tolist(),
            **self._head_identity(resolution),
        }
        (state, training), _ = self.cache.get(
            "round0", identity, first, save_task_model, load_task_model
        )
        return model.restore(state, training)

    def _head_identity(self, resolution: Resolution) -> dict[str, Any]:
        """Return the settings that decide how P trains, for arms that have it."""
        spec, arm = self.experiment, self.arm
        if not arm.predicts_loss:
            return {}
        side = {name: [arm.side[name], resolution.blocks[name]] for name in arm.side_blocks}
        settings = spec.loss_prediction.decisive()
        return {"loss_prediction": settings, "side": side, "side_scale": arm.scale}

    def side(self, part: Part, blocks: Mapping[str, FittedBlock]) -> Array | None:
        """Return what P reads in addition to feature maps, float32 rows (n, d); None for nothing.

        Columns of every part are scaled by the pool's distances. Raises DataError for a row
        that is not finite.
        """
        names = self.arm.side_blocks
        if not names:
            return None
        space = self.arm.side_space
        pool = space.embed(
            {name: blocks[name].rows("train") for name in names},
            {name: blocks[name].rms_distance for name in names},
        )
        rows = []
        for name, (_, factor) in zip(names, pool.blocks, strict=True):
            seen = space.by_row(blocks[name].rows(part))
            side_rows = np.asarray(seen, np.float32) * np.float32(factor)
            bad = np.flatnonzero(~np.isfinite(side_rows).all(axis=1))
            if bad.size:
                raise DataError(
                    f"block {name!r} is not finite in row {bad[0]} of {part}; give numbers there",
                    code="not-finite",
                )
            rows.append(side_rows)
        return np.concatenate(rows, axis=1)

    def _refitted(self, name: str, pool: Pool, labels: Labels, number: int) -> FittedBlock:
        """Return a block as this round has it: a supervised one is fitted to the labels."""
        beginning = self.block(name)
        block = self.experiment.block(name)
        used = name in self.experiment.rows_of(self.arm)
        if not block.supervised or isinstance(block, ReadsModel) or not used:
            return beginning
        fitted = block.fit(self.data, pool, labels, number, self.seeds, beginning)
        self.latest[name] = fitted
        return fitted

    def _fitted_to(
        self, model: FittedModel, pool: Pool, number: int, blocks: Mapping[str, FittedBlock]
    ) -> dict[str, FittedBlock]:
        """Return the blocks that read the task model of this round, fitted to it."""
        used = {name: self.experiment.block(name) for name in self.experiment.rows_of(self.arm)}
        reading = {name: block for name, block in used.items() if isinstance(block, ReadsModel)}
        if not reading:
            return {}
        outputs = model.predict(self.inputs("train", blocks))
        fitted = {
            name: block.fit_to_model(self.data, pool, outputs, number, self.seeds, self.block(name))
            for name, block in reading.items()
        }
        self.latest.update(fitted)
        return fitted

    def block(self, name: str) -> FittedBlock:
        """Return the block as fitted to the images alone, now or taken from the cache."""
        if name not in self._blocks:
            self._blocks[name] = fitted_block(
                self.experiment.block(name),
                self.data,
                self.seeds,
                self.experiment.training,
                self.cache,
            )
        return self._blocks[name]


@dataclass(frozen=True, eq=False)
class FittedRound:
    """The models of one round; all signals share one pass over the pool."""

    learner: TrialLearner
    model: FittedModel
    training: Training
    blocks: Mapping[str, FittedBlock]
    number: int

    def snapshot(self, pool: Pool, needs: frozenset[str]) -> Snapshot:
        """Compute the signals in `needs` in one pass over the pool."""
        learner = self.learner
        view = TrialView(learner.data, learner.arm, self.blocks, lambda: self._infer("train"))
        return view.snapshot(pool, needs, learner.seeds, self.number)

    def _infer(self, part: Part) -> ModelOutputs:
        return self.model.predict(self.learner.inputs(part, self.blocks))

    def reliability(self) -> list[dict[str, float]]:
        """Return the reliability on the validation images; empty without validation labels."""
        validation = self.learner.data.validation
        if validation.labels is None or not len(validation):
            return []
        seen = self._infer("validation").probabilities
        return reliability(seen, validation.labels, self.learner.data.task)

    def evaluate(self) -> Metrics:
        """Measure on validation, and on test where there is one; nothing is decided on test.

        Where P is trained, `loss_correlation` is the rank correlation of predicted and true losses;
        warns of a part without it, since a side block has no rows there.
        """
        metrics: dict[str, float] = {}
        parts: tuple[Part, ...] = ("validation", "test")
        task = self.learner.data.task
        for part in parts:
            labels = self.learner.data.part(part).labels
            if labels is None or not len(labels):
                continue
            seen = self._infer(part)
            if bare := self.learner.without_rows(part, self.blocks):
                warnings.warn(
                    f"block {bare[0]!r} has no rows for the {part} images, so how well losses are "
                    "predicted there (loss_correlation) is not measured; append those rows to it",
                    stacklevel=2,
                )
            measured = evaluate(seen.probabilities, labels, task)
            metrics |= {f"{part}/{name}": value for name, value in measured.items()}
            if seen.predicted_loss is not None:
                correlation = loss_correlation(
                    seen.predicted_loss, seen.probabilities, labels, task
                )
                if correlation is not None:
                    metrics[f"{part}/loss_correlation"] = correlation
        return metrics
