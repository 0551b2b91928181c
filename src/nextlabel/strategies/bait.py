"""BAIT: the batch whose labels leave the least error, by Fisher information."""

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np

from nextlabel.core.errors import UsageError, nearest
from nextlabel.core.snapshot import Snapshot
from nextlabel.core.types import Array, Ids, Task
from nextlabel.kernels.fisher_information import bait, binary_factors, finding_factors, full_factors
from nextlabel.kernels.uncertainty import checked
from nextlabel.strategies import register
from nextlabel.strategies.options import positive, set_option

Information = Literal["binary", "full"]


@register("bait")
@dataclass(frozen=True)
class Bait:
    """Images whose labels would leave the least error, by Fisher information.

    That is the lowest trace of M⁻¹ F: F is the Fisher information of the pool, M of the labelled
    images. A greedy forward pass picks twice the budget, a backward pass removes half. The features
    should be the columns that the model is linear in. Ash et al., Gone fishing: neural active
    learning with Fisher embeddings, 2021, https://arxiv.org/abs/2106.09675. The binary form:
    Huseljic et al., Fast Fishing: approximating BAIT for efficient and scalable deep active image
    classification, 2024, https://arxiv.org/abs/2404.08981
    """

    information: Information = "binary"
    """"binary": of the likeliest class against all others; "full": of all classes, for small pools,
    since each image takes features × classes² numbers."""
    ridge: float = 1.0
    """Number above 0 that the diagonal of the labelled images' Fisher information begins with (λ),
    in units of the squared features."""

    needs: ClassVar[frozenset[str]] = frozenset({"features", "probabilities"})

    def __post_init__(self) -> None:
        if self.information not in get_args(Information):
            remedy = nearest(str(self.information), get_args(Information))
            raise UsageError(
                f"information {self.information!r} is unknown; {remedy}", code="unknown-information"
            )
        ridge = positive("ridge", self.ridge, "a finite number above 0", "raise it")
        set_option(self, "ridge", ridge)

    def select(self, snapshot: Snapshot, budget: int, rng: np.random.Generator) -> Ids:
        """Return `budget` unlabelled ids, int64, in the order of the forward pass.

        A tie goes to the smallest id. Raises BudgetError, UsageError without features or
        probabilities, for multi-label data in the full form or for a ridge that is lost next to the
        features, DataError for bad probabilities.
        """
        pool = snapshot.pool
        pool.check_budget(budget)
        features = snapshot.require("features").concatenate()
        probabilities = checked(snapshot.require("probabilities"), snapshot.task)
        if budget == 0:
            return pool.unlabelled[:0].copy()
        factors = self._factors(features, probabilities, snapshot.task)
        ids = pool.included
        positions = np.full(pool.size, -1)
        positions[ids] = np.arange(len(ids))
        chosen = bait(
            factors[ids], positions[pool.labelled], positions[pool.unlabelled], budget, self.ridge
        )
        return ids[chosen]

    def _factors(self, features: Array, probabilities: Array, task: Task) -> Array:
        if task == "multiclass":
            make = binary_factors if self.information == "binary" else full_factors
            return make(features, probabilities)
        if self.information == "full":
            raise UsageError(
                "the full information is that of one softmax, and multi-label data have none; "
                'leave information at "binary"',
                code="full-information-multilabel",
            )
        return finding_factors(features, probabilities)
