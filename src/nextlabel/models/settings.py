"""Settings of the task model, of its training and of the module P."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, cast

from pydantic import Field, field_validator, model_validator

from nextlabel.core.settings import Settings
from nextlabel.core.space.feature_space import FeatureSpace
from nextlabel.core.task_model import TaskModel
from nextlabel.core.types import Array, Task

Device = Literal["auto", "cpu", "cuda", "mps"]
"""The device of training; "auto" takes CUDA, else MPS, else the processor."""

Precision = Literal["auto", "fp32", "bf16"]
"""The precision of products in training; "auto" is bfloat16 where the device has units for it."""

BlockUse = Literal["none", "start", "rows"]
"""The use that a model makes of its block: none, its weights as the start, or its rows."""

Regularisation = float | Literal["cv"]
"""The inverse strength C of a regularisation, or "cv": chosen on held-out labels."""

ClassWeight = Literal["none", "balanced"]
"""The weight of a class in a fit: by its labels ("none"), or the same for all ("balanced")."""

MOST_ITERATIONS = 1000
"""The most iterations of a classifier."""


class ModelSettings(Settings):
    """Settings that every task model has; a subclass adds its own options and `create`.

    `weights` is "random", "imagenet", or a path or URL of a torchvision state dict. `block` names
    the feature block that a model reads, or starts from; `blocks` are several to read, with their
    weights, each divided by its root-mean-square distance (equation 6).
    """

    later: ClassVar[frozenset[str]] = frozenset({"blocks"})

    has_feature_maps: ClassVar[bool] = False
    """True when the model has feature maps, which the module P reads."""
    has_last_layer: ClassVar[bool] = False
    """True when a linear layer leads from the features to the probabilities."""
    takes_weights: ClassVar[bool] = False
    """True when a file of weights may be given."""
    published: ClassVar[bool] = False
    """True when weights of ImageNet are published."""
    block_use: ClassVar[BlockUse] = "none"
    reads_state: ClassVar[bool] = False
    """True when a model that reads rows needs the state of its block as well."""
    make: ClassVar[int | None] = None
    """A number that is raised when the layers change, so that older trials do not continue."""

    name: str
    """Name of the task model."""
    weights: str = "random"
    """"random", "imagenet", or a path or URL of a torchvision state dict."""
    image_size: int | None = Field(None, ge=8, le=1024)
    """Resize images to this many pixels; as they are if not set."""
    block: str | None = None
    """Feature block that a model reads, or that "encoder" starts from."""
    blocks: Mapping[str, float] = Field(default_factory=dict)
    """Weights of several feature blocks that a model reads, in place of `block`."""

    @property
    def row_blocks(self) -> Mapping[str, float]:
        """The blocks whose rows the model reads, sorted, with weights above 0."""
        if self.block_use != "rows":
            return {}
        if self.block is not None:
            return {self.block: 1.0}
        return {name: self.blocks[name] for name in FeatureSpace(self.blocks).blocks}

    @property
    def used_blocks(self) -> tuple[str, ...]:
        """The names of all blocks that the model reads or starts from."""
        if self.block_use == "rows":
            return tuple(self.row_blocks)
        return () if self.block is None else (self.block,)

    def decisive(self) -> dict[str, Any]:
        """Return all that decides the outcome, with the make of the model."""
        return super().decisive() | ({} if self.make is None else {"make": self.make})

    @model_validator(mode="after")
    def _weights_and_block_where_they_count(self) -> "ModelSettings":
        if self.weights == "imagenet" and not self.published:
            raise ValueError(
                f'no ImageNet weights are published for {self.name}; set weights = "random"'
            )
        if self.blocks and self.block_use != "rows":
            raise ValueError(f"model {self.name} reads no blocks; leave blocks out")
        if self.blocks and self.block is not None:
            raise ValueError(
                f"block {self.block!r} and blocks are both set; put the block among blocks"
            )
        if self.block_use == "rows" and self.block is None:
            if not self.blocks:
                raise ValueError(f'model {self.name} needs a block to see; set block = "pca"')
            FeatureSpace(self.blocks)
        if self.block is not None and self.block_use == "none":
            raise ValueError(f"model {self.name} has no use for block {self.block!r}; leave it out")
        if self.weights != "random" and not self.takes_weights:
            raise ValueError(f'model {self.name} takes no weights file; set weights = "random"')
        return self

    def create(
        self,
        training: "TrainingSettings",
        task: Task,
        outputs: int,
        *,
        loss_prediction: "LossPredictionSettings | None" = None,
        start: Mapping[str, Array] | None = None,
        cache_dir: Path | None = None,
    ) -> TaskModel:
        """Return the task model to fit.

        Parameters
        ----------
        training
            The settings of the training.
        task, outputs
            The task, and the number of classes or findings.
        loss_prediction
            The settings of the module P, where it is trained along.
        start
            The state of the block that the model starts from, where `block_use` is "start" or the
            model `reads_state`; None in a plan.
        cache_dir
            The folder of downloaded weights.
        """
        raise NotImplementedError(f"{type(self).__name__} has no method create; write one")


class ShippedOptions(ModelSettings):
    """The table `[model]` of the task models that nextlabel has.

    `weights` is "random", "imagenet", or a path or URL of a torchvision state dict; the other
    models, for which none are published, start at random. `batch_norm = "recalibrate"` takes
    BatchNorm's statistics again over the labelled set after training, since running averages lag
    after few steps; "running" leaves them, as the paper does.

    `block` is the basis of the models other than "resnet18" and "small_cnn": "encoder", the network
    of a VAE's encoder, starts from that block's weights (at random without one); "linear", a
    logistic regression of inverse strength `regularisation`, and "label_spreading", over
    `neighbours` nearest images, read the block's rows and no pixel, so that a space can be judged
    by itself. They and "knn", "blend" and "ensemble" also read several `blocks` with weights, such
    as { pca = 1.0, vae = 1.0 }.

    The keys of stored trials contain these options for each of the models, so all have them.
    """

    later: ClassVar[frozenset[str]] = frozenset({"block", "regularisation", "neighbours"})

    name: str = "resnet18"
    """Name of the task model."""
    stem: Literal["imagenet", "small"] = "imagenet"
    """"small" is a 3×3 convolution without pooling, for small images."""
    batch_norm: Literal["recalibrate", "running"] = "recalibrate"
    """"recalibrate" computes the statistics again after training; "running" keeps averages."""
    regularisation: Regularisation = 10.0
    """Inverse strength of the regularisation of "linear"; "cv" chooses it on held-out labels."""
    neighbours: int = Field(10, ge=1)
    """Number of nearest images that "label_spreading" connects."""

    @field_validator("regularisation", mode="before")
    @classmethod
    def _above_zero_or_cv(cls, value: object) -> object:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if value != "cv" and not (number and cast(float, value) > 0):
            raise ValueError(f'{value!r} must be a number above 0 or "cv"; give one of them')
        return value


class Epochs(Settings):
    """The epochs of a round: `initial` epochs on the initial set, `step` more each round."""

    initial: int = Field(10, ge=1)
    """Epochs of the round on the initial labels."""
    step: int = Field(5, ge=0)
    """Additional epochs per round."""


class TrainUntil(Settings):
    """Aim for a train accuracy: stop `early` once there; else go on up to `cap` epochs."""

    accuracy: float = Field(0.99, gt=0, le=1)
    """Train accuracy to reach."""
    early: bool = True
    """Stop as soon as it is reached."""
    cap: int | None = Field(None, ge=1)
    """Largest number of epochs; the planned epochs if not set."""


class TrainingSettings(Settings):
    """The table `[training]`: SGD as in the paper unless said otherwise.

    `schedule` lowers the learning rate to 0 over a round's steps ("linear", "cosine") or not
    ("constant"). `min_steps` adds epochs to rounds that would have fewer steps. `refit` trains
    each round from the same initial weights ("scratch") or from the round before ("finetune").
    `device` and `precision` may be left to the machine; what they mean there decides the rows.
    """

    later: ClassVar[frozenset[str]] = frozenset({"arithmetic"})
    make: ClassVar[int] = 3
    """A number that is raised when fast arithmetic changes, so that no older trial continues."""

    learning_rate: float = Field(0.001, gt=0)
    """Learning rate of SGD."""
    momentum: float = Field(0.9, ge=0, lt=1)
    """Momentum of SGD."""
    weight_decay: float = Field(0.0, ge=0)
    """Weight decay of SGD."""
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    """Course of the learning rate in a round; "linear" and "cosine" end at 0."""
    batch_size: int = Field(64, ge=1)
    """Images per step; batches are split evenly and may be smaller."""
    epochs: Epochs = Epochs()
    min_steps: int = Field(0, ge=0)
    """Lower limit on the steps of a round; it adds epochs."""
    train_until: TrainUntil | None = None
    refit: Literal["scratch", "finetune"] = "scratch"
    """"scratch" trains each round from the initial weights, "finetune" from the round before."""
    device: Device = "auto"
    """Device of training; "auto" takes CUDA, else MPS, else the processor."""
    precision: Precision = "auto"
    """Precision of products; "auto" takes bfloat16 if the device has units for it."""
    threads: int = Field(1, ge=1, le=256)
    """Threads of one trial."""
    arithmetic: Literal["plain", "fast"] = "plain"
    """"fast" trains "resnet18" with fewer products and with loops that numba compiles, and folds
    its BatchNorm for predictions. It is quicker on a processor, where it needs the extra `fast`,
    and changes last digits; "plain" keeps those of earlier trials.
    """

    @model_validator(mode="after")
    def _cap_needs_a_rate(self) -> "TrainingSettings":
        until = self.train_until
        if until is not None and until.cap is not None and self.schedule != "constant":
            raise ValueError(
                f"train_until.cap = {until.cap} continues after the {self.schedule} schedule has "
                'reached 0; set schedule = "constant" or leave cap out'
            )
        return self

    def decisive(self) -> dict[str, Any]:
        """Return all that decides the outcome, with the make of fast arithmetic."""
        return super().decisive() | ({"make": self.make} if self.arithmetic == "fast" else {})

    def planned_epochs(self, number: int, labelled: int) -> int:
        """Return the epochs of round `number` on `labelled` images, `min_steps` counted in."""
        epochs = self.epochs.initial + self.epochs.step * number
        return max(epochs, -(-self.min_steps // self.steps_per_epoch(labelled)))

    def steps_per_epoch(self, labelled: int) -> int:
        """Return the number of batches, split evenly: none above `batch_size`, none of one image.

        BatchNorm has no statistics of one value, so where the two conflict batches are larger.
        """
        return max(1, min(-(-labelled // self.batch_size), labelled // 2))


class LossPredictionSettings(Settings):
    """The table `[loss_prediction]`, by default as Yoo & Kweon have it.

    The module P predicts the loss of the task model T; both are trained at once.
    """

    later: ClassVar[frozenset[str]] = frozenset({"objective"})

    margin: float = Field(1.0, ge=0)
    """Margin ξ of the pair loss (equation 3)."""
    weight: float = Field(1.0, ge=0)
    """Weight of the pair loss next to the task's loss."""
    width: int = Field(128, ge=1, le=4096)
    """Number of features made of each stage of the network."""
    stop: float = Field(0.6, ge=0, le=1)
    """Share of a round's epochs in which gradients of the module reach the task model, from the
    first on: 0 never, 1 always.
    """
    objective: Literal["margin", "rank"] = "margin"
    """Loss of a pair: "margin" as in equation 3, or "rank", the cross entropy of which image has
    the larger loss [Kim et al. 2021, TA-VAAL], which has no margin.
    """

    def stop_epoch(self, epochs: int) -> int:
        """Return the first of a round's epochs in which P's gradient stays out of T."""
        return round(self.stop * epochs)
