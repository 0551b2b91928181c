"""Each arm against its baseline, by the rules of `nextlabel.statistics`."""

from dataclasses import dataclass, replace

import numpy as np

from nextlabel.core.seeds import Seeds
from nextlabel.report.results import Curve, Study
from nextlabel.statistics import (
    Comparison,
    Saving,
    aubc,
    compare,
    holm,
    label_saving,
    paired_t_by_count,
    saving_intervals,
)

Ends = tuple[float | None, float | None]
"""The ends of a bootstrap interval; None where the level was not reached."""


@dataclass(frozen=True)
class CountTest:
    """The paired t test at one label count; `p_holm` is corrected over the counts."""

    count: int
    arm_mean: float
    baseline_mean: float
    p: float | None
    p_holm: float | None
    note: str


@dataclass(frozen=True, eq=False)
class Pair:
    """An arm and its baseline over the seeds that both completed.

    `area` compares the AUBCs; `savings` are at each label count, `intervals` their bootstrap
    intervals (None for a single seed). `p_holm` is its p corrected over the experiment's secondary
    comparisons, None for the primary one, which stands alone.
    """

    arm: str
    baseline: str
    primary: bool
    twin: bool
    curves: tuple[Curve, Curve]
    area: Comparison
    tests: tuple[CountTest, ...]
    savings: tuple[Saving, ...]
    intervals: tuple[Ends, ...] | None = None
    p_holm: float | None = None

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds compared."""
        return self.curves[0].seeds

    @property
    def title(self) -> str:
        """How the pair is called in tables."""
        return f"{self.arm} against {self.baseline}"

    @property
    def differences(self) -> tuple[float, ...]:
        """The difference of the AUBCs for each seed."""
        a, b = (aubc(c.counts, c.values) for c in self.curves)
        return tuple((a - b).tolist())


def compare_arms(study: Study) -> tuple[Pair, ...]:
    """Return every arm with a baseline, where both completed a seed, in the arms' order."""
    pairs = [
        _pair(study, arm, spec["baseline"])
        for arm, spec in study.arms.items()
        if spec.get("baseline") and _seeds(study, arm, spec["baseline"])
    ]
    corrected = iter(holm([pair.area.test.p for pair in pairs if not pair.primary]))
    return tuple(p if p.primary else replace(p, p_holm=next(corrected)) for p in pairs)


def _seeds(study: Study, arm: str, baseline: str) -> tuple[int, ...]:
    there = set(study.complete(baseline))
    return tuple(seed for seed in study.complete(arm) if seed in there)


def _pair(study: Study, arm: str, baseline: str) -> Pair:
    seeds = _seeds(study, arm, baseline)
    mine, theirs = study.curve(arm, seeds), study.curve(baseline, seeds)
    counts = mine.counts
    rng = Seeds(0).rng(f"bootstrap {arm} against {baseline}")
    area = compare(aubc(counts, mine.values), aubc(counts, theirs.values), rng)
    drawn = saving_intervals(counts, mine.values, theirs.values, rng)
    alike = study.beginning(arm) == study.beginning(baseline)
    return Pair(
        arm,
        baseline,
        study.spec.get("primary") == arm,
        study.is_twin(arm),
        (mine, theirs),
        area,
        _tests(mine, theirs, int(study.spec["initial"]) if alike else 0),
        tuple(label_saving(counts, mine.mean, theirs.mean)),
        None if drawn is None else tuple(drawn),
    )


def _tests(mine: Curve, theirs: Curve, initial: int) -> tuple[CountTest, ...]:
    """Test each count but those up to `initial` that are equal in every seed.

    What arms begin with alike, labels and model, says nothing of choosing.
    """
    shared = (mine.counts <= initial) & (mine.values == theirs.values).all(0)
    later = np.flatnonzero(~shared)
    tests, corrected = paired_t_by_count(mine.values[:, later], theirs.values[:, later])
    return tuple(
        CountTest(
            int(mine.counts[t]), float(mine.mean[t]), float(theirs.mean[t]), test.p, p, test.note
        )
        for t, test, p in zip(later, tests, corrected, strict=True)
    )
