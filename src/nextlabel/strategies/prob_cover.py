"""ProbCover: the images whose balls hold most of what no labelled image's ball holds."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nextlabel.core.carried import digest, once
from nextlabel.core.pool import Pool
from nextlabel.core.progress import part_of_preparation
from nextlabel.core.snapshot import Snapshot
from nextlabel.core.types import Array, Ids
from nextlabel.kernels.coverage.ball_cover import ball_cover, newly_covered
from nextlabel.kernels.coverage.bandwidth import EXACT, SPREAD, pure_radius
from nextlabel.kernels.distance.exact import Metric
from nextlabel.kernels.k_means import k_means
from nextlabel.strategies import register
from nextlabel.strategies.options import positive, set_option, whole
from nextlabel.strategies.references import (
    number_of_references,
    reference_count,
    references,
    warn_if_long,
)

CLUSTERING = 100
"""Distances of an image to each mean that k-means takes, about."""


@register("prob_cover")
@dataclass(frozen=True)
class ProbCover:
    """Most images within a radius that no labelled or picked image covers yet.

    `radius` is δ, a distance in the feature space. Left out, it is the paper's: the largest at
    which a share `purity` of the images have balls of one k-means cluster only, with as many
    clusters as there are `classes`. A strategy gets no labels, so it cannot count them; the
    default is 10. When all are covered, those covered least often count. Yehuda et al., Active
    learning through a covering lens, 2022, https://arxiv.org/abs/2205.11320
    """

    radius: float | None = None
    """Distance in the feature space within which an image covers another (δ). If not set, it is
    derived from `purity` and `classes`.
    """
    classes: int = 10
    """Number of classes of the data, used to derive the radius."""
    purity: float = 0.95
    """Share of the images whose neighbours within the radius are all in one cluster, above 0 and at
    most 1.
    """

    references: str | int = "auto"
    """Number of images, drawn at random, that are covered instead of all, "all", or "auto": all up
    to 20,000 images, 10,000 beyond. Any image may be picked.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"features"})
    prefix: ClassVar[bool] = True
    score: ClassVar[str] = "number of images that it covers first"

    def __post_init__(self) -> None:
        if self.radius is not None:
            remedy = "leave it out to have it computed"
            set_option(
                self, "radius", positive("radius", self.radius, "a distance above 0", remedy)
            )
        set_option(self, "classes", whole("classes", self.classes, 2))
        set_option(self, "references", reference_count(self.references))
        limit, remedy = "a share above 0 and up to 1", "leave it out for 0.95"
        set_option(self, "purity", positive("purity", self.purity, limit, remedy, most=1))

    def select(self, snapshot: Snapshot, budget: int, rng: np.random.Generator) -> Ids:
        """Return `budget` unlabelled ids, int64, in the order of choice; ties to the smallest id.

        `rng` begins the k-means of `radius`; nothing need be labelled. Raises BudgetError,
        UsageError without features.
        """
        pool = snapshot.pool
        pool.check_budget(budget)
        features = snapshot.require("features")
        warn_if_long(snapshot, self.references, passes=1)
        share = self._share_of_radius(pool)
        with part_of_preparation(0, share):
            radius = self._radius(snapshot, rng) if len(pool.included) else 0.0
        covered = references(pool, self.references, rng, snapshot.carried)
        with part_of_preparation(share, 1):
            return ball_cover(
                features,
                pool.labelled,
                budget,
                radius,
                excluded=pool.excluded,
                references=covered,
                carried=snapshot.carried,
            )

    def scores(self, snapshot: Snapshot, chosen: Ids, rng: np.random.Generator) -> Array:
        """Return the number of least covered images of `references` that each pick covered (B)."""
        features, pool = snapshot.require("features"), snapshot.pool
        radius = self._radius(snapshot, rng)
        covered = references(pool, self.references, rng, snapshot.carried)
        return newly_covered(features, pool, chosen, radius, covered)

    def _share_of_radius(self, pool: Pool) -> float:
        """Return the share of the radius in the work before the first pick, about."""
        if self.radius is not None:
            return 0.0
        size = len(pool.included)
        measured = CLUSTERING * self.classes + (size if size <= EXACT else SPREAD)
        return measured / (measured + number_of_references(pool, self.references))

    def _radius(self, snapshot: Snapshot, rng: np.random.Generator) -> float:
        if self.radius is not None:
            return self.radius
        features, ids, carried = (
            snapshot.require("features"),
            snapshot.pool.included,
            snapshot.carried,
        )

        def pure() -> float:
            clusters = k_means(Metric(features), ids, self.classes, rng)
            return pure_radius(features, ids, clusters, self.purity)

        if carried is None:
            return pure()
        return once(carried, "radius", digest(features.digest, ids, self), pure)
