"""The task model `named_mixture`: a VAE's mixture components, named by the labels.

N images, n of them labelled, M components of the prior, K classes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from nextlabel.core.dataset import Dataset
from nextlabel.core.errors import DataError
from nextlabel.core.space.scaled_blocks import ScaledBlocks
from nextlabel.core.task_model import TaskModel
from nextlabel.core.types import Array, Ids, Labels, Task
from nextlabel.models.classical import ClassicalModel
from nextlabel.models.settings import LossPredictionSettings, ShippedOptions, TrainingSettings
from nextlabel.models.task_models import register
from nextlabel.models.task_models.base import ClassicalSettings

if TYPE_CHECKING:
    from nextlabel.models.cross_validation import BlockClassifier

PRIOR = ("prior/log_weights", "prior/means", "prior/log_variances")


@register("named_mixture")
class NamedMixtureSettings(ShippedOptions, ClassicalSettings):
    """Components of `vae_mixture`, each with the class shares of the labels that belong to it.

    p(y|x) = Σ_m p(m|x) p(y|m). p(m|x) is the share of component m at the posterior mean of x;
    p(y|m) counts each label by its share of m, and `smoothing` labels of all classes as labelled.
    """

    reads_state: ClassVar[bool] = True

    name: Literal["named_mixture"] = "named_mixture"
    smoothing: float = Field(0.1, gt=0)
    """Labels that every component has in advance, in the shares of all labels."""

    @model_validator(mode="after")
    def _one_block(self) -> "NamedMixtureSettings":
        if self.block is None:
            raise ValueError('model named_mixture reads one block; set block = "vae_mixture"')
        return self

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
        """Return the model; DataError for a block without a mixture."""
        if start is not None and any(name not in start for name in PRIOR):
            raise DataError(
                f"block {self.block!r} has no mixture whose components could be named; set "
                'model.block = "vae_mixture"',
                code="no-mixture",
            )
        return NamedMixtureModel(NamedMixture(self, start), task, outputs)


@dataclass(frozen=True)
class NamedMixtureModel(ClassicalModel):
    """The model of a trial; a fit takes no time worth planning."""

    def planned_seconds(self, data: Dataset, rounds: Sequence[tuple[int, int]]) -> float:
        """Return 0: a fit is one product of the labels' component shares."""
        return 0.0


@dataclass(frozen=True, eq=False)
class NamedMixture:
    """The settings, and the state of the block that has the mixture."""

    settings: NamedMixtureSettings
    state: Mapping[str, Array] | None

    @property
    def temperature(self) -> str:
        """As the settings have it."""
        return self.settings.temperature

    @property
    def row_blocks(self) -> Mapping[str, float]:
        """As the settings have them."""
        return self.settings.row_blocks

    def fit_blocks(self, rows: ScaledBlocks, labelled: Ids, labels: Labels) -> "BlockClassifier":
        """Return the components with the class shares of their labels."""
        assert self.state is not None
        mixture = tuple(np.asarray(self.state[name], np.float64) for name in PRIOR)
        classes, counts = np.unique(labels, return_counts=True)
        shares = component_shares(rows.take(labelled), mixture)  # [n, M]
        named = shares.T @ (labels[:, None] == classes)  # [M, K]
        named += self.settings.smoothing * counts / len(labels)
        return NamedComponents(classes, mixture, named / named.sum(axis=1, keepdims=True))


@dataclass(frozen=True, eq=False)
class NamedComponents:
    """A mixture and p(y|m), shape (M, K)."""

    classes_: Array
    mixture: tuple[Array, ...]
    class_shares: Array

    def probabilities(self, rows: ScaledBlocks) -> Array:
        """Return p(y|x), float64 (N, K)."""
        shares: Array = component_shares(rows, self.mixture) @ self.class_shares
        return shares


def component_shares(rows: ScaledBlocks, mixture: tuple[Array, ...]) -> Array:
    """Return p(m|z), float64 (N, M), at the rows z of the only block, in its own scale."""
    from nextlabel.models.linear import softmax

    (block,) = rows.arrays.values()
    log_weights, means, log_variances = mixture
    out = np.empty((len(rows), len(means)))
    for tile in rows.tiles():
        z = np.asarray(block[tile], np.float64)[:, None]  # [TILE, 1, latent]
        squares = (z - means) ** 2 / np.exp(log_variances) + log_variances  # [TILE, M, latent]
        out[tile] = softmax(log_weights - squares.sum(axis=2) / 2)
    return out
