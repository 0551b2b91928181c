"""MaxHerding: the images that represent all best, by a smooth measure of coverage."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nextlabel.core.carried import digest, once
from nextlabel.core.snapshot import Snapshot
from nextlabel.core.types import Array, Ids
from nextlabel.kernels.coverage.bandwidth import neighbour_distance
from nextlabel.kernels.coverage.max_herding import max_herding
from nextlabel.kernels.pick_scores import coverage_gains
from nextlabel.strategies import register
from nextlabel.strategies.options import positive, set_option
from nextlabel.strategies.references import (
    indicator,
    reference_count,
    references,
    warn_if_long,
)


@register("max_herding")
@dataclass(frozen=True)
class MaxHerding:
    """Largest rise in the similarity of all images to their nearest labelled or picked image.

    The similarity at distance d is the kernel exp(-d²/σ²), summed over images. `bandwidth` is σ, a
    distance in the feature space, or "neighbour": the median over the images of the distance to
    their ⌈N/50⌉-th neighbour, so that σ follows the scale and the density of the
    space. The paper has σ = 1 on self-supervised features of unit length, where that is of the same
    order. Of a large pool, a random sample is covered (`references`). Bae et al., Generalized
    coverage for more robust low-budget active learning, 2024,
    https://arxiv.org/abs/2407.12212
    """

    bandwidth: str | float = "neighbour"
    """Distance in the feature space at which two images stop being similar (σ of the kernel), or
    "neighbour": the median distance of an image to its N/50-th nearest neighbour.
    """
    references: str | int = "auto"
    """Number of images, drawn at random, that are covered instead of all, "all", or "auto": all up
    to 20,000 images, 10,000 beyond. Any image may be picked.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"features"})
    prefix: ClassVar[bool] = True
    score: ClassVar[str] = "rise in the sum of similarities"

    def __post_init__(self) -> None:
        set_option(self, "bandwidth", bandwidth(self.bandwidth, ("neighbour",)))
        set_option(self, "references", reference_count(self.references))

    def select(self, snapshot: Snapshot, budget: int, rng: np.random.Generator) -> Ids:
        """Return `budget` unlabelled ids, int64, each covering most; ties to the smallest id.

        Nothing need be labelled. Raises BudgetError, UsageError without features.
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
            excluded=pool.excluded,
            references=covered,
            carried=snapshot.carried,
        )

    def scores(self, snapshot: Snapshot, chosen: Ids, rng: np.random.Generator) -> Array:
        """Return by how much each pick raised the sum of similarities, of `references` (B)."""
        features, pool = snapshot.require("features"), snapshot.pool
        covered = references(pool, self.references, rng, snapshot.carried)
        weights = indicator(covered, pool.size)
        return coverage_gains(features, pool, chosen, self._width(snapshot), weights)

    def _width(self, snapshot: Snapshot) -> float:
        return neighbour_width(snapshot) if isinstance(self.bandwidth, str) else self.bandwidth


def neighbour_width(snapshot: Snapshot) -> float:
    """Return the bandwidth "neighbour" of a snapshot, computed once for the same images."""
    features, ids, carried = snapshot.require("features"), snapshot.pool.included, snapshot.carried
    if carried is None:
        return neighbour_distance(features, ids)
    content = digest(features.digest, ids)
    return once(carried, "neighbour", content, lambda: neighbour_distance(features, ids))


def bandwidth(value: object, names: tuple[str, ...]) -> str | float:
    """Return the option `bandwidth`: one of `names`, or a finite distance above 0.

    Raises UsageError for other values.
    """
    if isinstance(value, str) and value in names:
        return value
    choices = " or ".join(repr(name) for name in names)
    limit = f"{choices} or a distance above 0"
    return positive("bandwidth", value, limit, f"leave it out for {names[0]!r}")
