"""UHerding: the images that represent best what the model is unsure of."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nextlabel.core.pool import Pool
from nextlabel.core.snapshot import Snapshot
from nextlabel.core.types import Array, Ids
from nextlabel.kernels.coverage.bandwidth import closest_pair
from nextlabel.kernels.coverage.max_herding import max_herding
from nextlabel.kernels.pick_scores import coverage_gains
from nextlabel.kernels.uncertainty import margin
from nextlabel.strategies import register
from nextlabel.strategies.max_herding import bandwidth, neighbour_width
from nextlabel.strategies.options import set_option
from nextlabel.strategies.references import (
    indicator,
    reference_count,
    references,
    warn_if_long,
)


@register("uherding")
@dataclass(frozen=True)
class UHerding:
    """MaxHerding with each image weighted by how uncertain its prediction is.

    The weight is 1 - margin, the difference of the two highest probabilities; multi-label: the mean
    of 1 - |2p - 1| over the classes.

    `bandwidth` is a distance or "labelled", as in the paper: the smallest distance above 0 between
    two labelled images. It falls as labels are added, and so turns coverage of the space into
    uncertainty. With fewer than two distinct labelled images it is MaxHerding's "neighbour". With
    nothing labelled all weights are 1, as in the authors' code, and no probabilities are needed.

    The paper also calibrates the temperature on held-out labels. A strategy gets none, and takes
    probabilities as they are; `temperature = "cv"` of a model on blocks calibrates them by
    cross-validation. Bae et al., Uncertainty herding: one active learning method
    for all label budgets, 2024, https://arxiv.org/abs/2412.20644
    """

    bandwidth: str | float = "labelled"
    """Distance in the feature space at which two images stop being similar (σ of the kernel), or
    "labelled": the smallest distance above 0 between two labelled images, or "neighbour", as for
    MaxHerding.
    """

    references: str | int = "auto"
    """Number of images, drawn at random, that are covered instead of all, "all", or "auto": all up
    to 20,000 images, 10,000 beyond. Any image may be picked.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"features", "probabilities"})
    prefix: ClassVar[bool] = True
    score: ClassVar[str] = "rise in the sum of similarities, each weighted by doubt"

    def __post_init__(self) -> None:
        names = ("labelled", "neighbour")
        set_option(self, "bandwidth", bandwidth(self.bandwidth, names))
        set_option(self, "references", reference_count(self.references))

    def needs_now(self, pool: Pool, budget: int) -> frozenset[str]:
        """Return features alone while nothing is labelled, since all weights are 1 then.

        Parameters
        ----------
        pool : Pool
            The pool to choose from.
        budget : int
            The number of images to choose.

        Returns
        -------
        frozenset of str
            Names of signals.
        """
        return self.needs if pool.labelled_count else frozenset({"features"})

    def select(self, snapshot: Snapshot, budget: int, rng: np.random.Generator) -> Ids:
        """Return `budget` unlabelled ids, int64, each covering most doubt; ties: smallest id.

        Where the model is sure of everything all tie. Raises BudgetError, UsageError without
        features or probabilities, DataError for bad probabilities.
        """
        pool = snapshot.pool
        pool.check_budget(budget)
        features = snapshot.require("features")
        warn_if_long(snapshot, self.references)
        covered = references(pool, self.references, rng, snapshot.carried)
        return max_herding(
            features,
            pool.labelled,
            budget,
            self._width(snapshot),
            weights=_doubt(snapshot),
            excluded=pool.excluded,
            references=covered,
            carried=snapshot.carried,
        )

    def scores(self, snapshot: Snapshot, chosen: Ids, rng: np.random.Generator) -> Array:
        """Return by how much each pick raised the doubt that is covered, of `references` (B)."""
        features, pool = snapshot.require("features"), snapshot.pool
        width = self._width(snapshot)
        sample = references(pool, self.references, rng, snapshot.carried)
        covered = indicator(sample, pool.size)
        return coverage_gains(features, pool, chosen, width, _doubt(snapshot) * covered)

    def _width(self, snapshot: Snapshot) -> float:
        if not isinstance(self.bandwidth, str):
            return self.bandwidth
        features, labelled = snapshot.require("features"), snapshot.pool.labelled
        if self.bandwidth == "labelled" and (width := closest_pair(features, labelled)):
            return width
        return neighbour_width(snapshot)


def _doubt(snapshot: Snapshot) -> Array:
    """Return 1 - margin of each image (N); 1 with nothing labelled."""
    if not snapshot.pool.labelled_count:
        return np.ones(snapshot.pool.size)
    return np.maximum(1 - margin(snapshot.require("probabilities"), snapshot.task), 0)
