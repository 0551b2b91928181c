"""Training of T, and of P with it: SGD over evenly split batches, one forward pass per step."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nextlabel.core.seeds import Seeds
from nextlabel.core.types import Ids, Task
from nextlabel.models.convolution import compact, preparation
from nextlabel.models.device import check_compiled_loops, dtype_of, precise, takes_compiled_loops
from nextlabel.models.freed_memory import kept_memory
from nextlabel.models.loss_prediction import (
    LossHead,
    pair_loss,
    random_pairs,
    rank_loss,
    sample_losses,
)
from nextlabel.models.networks.base import TaskNetwork
from nextlabel.models.networks.resnet import ResNet18
from nextlabel.models.normalise import normalise
from nextlabel.models.settings import LossPredictionSettings, TrainingSettings

Forward = Callable[[Tensor], tuple[tuple[Tensor, ...], Tensor]]
"""From uint8 images (B, C, H, W) to the feature maps after each stage and the logits (B, K)."""


@dataclass(frozen=True, eq=False)
class TrainingData:
    """The data of a round: uint8 images (n, C, H, W), labels (n) or (n, K), side rows (n, d).

    All lie on the device that trains.
    """

    images: Tensor
    targets: Tensor
    side: Tensor | None = None


@dataclass(frozen=True)
class Trainer:
    """Trains a network, and the module P with it where `head` has its settings."""

    settings: TrainingSettings
    task: Task
    head: LossPredictionSettings | None = None

    @kept_memory()  # given back when all that the function holds is free
    def train(
        self,
        network: TaskNetwork,
        head: LossHead | None,
        data: TrainingData,
        number: int,
        seeds: Seeds,
    ) -> tuple[int, int]:
        """Run SGD for round `number`; return epochs and steps done."""
        settings, count = self.settings, len(data.images)
        planned = settings.planned_epochs(number, count)
        until = settings.train_until
        most = max(planned, until.cap or 0) if until is not None else planned
        stop = self.head.stop_epoch(planned) if self.head is not None else 0
        steps_each = settings.steps_per_epoch(count)
        order, pairs = seeds.rng("order", number), seeds.rng("pairs", number)
        done, accuracy = 0, 0.0
        network.train()
        with trained(network, data.images[:1], settings) as (parameters, forward):
            head_parameters = [] if head is None else list(head.parameters())
            optimiser = _sgd([*parameters, *head_parameters], settings)
            for epoch in range(most):
                if until is not None and epoch >= planned and accuracy >= until.accuracy:
                    break
                right = torch.zeros((), device=data.images.device)
                for rows in np.array_split(order.permutation(count), steps_each):
                    _set_rate(optimiser, settings, done, planned * steps_each)
                    optimiser.zero_grad()
                    through = epoch < stop
                    right += self.backward(forward, head, data, rows, pairs, through)
                    optimiser.step()
                    done += 1
                accuracy = float(right) / count
                if until is not None and until.early and accuracy >= until.accuracy:
                    if done >= settings.min_steps:
                        break
        return done // steps_each, done

    def backward(
        self,
        forward: Forward,
        head: LossHead | None,
        data: TrainingData,
        rows: Ids,
        pairs: np.random.Generator,
        through: bool,
    ) -> Tensor:
        """Leave the gradients of one batch in the parameters; return how many rows were right.

        `forward` is the network's forward pass, whose feature maps serve both losses. `through`
        lets P's gradient reach T.
        """
        images = data.images
        chosen = torch.from_numpy(rows).to(images.device)
        batch, wanted = images[chosen], data.targets[chosen]
        predicted = None
        with precise(images.device, self.settings.precision):
            taps, logits = forward(batch)
            if head is not None:
                seen = taps if through else tuple(tap.detach() for tap in taps)
                side = None if data.side is None else data.side[chosen]
                predicted = head(seen, side).float()
        logits = logits.float()
        if self.task == "multiclass":
            loss = F.cross_entropy(logits, wanted)
            right = logits.argmax(1) == wanted
        else:
            loss = F.binary_cross_entropy_with_logits(logits, wanted.float())
            right = ((logits > 0) == (wanted > 0)).float().mean(1)
        if predicted is not None and self.head is not None:
            true = sample_losses(logits.detach(), wanted, self.task)
            drawn = random_pairs(len(rows), pairs).to(images.device)
            if self.head.objective == "rank":
                of_pairs = rank_loss(predicted, true, drawn)
            else:
                of_pairs = pair_loss(predicted, true, drawn, self.head.margin)
            loss = loss + self.head.weight * of_pairs
        torch.autograd.backward(loss)
        counted: Tensor = right.sum()
        return counted.detach()

    @torch.no_grad()
    def recalibrate(self, network: TaskNetwork, images: Tensor) -> None:
        """Take BatchNorm's statistics as the plain average over the labelled set, in eval order."""
        norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
        momenta = [norm.momentum for norm in norms]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None
        network.train()
        with precise(images.device, self.settings.precision):
            for batch in images.tensor_split(self.settings.steps_per_epoch(len(images))):
                network(normalise(batch))
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        network.eval()


@contextmanager
def trained(
    network: TaskNetwork, images: Tensor, settings: TrainingSettings
) -> Iterator[tuple[list[nn.Parameter], Forward]]:
    """Yield the parameters to train and the forward pass, for uint8 images of the size of these.

    Fast arithmetic has a pass of its own for ResNet-18 on a processor. Raises UsageError where the
    package that compiles its loops is not installed.
    """
    compiled = takes_compiled_loops(settings.arithmetic, images.device)
    if compiled and type(network) is ResNet18:  # a subclass may have other layers
        check_compiled_loops()
        from nextlabel.models.explicit import explicit_pass

        prepare = preparation(network, images, True)
        dtype = dtype_of(settings.precision, images.device)
        with explicit_pass(network, prepare(images), dtype) as (parameters, taps):
            yield parameters, forward_of(network, lambda batch: taps(prepare(batch)))
    else:
        with compact(network, normalise(images)) as parameters:
            yield parameters, forward_of(network)


def forward_of(
    network: TaskNetwork, taps: Callable[[Tensor], tuple[Tensor, ...]] | None = None
) -> Forward:
    """Return the network's forward pass, whose feature maps `taps` makes of uint8 images."""

    def forward(batch: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        feature_maps = network.taps(normalise(batch)) if taps is None else taps(batch)
        return feature_maps, network.fc(network.pool(feature_maps))

    return forward


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
    share = min(1.0, step / steps)
    factor = {"constant": 1.0, "linear": 1 - share, "cosine": (1 + np.cos(np.pi * share)) / 2}
    for group in optimiser.param_groups:
        group["lr"] = settings.learning_rate * float(factor[settings.schedule])
