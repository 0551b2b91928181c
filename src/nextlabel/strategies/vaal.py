"""VAAL: images that a discriminator takes for unlabelled."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nextlabel.core.snapshot import Snapshot
from nextlabel.core.types import Ids
from nextlabel.kernels.ranking import highest
from nextlabel.strategies import register


@register("vaal")
@dataclass(frozen=True)
class VAAL:
    """Images that VAAL's discriminator is surest are unlabelled.

    The other way to use a VAE: not as a space to select in, but to learn what the labelled images
    lack. The block `vaal` is trained for it in each round of an experiment; no label is read. Sinha
    et al., Variational adversarial active learning, 2019, https://arxiv.org/abs/1904.00370
    """

    needs: ClassVar[frozenset[str]] = frozenset({"discriminator"})
    prefix: ClassVar[bool] = True

    def select(self, snapshot: Snapshot, budget: int, rng: np.random.Generator) -> Ids:
        """Return the `budget` unlabelled ids of the lowest score, int64; ties by id.

        Raises BudgetError, UsageError without the discriminator's scores.
        """
        snapshot.pool.check_budget(budget)
        (signal,) = self.needs
        scores = snapshot.require(signal)
        return highest(-np.asarray(scores, np.float64), snapshot.pool.unlabelled, budget)
