"""The task model T: fitted to the labelled images, then asked about all others."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nextlabel.core.learner import Training
from nextlabel.core.seeds import Seeds
from nextlabel.core.types import Array, Labels, Task
from nextlabel.models.convolution import compact
from nextlabel.models.device import precise, resolve
from nextlabel.models.network import TaskNetwork, build, generator, place, state_on_cpu
from nextlabel.models.pixels import normalise
from nextlabel.models.settings import ModelSettings, TrainingSettings
from nextlabel.models.weights import insert, load_weights

INFERENCE_BATCH = 256


@dataclass(frozen=True, eq=False)
class Inference:
    """What the task model says of images: T_f (N, width) float32, probabilities (N, K) float32."""

    features: Array
    probabilities: Array


@dataclass(frozen=True, eq=False)
class FittedTask:
    """A trained task model; `infer` never changes it."""

    network: TaskNetwork
    task: Task
    device: torch.device
    precision: str
    training: Training

    def infer(self, images: Tensor) -> Inference:
        """Return features and probabilities of uint8 images (N, C, H, W), in one pass."""
        self.network.eval()
        features, probabilities = [], []
        with torch.inference_mode(), precise(self.device, self.precision):
            for batch in torch.split(images, INFERENCE_BATCH):
                found = self.network.pool(self.network.taps(normalise(batch)))
                logits = self.network.fc(found).float()
                out = logits.softmax(1) if self.task == "multiclass" else logits.sigmoid()
                features.append(found.float().cpu())
                probabilities.append(out.cpu())
        return Inference(torch.cat(features).numpy(), torch.cat(probabilities).numpy())

    def state(self) -> dict[str, Any]:
        """Return the weights, on the CPU, for the cache or a checkpoint."""
        return state_on_cpu(self.network)


@dataclass(frozen=True)
class TaskModel:
    """Fits T to labels, each round from the same initial weights or from the round before."""

    model: ModelSettings
    training: TrainingSettings
    task: Task
    outputs: int
    cache_dir: Path | None = None

    @property
    def device(self) -> torch.device:
        """Where it trains."""
        return resolve(self.training.device)

    def initial(self, seeds: Seeds) -> tuple[TaskNetwork, str]:
        """Return the network before training and a line on its weights, for the record."""
        network = build(self._network, generator(seeds.integer("weights")))
        weights = load_weights(self.model.weights, self.cache_dir)
        if weights is None:
            return network, "random"
        insert(network, weights)
        return network, weights.name

    def _network(self) -> TaskNetwork:
        if self.model.name == "resnet18":
            from nextlabel.models.resnet import ResNet18

            return ResNet18(self.outputs, self.model.stem)
        from nextlabel.models.small_cnn import SmallCNN

        return SmallCNN(self.outputs)

    def restore(self, state: dict[str, Any], training: Training) -> FittedTask:
        """Return a fitted model from a state that `FittedTask.state` gave."""
        with torch.device("meta"):
            network = self._network()
        network.to_empty(device="cpu")
        network.load_state_dict(state)
        return self._fitted(place(network, self.device), training)

    def fit(
        self,
        images: Tensor,
        labels: Labels,
        number: int,
        seeds: Seeds,
        previous: FittedTask | None = None,
    ) -> FittedTask:
        """Train on uint8 images (n, C, H, W) and labels (n) or (n, K) for round `number`.

        `previous` is what fine-tuning starts from; it is left as it is.
        """
        clock = time.perf_counter()
        device = self.device
        network, weights = self.initial(seeds)
        if self.training.refit == "finetune" and previous is not None:
            network.load_state_dict(previous.state())
            weights = "finetuned"
        place(network, device)
        images = images.to(device)
        targets = torch.as_tensor(labels, device=device)
        epochs, steps, accuracy = self._train(network, images, targets, number, seeds)
        if self.model.batch_norm == "recalibrate":
            self._recalibrate(network, images)
        fitted = self._fitted(network, Training(0.0, epochs, steps, weights))
        accuracy = _accuracy(fitted.infer(images).probabilities, labels, self.task)
        until = self.training.train_until
        training = Training(
            accuracy,
            epochs,
            steps,
            weights,
            reached=until is None or accuracy >= until.accuracy,
            seconds={"train": time.perf_counter() - clock},
        )
        return self._fitted(network, training)

    def _fitted(self, network: TaskNetwork, training: Training) -> FittedTask:
        return FittedTask(network, self.task, self.device, self.training.precision, training)

    def _train(
        self, network: TaskNetwork, images: Tensor, targets: Tensor, number: int, seeds: Seeds
    ) -> tuple[int, int, float]:
        """Run SGD; return epochs and steps done, and the last epoch's running accuracy."""
        settings = self.training
        planned = settings.planned_epochs(number, len(images))
        until = settings.train_until
        most = max(planned, until.cap or 0) if until is not None else planned
        steps_each = settings.steps_per_epoch(len(images))
        order = seeds.rng("order", number)
        done, accuracy = 0, 0.0
        network.train()
        with compact(network, normalise(images[:1])) as parameters:
            network.train()
            optimiser = _sgd(parameters, settings)
            for epoch in range(most):
                if until is not None and epoch >= planned and accuracy >= until.accuracy:
                    break
                right = torch.zeros((), device=images.device)
                for rows in np.array_split(order.permutation(len(images)), steps_each):
                    _set_rate(optimiser, settings, done, planned * steps_each)
                    right += self._step(network, optimiser, images, targets, rows)
                    done += 1
                accuracy = float(right) / len(images)
                if until is not None and until.early and accuracy >= until.accuracy:
                    if done >= settings.min_steps:
                        break
        return done // steps_each, done, accuracy

    def _step(
        self,
        network: TaskNetwork,
        optimiser: torch.optim.Optimizer,
        images: Tensor,
        targets: Tensor,
        rows: Any,
    ) -> Tensor:
        """Take one step on `rows`; return how many of them were right before it."""
        chosen = torch.from_numpy(rows).to(images.device)
        batch, wanted = images[chosen], targets[chosen]
        optimiser.zero_grad()
        with precise(images.device, self.training.precision):
            logits = network(normalise(batch))
        logits = logits.float()
        if self.task == "multiclass":
            loss = F.cross_entropy(logits, wanted)
            right = logits.argmax(1) == wanted
        else:
            loss = F.binary_cross_entropy_with_logits(logits, wanted.float())
            right = ((logits > 0) == (wanted > 0)).float().mean(1)
        torch.autograd.backward(loss)
        optimiser.step()
        counted: Tensor = right.sum()
        return counted.detach()

    @torch.no_grad()
    def _recalibrate(self, network: TaskNetwork, images: Tensor) -> None:
        """Take BatchNorm's statistics as the plain average over the labelled set, in eval order."""
        norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
        momenta = [norm.momentum for norm in norms]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None
        network.train()
        with precise(images.device, self.training.precision):
            for batch in images.tensor_split(self.training.steps_per_epoch(len(images))):
                network(normalise(batch))
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        network.eval()


def _sgd(parameters: list[nn.Parameter], settings: TrainingSettings) -> torch.optim.Optimizer:
    return torch.optim.SGD(
        parameters,
        lr=settings.learning_rate,
        momentum=settings.momentum,
        weight_decay=settings.weight_decay,
        fused=parameters[0].device.type in ("cpu", "cuda"),
    )


def _set_rate(
    optimiser: torch.optim.Optimizer, settings: TrainingSettings, step: int, steps: int
) -> None:
    part = min(1.0, step / steps)
    factor = {"constant": 1.0, "linear": 1 - part, "cosine": (1 + np.cos(np.pi * part)) / 2}
    for group in optimiser.param_groups:
        group["lr"] = settings.learning_rate * float(factor[settings.schedule])


def _accuracy(probabilities: Array, labels: Labels, task: Task) -> float:
    """Return the share of right labels, in [0, 1]; label by label where there are several."""
    if task == "multiclass":
        return float((probabilities.argmax(1) == labels).mean())
    return float(((probabilities > 0.5) == (labels > 0)).mean())
