"""Networks as the task model T: fitted to the labelled images, then asked about all others."""

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from nextlabel.core.dataset import Dataset
from nextlabel.core.learner import Training
from nextlabel.core.seeds import Seeds
from nextlabel.core.task_model import FittedModel, LastLayer, ModelInputs, ModelOutputs
from nextlabel.core.types import Array, Ids, Labels, Task
from nextlabel.models.convolution import preparation
from nextlabel.models.device import dtype_of, precise, resolve_device
from nextlabel.models.freed_memory import kept_memory
from nextlabel.models.loss_prediction import LossHead
from nextlabel.models.networks.base import (
    NetworkMaker,
    TaskNetwork,
    build,
    generator,
    on_device,
    state_on_cpu,
)
from nextlabel.models.networks.inference import QuickCopies
from nextlabel.models.normalise import ImagesOnDevice, to_device
from nextlabel.models.settings import Epochs, LossPredictionSettings, TrainingSettings
from nextlabel.models.timing import sample_size, seconds_of
from nextlabel.models.training import Trainer, TrainingData
from nextlabel.models.weights import insert, load_weights

INFERENCE_BATCH = 256
HEAD = "loss_head."
"""The beginning of the names of P's weights in a state."""


@dataclass(frozen=True, eq=False)
class FittedNetwork:
    """A trained task model; `infer` never changes it."""

    network: TaskNetwork
    task: Task
    device: torch.device
    precision: str
    training: Training
    head: LossHead | None = None
    images: ImagesOnDevice = field(default_factory=ImagesOnDevice)
    fast: bool = False
    """True where BatchNorm is folded and sums may have another order, which is quicker."""
    copies: QuickCopies = field(default_factory=QuickCopies)

    def predict(self, inputs: ModelInputs) -> ModelOutputs:
        """Return the predictions for a part of the data, in one pass."""
        side = None if inputs.side is None else torch.from_numpy(inputs.side).to(self.device)
        return self.infer(self.images.of(inputs, self.device), side)

    def infer(self, images: Tensor, side: Tensor | None = None) -> ModelOutputs:
        """Return all that is known of uint8 images (N, C, H, W), in one pass.

        `side` are the rows (N, d) that P takes in addition to the feature maps; without those that
        it was trained with, no loss is predicted.
        """
        self.network.eval()
        features, probabilities, losses = [], [], []
        head = None if self.head is None or self.head.side != _columns(side) else self.head
        network = self.network
        if self.fast:
            network = self.copies.of(network, images, dtype_of(self.precision, self.device))
        prepare = preparation(network, images, self.fast)
        with kept_memory(), torch.inference_mode(), precise(self.device, self.precision):
            for start in range(0, len(images), INFERENCE_BATCH):
                rows = slice(start, start + INFERENCE_BATCH)
                taps = network.taps(prepare(images[rows]))
                pooled = network.pool(taps)
                logits = network.fc(pooled).float()
                out = logits.softmax(1) if self.task == "multiclass" else logits.sigmoid()
                features.append(pooled.float().cpu())
                probabilities.append(out.cpu())
                if head is not None:
                    side_rows = None if side is None else side[rows]
                    losses.append(head(taps, side_rows).float().cpu())
        return ModelOutputs(
            torch.cat(features).numpy(),
            torch.cat(probabilities).numpy(),
            torch.cat(losses).numpy() if losses else None,
            self._last_layer(),
        )

    def _last_layer(self) -> LastLayer:
        """Return the layer from features to logits."""
        weights, bias = (p.detach().float().cpu().numpy() for p in self.network.fc.parameters())
        return LastLayer(weights, bias, "softmax" if self.task == "multiclass" else "logistic")

    def state(self) -> dict[str, Any]:
        """Return the weights, on the CPU, for the cache or a checkpoint."""
        state = state_on_cpu(self.network)
        if self.head is not None:
            state |= {HEAD + name: tensor for name, tensor in state_on_cpu(self.head).items()}
        return state


