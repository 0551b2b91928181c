"""Bases of task models: a network on images, and a classifier on the rows of a block."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from nextlabel.core.space.scaled_blocks import ScaledBlocks
from nextlabel.core.task_model import TaskModel
from nextlabel.core.types import Array, Ids, Labels, Task
from nextlabel.models.settings import (
    BlockUse,
    ClassWeight,
    LossPredictionSettings,
    ModelSettings,
    TrainingSettings,
)

if TYPE_CHECKING:
    from nextlabel.models.cross_validation import BlockClassifier
    from nextlabel.models.networks.base import TaskNetwork


class NetworkSettings(ModelSettings):
    """Settings of a network on images; a subclass adds `network`."""

    has_feature_maps: ClassVar[bool] = True
    has_last_layer: ClassVar[bool] = True
    takes_weights: ClassVar[bool] = True

    batch_norm: Literal["recalibrate", "running"] = "recalibrate"

    def network(self, outputs: int) -> "TaskNetwork":
        """Return the untrained network with this number of outputs."""
        raise NotImplementedError(f"{type(self).__name__} has no method network; write one")

    def take_over(self, network: "TaskNetwork", state: Mapping[str, Array]) -> None:
        """Copy the state of a block into the network, for a model that starts from a block."""
        raise NotImplementedError(f"{type(self).__name__} has no method take_over; write one")

    def create(
        self,
        training: TrainingSettings,
        task: Task,
        outputs: int,
        *,
        loss_prediction: LossPredictionSettings | None = None,
        start: Mapping[str, Array] | None = None,
        cache_dir: Path | None = None,
    ) -> TaskModel:
        """Return the network as a task model, trained by SGD."""
        from nextlabel.models.network_model import NetworkModel

        return NetworkModel(self, training, task, outputs, cache_dir, loss_prediction, start)


class ClassicalSettings(ModelSettings):
    """Settings of a classifier on the rows of blocks; a subclass adds `classifier`."""

    block_use: ClassVar[BlockUse] = "rows"
    later: ClassVar[frozenset[str]] = frozenset({"temperature"})

    temperature: Literal["none", "cv"] = "none"
    """"cv" divides scores by the number that suits held-out labels best."""

    def classifier(self, rows: Array, labelled: Ids, labels: Labels) -> Any:
        """Return a fitted classifier with `classes_` and `predict_proba`.

        Parameters
        ----------
        rows
            The joined rows of the pool's blocks, float64 (N, d), of mean square distance 1 for one
            block.
        labelled
            The n ids of the labelled images.
        labels
            One class number per labelled image, (n), of two classes at least.
        """
        raise NotImplementedError(f"{type(self).__name__} has no method classifier; write one")

    def fit_blocks(self, rows: ScaledBlocks, labelled: Ids, labels: Labels) -> "BlockClassifier":
        """Return the classifier on blocks; by default `classifier` on the joined rows.

        Parameters
        ----------
        rows
            The N rows of the pool.
        labelled, labels
            As for `classifier`.
        """
        from nextlabel.models.classical import JoinedRows

        return JoinedRows(self.classifier(rows.rows(), labelled, labels))

    def create(
        self,
        training: TrainingSettings,
        task: Task,
        outputs: int,
        *,
        loss_prediction: LossPredictionSettings | None = None,
        start: Mapping[str, Array] | None = None,
        cache_dir: Path | None = None,
    ) -> TaskModel:
        """Return the classifier as a task model."""
        from nextlabel.models.classical import ClassicalModel

        return ClassicalModel(self, task, outputs)


class ClassWeightOption(ModelSettings):
    """The option `class_weight`."""

    later: ClassVar[frozenset[str]] = frozenset({"class_weight"})

    class_weight: ClassWeight = "none"
    """"balanced" has all classes count the same, however many labels each has."""
