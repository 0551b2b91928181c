"""Tests of the hypotheses that an experiment states: means of arms against means of arms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.seeds import Seeds
from nextlabel.report.experiment_record import Curve, ExperimentRecord, common
from nextlabel.statistics import (
    ALPHA,
    Alternative,
    Comparison,
    Interval,
    Saving,
    aubc,
    compare,
    holm,
    label_saving,
    least_corrected,
    pairs_needed,
    saving_intervals,
)


@dataclass(frozen=True, eq=False)
class HypothesisResult:
    """The test of a hypothesis: the mean of `arms` against the mean of `against`, by seed.

    `seeds` are those complete for all of its arms, out of `planned` ones. `area` compares the areas
    under the curves; it is None while no seed is complete. `p_holm` is corrected over all
    hypotheses of the experiment; those that cannot be tested yet count with p = 1. `saving` is at
    the last label count, and `interval` its interval, None for a single seed. `least` is the
    smallest p_holm that the seeds allow, and `needed` the number of seeds that can support it.
    """

    name: str
    arms: tuple[str, ...]
    against: tuple[str, ...]
    alternative: Alternative
    seeds: tuple[int, ...]
    planned: int
    area: Comparison | None = None
    saving: Saving | None = None
    interval: Interval | None = None
    p_holm: float | None = None
    least: float | None = None
    needed: int | None = None

    @property
    def p(self) -> float | None:
        """The p-value before correction; None where no test is possible."""
        return None if self.area is None else self.area.test.p

    @property
    def supported(self) -> bool:
        """True when the corrected p is small and the difference has the claimed sign."""
        if self.area is None or self.p_holm is None or self.p_holm > ALPHA:
            return False
        return self.alternative == "two-sided" or self.area.mean > 0

    @property
    def out_of_reach(self) -> bool:
        """True when no outcome on these seeds could have supported the hypothesis."""
        return self.p is not None and self.least is not None and self.least > ALPHA

    @property
    def title(self) -> str:
        """The compared means, in words."""
        return f"{_mean(self.arms)} against {_mean(self.against)}"


def judge_hypotheses(record: ExperimentRecord) -> tuple[HypothesisResult, ...]:
    """Return every stated hypothesis with its test, in the experiment's order."""
    results = [_test(record, stated) for stated in record.spec.get("hypotheses") or ()]
    corrected = holm([1.0 if result.p is None else result.p for result in results])
    alternatives = [result.alternative for result in results]
    least = least_corrected([len(result.seeds) for result in results], alternatives)
    return tuple(
        replace(result, p_holm=None if result.p is None else p, least=smallest, needed=needed)
        for result, p, smallest, needed in zip(
            results, corrected, least, pairs_needed(alternatives), strict=True
        )
    )


def _test(record: ExperimentRecord, stated: Mapping[str, Any]) -> HypothesisResult:
    arms, against = tuple(stated["arms"]), tuple(stated["against"])
    seeds = common(record.complete(arm) for arm in (*arms, *against))
    alternative: Alternative = stated.get("alternative", "greater")
    planned = len(record.spec["seeds"])
    untested = HypothesisResult(stated["name"], arms, against, alternative, seeds, planned)
    if not seeds:
        return untested
    a, b = (_average([record.curve(arm, seeds) for arm in names]) for names in (arms, against))
    counts = record.counts
    rng = Seeds(0).rng(f"subsets {stated['name']}")
    area = compare(aubc(counts, a), aubc(counts, b), rng, alternative)
    intervals = saving_intervals(counts, a, b, rng)
    return replace(
        untested,
        area=area,
        saving=label_saving(counts, a.mean(axis=0), b.mean(axis=0))[-1],
        interval=None if intervals is None else intervals[-1],
    )


def _average(curves: Sequence[Curve]) -> NDArray[np.float64]:
    """Return the mean (seeds, counts) of the curves of several arms."""
    mean: NDArray[np.float64] = np.mean([curve.values for curve in curves], axis=0)
    return mean


def _mean(arms: Sequence[str]) -> str:
    return arms[0] if len(arms) == 1 else f"the mean of {'; '.join(arms)}"
