"""What an experiment says of the task model and its training."""

from typing import Any, Literal

from pydantic import Field, model_validator

from nextlabel.core.settings import Settings


class ModelSettings(Settings):
    """The table `[model]`.

    `weights` is "random", "imagenet", or a path or URL of a torchvision state dict; small_cnn,
    for which none are published, starts at random. `batch_norm =
    "recalibrate"` takes BatchNorm's statistics anew over the labelled set after training, since
    running averages lag after few steps; "running" leaves them, as the paper does.
    """

    name: Literal["resnet18", "small_cnn"] = "resnet18"
    weights: str = "imagenet"
    stem: Literal["imagenet", "small"] = "imagenet"
    image_size: int | None = Field(None, ge=8, le=1024)
    batch_norm: Literal["recalibrate", "running"] = "recalibrate"

    @model_validator(mode="before")
    @classmethod
    def _small_starts_at_random(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("name") == "small_cnn":
            if values.setdefault("weights", "random") == "imagenet":
                raise ValueError(
                    'no ImageNet weights are published for small_cnn; set weights = "random"'
                )
        return values


class Epochs(Settings):
    """How long a round trains: `initial` epochs on the initial set, `step` more each round."""

    initial: int = Field(10, ge=1)
    step: int = Field(5, ge=0)


class TrainUntil(Settings):
    """Aim for a train accuracy: stop `early` once there; else go on up to `cap` epochs."""

    accuracy: float = Field(0.99, gt=0, le=1)
    early: bool = True
    cap: int | None = Field(None, ge=1)


class TrainingSettings(Settings):
    """The table `[training]`: SGD as in the paper unless said otherwise.

    `schedule` lowers the learning rate to 0 over a round's steps ("linear", "cosine") or not
    ("constant"). `min_steps` adds epochs to rounds that would have fewer steps. `refit` trains
    each round from the same initial weights ("scratch") or from the round before ("finetune").
    """

    learning_rate: float = Field(0.001, gt=0)
    momentum: float = Field(0.9, ge=0, lt=1)
    weight_decay: float = Field(0.0, ge=0)
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    batch_size: int = Field(64, ge=1)
    epochs: Epochs = Epochs()
    min_steps: int = Field(0, ge=0)
    train_until: TrainUntil | None = None
    refit: Literal["scratch", "finetune"] = "scratch"
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    precision: Literal["fp32", "bf16"] = "fp32"
    threads: int = Field(1, ge=1, le=256)

    @model_validator(mode="after")
    def _cap_needs_a_rate(self) -> "TrainingSettings":
        until = self.train_until
        if until is not None and until.cap is not None and self.schedule != "constant":
            raise ValueError(
                f"train_until.cap = {until.cap} goes on after the {self.schedule} schedule has "
                'reached 0; set schedule = "constant" or leave cap out'
            )
        return self

    def planned_epochs(self, number: int, labelled: int) -> int:
        """Return the epochs of round `number` on `labelled` images, `min_steps` counted in."""
        epochs = self.epochs.initial + self.epochs.step * number
        return max(epochs, -(-self.min_steps // self.steps_per_epoch(labelled)))

    def steps_per_epoch(self, labelled: int) -> int:
        """Return the number of batches, split evenly, none above `batch_size`."""
        return max(1, -(-labelled // self.batch_size))
