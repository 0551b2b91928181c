"""The task model T: fitted to the labelled images, then asked about all others."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nextlabel.core.learner import Training
from nextlabel.core.seeds import Seeds
from nextlabel.core.task_model import ModelOutputs
from nextlabel.core.types import Array, Labels, Task
from nextlabel.models.device import precise, resolve
from nextlabel.models.loss_prediction import LossHead
from nextlabel.models.networks.base import TaskNetwork, build, generator, place, state_on_cpu
from nextlabel.models.normalise import normalise
from nextlabel.models.settings import LossPredictionSettings, ModelSettings, TrainingSettings
from nextlabel.models.training import Lesson, Trainer
from nextlabel.models.weights import insert, load_weights

INFERENCE_BATCH = 256
HEAD = "loss_head."
"""How the names of P's weights begin in a state."""


@dataclass(frozen=True, eq=False)
class FittedTask:
    """A trained task model; `infer` never changes it."""

    network: TaskNetwork
    task: Task
    device: torch.device
    precision: str
    training: Training
    head: LossHead | None = None

    def infer(self, images: Tensor, side: Tensor | None = None) -> ModelOutputs:
        """Return all that is known of uint8 images (N, C, H, W), in one pass.

        `side` are the rows (N, d) that P takes beside the maps; without those that it was trained
        with, no loss is predicted.
        """
        self.network.eval()
        features, probabilities, losses = [], [], []
        head = None if self.head is None or self.head.side != _columns(side) else self.head
        with torch.inference_mode(), precise(self.device, self.precision):
            for start in range(0, len(images), INFERENCE_BATCH):
                rows = slice(start, start + INFERENCE_BATCH)
                taps = self.network.taps(normalise(images[rows]))
                found = self.network.pool(taps)
                logits = self.network.fc(found).float()
                out = logits.softmax(1) if self.task == "multiclass" else logits.sigmoid()
                features.append(found.float().cpu())
                probabilities.append(out.cpu())
                if head is not None:
                    beside = None if side is None else side[rows]
                    losses.append(head(taps, beside).float().cpu())
        return ModelOutputs(
            torch.cat(features).numpy(),
            torch.cat(probabilities).numpy(),
            torch.cat(losses).numpy() if losses else None,
        )

    def state(self) -> dict[str, Any]:
        """Return the weights, on the CPU, for the cache or a checkpoint."""
        state = state_on_cpu(self.network)
        if self.head is not None:
            state |= {HEAD + name: tensor for name, tensor in state_on_cpu(self.head).items()}
        return state


@dataclass(frozen=True)
class TaskModel:
    """Fits T to labels, each round from the same initial weights or from the round before.

    With `head` the module P is trained along, on `side` columns beside the maps. `start` is the
    state of a VAE, whose encoder the network "encoder" then starts from.
    """

    model: ModelSettings
    training: TrainingSettings
    task: Task
    outputs: int
    cache_dir: Path | None = None
    head: LossPredictionSettings | None = None
    side: int = 0
    start: Mapping[str, Array] | None = None

    @property
    def device(self) -> torch.device:
        """Where it trains."""
        return resolve(self.training.device)

    def initial(self, seeds: Seeds) -> tuple[TaskNetwork, str]:
        """Return the network before training and a line on its weights, for the record."""
        network = build(self._network, generator(seeds.integer("weights")))
        if self.start is not None:
            from nextlabel.models.networks.encoder import take_over

            take_over(network, self.start)
            return network, f"encoder of {self.model.block}"
        weights = load_weights(self.model.weights, self.cache_dir)
        if weights is None:
            return network, "random"
        insert(network, weights)
        return network, weights.name

    def _network(self) -> TaskNetwork:
        if self.model.name == "resnet18":
            from nextlabel.models.networks.resnet import ResNet18

            return ResNet18(self.outputs, self.model.stem)
        if self.model.name == "encoder":
            from nextlabel.models.networks.encoder import Encoder

            return Encoder(self.outputs)
        from nextlabel.models.networks.small_cnn import SmallCNN

        return SmallCNN(self.outputs)

    def _head(self, seeds: Seeds, number: int) -> LossHead | None:
        """Return P before training: its own draws, so that T's are the same with it or without."""
        settings = self.head
        if settings is None:
            return None
        widths = self._shape().tap_widths
        return build(
            lambda: LossHead(widths, settings.width, self.side),
            generator(seeds.integer("head", number)),
        )

    def _shape(self) -> TaskNetwork:
        """Return a network without memory behind its weights."""
        with torch.device("meta"):
            return self._network()

    def restore(self, state: dict[str, Any], training: Training) -> FittedTask:
        """Return a fitted model from a state that `FittedTask.state` gave."""
        network = self._shape().to_empty(device="cpu")
        network.load_state_dict({k: v for k, v in state.items() if not k.startswith(HEAD)})
        head = self._head(Seeds(0), 0)
        if head is not None:
            own = {k.removeprefix(HEAD): v for k, v in state.items() if k.startswith(HEAD)}
            head.load_state_dict(own)
            head.to(self.device)
        return self._fitted(place(network, self.device), head, training)

    def fit(
        self,
        images: Tensor,
        labels: Labels,
        number: int,
        seeds: Seeds,
        previous: FittedTask | None = None,
        side: Tensor | None = None,
    ) -> FittedTask:
        """Train on uint8 images (n, C, H, W) and labels (n) or (n, K) for round `number`.

        `previous` is what fine-tuning starts from; it is left as it is. `side` (n, d) are the rows
        that P takes beside the maps. P starts anew in every round.
        """
        clock = time.perf_counter()
        device = self.device
        network, weights = self.initial(seeds)
        if self.training.refit == "finetune" and previous is not None:
            network.load_state_dict(state_on_cpu(previous.network))
            weights = "finetuned"
        place(network, device)
        head = self._head(seeds, number)
        if head is not None:
            head.to(device)
        images, targets = images.to(device), torch.as_tensor(labels, device=device)
        if len(images) == 1:  # seen twice, since BatchNorm cannot be trained on one value
            images, targets = images.repeat(2, 1, 1, 1), targets.repeat_interleave(2, 0)
            side = None if side is None else side.repeat(2, 1)
        lesson = Lesson(images, targets, side)
        trainer = Trainer(self.training, self.task, self.head)
        epochs, steps = trainer.train(network, head, lesson, number, seeds)
        if self.model.batch_norm == "recalibrate":
            trainer.recalibrate(network, images)
        fitted = self._fitted(network, head, Training(0.0, epochs, steps, weights))
        accuracy = _accuracy(fitted.infer(images).probabilities, targets.cpu().numpy(), self.task)
        until = self.training.train_until
        training = Training(
            accuracy,
            epochs,
            steps,
            weights,
            reached=until is None or accuracy >= until.accuracy,
            seconds={"train": time.perf_counter() - clock},
        )
        return self._fitted(network, head, training)

    def _fitted(
        self, network: TaskNetwork, head: LossHead | None, training: Training
    ) -> FittedTask:
        return FittedTask(network, self.task, self.device, self.training.precision, training, head)


def _columns(side: Tensor | None) -> int:
    return 0 if side is None else side.shape[1]


def _accuracy(probabilities: Array, labels: Labels, task: Task) -> float:
    """Return the share of right labels, in [0, 1]; label by label where there are several."""
    if task == "multiclass":
        return float((probabilities.argmax(1) == labels).mean())
    return float(((probabilities > 0.5) == (labels > 0)).mean())