@dataclass(frozen=True)
class NetworkModel:
    """Fits T to labels, each round from the same initial weights or from the round before.

    With `head` the module P is trained along. `start` is the state of a block that the network
    starts from.
    """

    model: NetworkMaker
    training: TrainingSettings
    task: Task
    outputs: int
    cache_dir: Path | None = None
    head: LossPredictionSettings | None = None
    start: Mapping[str, Array] | None = None
    images: ImagesOnDevice = field(default_factory=ImagesOnDevice, compare=False)
    cached: ClassVar[bool] = True

    @property
    def device(self) -> torch.device:
        """The device of the training."""
        return resolve_device(self.training.device)

    def initial(self, seeds: Seeds) -> tuple[TaskNetwork, str]:
        """Return the network before training and a line on its weights, for the record."""
        network = build(self._untrained, generator(seeds.integer("weights")))
        if self.start is not None:
            self.model.take_over(network, self.start)
            return network, f"encoder of {self.model.block}"
        weights = load_weights(self.model.weights, self.cache_dir)
        if weights is None:
            return network, "random"
        insert(network, weights)
        return network, weights.name

    def _untrained(self) -> TaskNetwork:
        return self.model.network(self.outputs)

    def _head(self, seeds: Seeds, number: int, side: int) -> LossHead | None:
        """Return P before training: its own draws, so that T's are the same with it or without."""
        settings = self.head
        if settings is None:
            return None
        widths = self._shape().tap_widths
        return build(
            lambda: LossHead(widths, settings.width, side),
            generator(seeds.integer("head", number)),
        )

    def _shape(self) -> TaskNetwork:
        """Return a network without memory behind its weights."""
        with torch.device("meta"):
            return self._untrained()

    def restore(self, state: dict[str, Any], training: Training) -> FittedNetwork:
        """Return a fitted model from a state that `FittedNetwork.state` gave."""
        network = self._shape().to_empty(device="cpu")
        network.load_state_dict({k: v for k, v in state.items() if not k.startswith(HEAD)})
        weights = {k.removeprefix(HEAD): v for k, v in state.items() if k.startswith(HEAD)}
        head = self._head(Seeds(0), 0, _side_columns(weights, network, self.head))
        if head is not None:
            head.load_state_dict(weights)
            head.to(self.device)
        return self._fitted(on_device(network, self.device), head, training)

    def initial_digest(self, seeds: Seeds) -> str:
        """Return the sha256 of the weights that every round starts from."""
        network, _ = self.initial(seeds)
        digest = hashlib.sha256()
        for tensor in network.state_dict().values():
            digest.update(tensor.contiguous().numpy().data)
        return digest.hexdigest()

    def planned_samples(self, number: int, labelled: int) -> int:
        """Return labelled images × epochs of round `number`."""
        return labelled * self.training.planned_epochs(number, labelled)

    def planned_seconds(self, data: Dataset, rounds: Sequence[tuple[int, int]]) -> float:
        """Return the estimated seconds of training in these rounds, from a few batches."""
        samples = sum(self.planned_samples(*each) for each in rounds)
        return samples * self.sample_seconds(data) if samples else 0.0

    def sample_seconds(self, data: Dataset) -> float:
        """Return the seconds of one image in one epoch, from a few batches after a first fit."""
        once = {"epochs": Epochs(initial=1, step=0), "min_steps": 0, "train_until": None}
        model = replace(self, training=self.training.model_copy(update=once), head=None, start=None)
        size = sample_size(data.train.images, self.training.batch_size)
        rows = np.arange(size) % len(data.train)
        assert data.train.labels is not None
        images, labels = to_device(data.train.images[rows], self.device), data.train.labels[rows]
        model.train(images[: size // 2], labels[: size // 2], 0, Seeds(0))
        return seconds_of(lambda: model.train(images, labels, 0, Seeds(0))) / size

    def state_bytes(self) -> int:
        """Return the bytes of the network's weights."""
        return 4 * sum(p.numel() for p in self._shape().parameters())

    def fit(
        self,
        inputs: ModelInputs,
        labelled: Ids,
        labels: Labels,
        number: int,
        seeds: Seeds,
        previous: FittedModel | None = None,
    ) -> FittedNetwork:
        """Train on the labelled images of the pool for round `number`."""
        rows = torch.from_numpy(np.array(labelled))
        images = self.images.of(inputs, self.device)[rows]
        side = None if inputs.side is None else torch.from_numpy(inputs.side[labelled])
        before = previous if isinstance(previous, FittedNetwork) else None
        return self.train(images, labels, number, seeds, before, side)

    def train(
        self,
        images: Tensor,
        labels: Labels,
        number: int,
        seeds: Seeds,
        previous: FittedNetwork | None = None,
        side: Tensor | None = None,
    ) -> FittedNetwork:
        """Train on uint8 images (n, C, H, W) and labels (n) or (n, K) for round `number`.

        `previous` is what fine-tuning starts from; it is left as it is. `side` (n, d) are the rows
        that P takes in addition to the feature maps. P starts again in every round.
        """
        clock = time.perf_counter()
        device = self.device
        network, weights = self.initial(seeds)
        if self.training.refit == "finetune" and previous is not None:
            network.load_state_dict(state_on_cpu(previous.network))
            weights = "finetuned"
        on_device(network, device)
        side = None if side is None else side.to(device)
        head = self._head(seeds, number, _columns(side))
        if head is not None:
            head.to(device)
        images, targets = images.to(device), torch.as_tensor(labels, device=device)
        if len(images) == 1:  # seen twice, since BatchNorm cannot be trained on one value
            images, targets = images.repeat(2, 1, 1, 1), targets.repeat_interleave(2, 0)
            side = None if side is None else side.repeat(2, 1)
        data = TrainingData(images, targets, side)
        trainer = Trainer(self.training, self.task, self.head)
        epochs, steps = trainer.train(network, head, data, number, seeds)
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
        return replace(fitted, training=training)

    def _fitted(
        self, network: TaskNetwork, head: LossHead | None, training: Training
    ) -> FittedNetwork:
        precision, fast = self.training.precision, self.training.arithmetic == "fast"
        return FittedNetwork(
            network, self.task, self.device, precision, training, head, self.images, fast
        )


def _side_columns(
    head: Mapping[str, Tensor], network: TaskNetwork, settings: LossPredictionSettings | None
) -> int:
    """Return the side columns that the weights of a module P are for."""
    if settings is None:
        return 0
    return head["out.weight"].shape[1] - settings.width * len(network.tap_widths)


def _columns(side: Tensor | None) -> int:
    return 0 if side is None else side.shape[1]


def _accuracy(probabilities: Array, labels: Labels, task: Task) -> float:
    """Return the share of right labels, in [0, 1]; label by label where there are several."""
    if task == "multiclass":
        return float((probabilities.argmax(1) == labels).mean())
    return float(((probabilities > 0.5) == (labels > 0)).mean())
