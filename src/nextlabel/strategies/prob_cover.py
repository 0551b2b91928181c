"""ProbCover: the images whose balls hold most of what no labelled image's ball holds."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nextlabel.core.errors import UsageError
from nextlabel.core.feature_space import Embedding
from nextlabel.core.options import check_whole, is_within
from nextlabel.core.snapshot import Snapshot
from nextlabel.core.types import Ids, Signal
from nextlabel.kernels.clusters import k_means
from nextlabel.kernels.coverage.ball_cover import ball_cover
from nextlabel.kernels.coverage.bandwidth import pure_radius
from nextlabel.kernels.distance.exact import Metric
from nextlabel.strategies import register


@register("prob_cover")
@dataclass(frozen=True)
class ProbCover:
    """Most images within `radius` of it that are within it of no labelled or picked image.

    `radius` is δ, a distance in the feature space. Left out, it is the paper's: the largest at
    which a share `purity` of the images have balls of one k-means cluster only, with as many
    clusters as there are `classes`. A strategy sees no labels, so it cannot count them: say how
    many, or it is 10. When all are covered, those covered least often count. Yehuda et al., Active
    learning through a covering lens, 2022, https://arxiv.org/abs/2205.11320
    """

    radius: float | None = None
    classes: int = 10
    purity: float = 0.95

    needs: ClassVar[frozenset[Signal]] = frozenset({"features"})
    prefix: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.radius is not None and not is_within(self.radius):
            raise UsageError(
                f"radius {self.radius!r} must be a distance above 0; leave it out to have it found"
            )
        check_whole("classes", self.classes, 2)
        if not is_within(self.purity, 1):
            raise UsageError(f"purity {self.purity!r} must be a share above 0 and up to 1")

    def select(self, snapshot: Snapshot, budget: int, rng: np.random.Generator) -> Ids:
        """Return `budget` unlabelled ids, int64, in the order of choice; ties to the smallest id.

        `rng` begins the k-means of `radius`; nothing need be labelled. Raises BudgetError,
        UsageError without features.
        """
        pool = snapshot.pool
        pool.check_budget(budget)
        snapshot.require("features")
        assert snapshot.features is not None
        ids = np.setdiff1d(np.arange(pool.size), pool.excluded)
        radius = self._radius(snapshot.features, ids, rng) if len(ids) else 0.0
        return ball_cover(snapshot.features, pool.labelled, budget, radius, excluded=pool.excluded)

    def _radius(self, features: Embedding, ids: Ids, rng: np.random.Generator) -> float:
        if self.radius is not None:
            return float(self.radius)
        clusters = k_means(Metric(features), ids, self.classes, rng)
        return pure_radius(features, ids, clusters, self.purity)
