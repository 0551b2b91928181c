"""Loss prediction: the module P that learns how wrong the task model will be, equations 3 and 4.

Yoo & Kweon, Learning loss for active learning, 2019, https://arxiv.org/abs/1905.03677
"""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nextlabel.core.errors import DataError
from nextlabel.core.types import Array, Labels, Task

TINY = 1e-7
"""Probabilities closer to 0 than this count as this, so that no loss is infinite."""


class LossHead(nn.Module):
    """P: per stage the averaged feature map, a linear layer and ReLU; all those, **c**, to a value.

    `side` columns of task-agnostic features are appended to **c**.
    """

    def __init__(self, tap_widths: Sequence[int], width: int, side: int = 0) -> None:
        super().__init__()
        self.side = side
        self.layers = nn.ModuleList(nn.Linear(taps, width) for taps in tap_widths)
        self.out = nn.Linear(width * len(tap_widths) + side, 1)

    def forward(self, taps: Sequence[Tensor], side: Tensor | None = None) -> Tensor:
        """Return predicted losses (B) of feature maps (B, C_i, H_i, W_i) and rows (B, side)."""
        averages = [
            torch.relu(layer(tap.mean(dim=(2, 3))))
            for layer, tap in zip(self.layers, taps, strict=True)
        ]
        if side is not None:
            averages.append(side.to(averages[0].dtype))
        predicted: Tensor = self.out(torch.cat(averages, dim=1))
        return predicted.squeeze(1)


def sample_losses(logits: Tensor, targets: Tensor, task: Task) -> Tensor:
    """Return the task loss of each image (B): cross entropy, or the mean over its findings."""
    if task == "multiclass":
        return F.cross_entropy(logits, targets, reduction="none")
    return F.binary_cross_entropy_with_logits(logits, targets.float(), reduction="none").mean(1)


def pair_loss(
    predicted: Tensor, losses: Tensor, pairs: Tensor, margin: float | Tensor = 1.0
) -> Tensor:
    """Return equation 3 averaged over pairs: max(0, -J(p) · (p̃₁ - p̃₂) + ξ), J by equation 4.

    J is +1 where the first true loss is the larger and -1 elsewhere, ties included.

    Parameters
    ----------
    predicted
        Losses p̃ that P predicts, (B).
    losses
        True losses, (B); they get no gradient.
    pairs
        Row numbers (2, n); without pairs the loss is 0.
    margin
        ξ.
    """
    if pairs.shape[1] == 0:
        return predicted.sum() * 0
    first, second = pairs
    true = losses.detach()
    sign = torch.where(true[first] > true[second], 1.0, -1.0).to(predicted.dtype)
    return torch.relu(margin - sign * (predicted[first] - predicted[second])).mean()


def rank_loss(predicted: Tensor, losses: Tensor, pairs: Tensor) -> Tensor:
    """Return the mean cross entropy of σ(p̃₁ - p̃₂) and of whether the first true loss is larger.

    Arguments as for `pair_loss`; equal losses count as "not larger" [Kim et al. 2021].
    """
    if pairs.shape[1] == 0:
        return predicted.sum() * 0
    first, second = pairs
    true = losses.detach()
    larger = (true[first] > true[second]).to(predicted.dtype)
    return F.binary_cross_entropy_with_logits(predicted[first] - predicted[second], larger)


def random_pairs(size: int, rng: np.random.Generator) -> Tensor:
    """Return row numbers (2, ⌊size / 2⌋) that pair a batch at random; an odd row is left out."""
    half = size // 2
    return torch.from_numpy(rng.permutation(size)[: 2 * half].reshape(2, half))


def loss_correlation(
    predicted: Array, probabilities: Array, labels: Labels, task: Task
) -> float | None:
    """Return Spearman's rank correlation of predicted (N) and true losses; None if undefined.

    Raises DataError when predictions are not finite.
    """
    from scipy.stats import spearmanr

    if not np.isfinite(predicted).all():
        raise DataError(
            "the module P predicts NaN or infinity, so its training diverged; lower "
            "training.learning_rate or loss_prediction.weight",
            code="training-diverged",
        )
    p = np.clip(probabilities.astype(np.float64), TINY, 1 - TINY)
    if task == "multiclass":
        losses = -np.log(p[np.arange(len(labels)), labels])
    else:
        losses = -np.where(labels > 0, np.log(p), np.log1p(-p)).mean(1)
    if len(losses) < 2 or np.ptp(losses) == 0 or np.ptp(predicted) == 0:
        return None
    return float(spearmanr(predicted, losses).statistic)
