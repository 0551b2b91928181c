"""The pool as signals read it: its images, with outputs and blocks of the models of one round."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from nextlabel.core.dataset import Dataset
from nextlabel.core.errors import UsageError
from nextlabel.core.pool import Pool
from nextlabel.core.seeds import Seeds
from nextlabel.core.snapshot import Snapshot
from nextlabel.core.space.block import FittedBlock
from nextlabel.core.space.embedding import Embedding
from nextlabel.core.space.feature_space import FeatureSpace
from nextlabel.core.task_model import ModelOutputs
from nextlabel.core.types import Array, Task
from nextlabel.experiment.arm import TASK, Arm
from nextlabel.models import signals


@dataclass(frozen=True, eq=False)
class TrialView:
    """A `PoolView` of a trial's round; the task model passes over the pool once, if at all.

    `predict` makes that pass. Without it there is no task model yet, and the space has the
    task-agnostic blocks alone.
    """

    data: Dataset
    arm: Arm
    blocks: Mapping[str, FittedBlock]
    predict: Callable[[], ModelOutputs] | None

    @property
    def task(self) -> Task:
        """The task of the data set."""
        return self.data.task

    @property
    def images(self) -> Array:
        """The images of the pool, uint8 (N, C, H, W)."""
        return self.data.train.images

    @cached_property
    def outputs(self) -> ModelOutputs:
        """The task model's predictions for the pool; UsageError before any label is there."""
        if self.predict is None:
            raise UsageError(
                "a signal reads the task model before any label is there; choose a start that "
                "needs features alone",
                code="signal-before-labels",
            )
        return self.predict()

    @cached_property
    def space(self) -> Embedding:
        """The pool in the arm's feature space (equation 6)."""
        space = self.arm.space
        if self.predict is None:
            weights = {name: self.arm.features[name] for name in self.arm.blocks}
            space = FeatureSpace(weights, space.scale)
        return space.embed(
            {
                name: self.outputs.features if name == TASK else self.blocks[name].rows("train")
                for name in space.blocks
            },
            {name: block.rms_distance for name, block in self.blocks.items()},
        )

    def block(self, name: str) -> FittedBlock:
        """Return a block as this round fitted it."""
        return self.blocks[name]

    @property
    def true_labels(self) -> Array:
        """The labels of the whole pool, int64 (N) or (N, K): a trial is a simulation."""
        labels = self.data.train.labels
        assert labels is not None
        return labels

    def snapshot(self, pool: Pool, needs: frozenset[str], seeds: Seeds, number: int) -> Snapshot:
        """Return the snapshot of round `number` with the signals in `needs`."""
        computed = {
            name: signals.compute(name, self, seeds.rng(f"signal {name}", number))
            for name in sorted(needs)
        }
        return Snapshot(pool, self.task, signals=computed)
