"""Comparisons of each arm with its baseline, by the rules of `nextlabel.statistics`."""

from dataclasses import dataclass, replace

import numpy as np

from nextlabel.core.seeds import Seeds
from nextlabel.report.experiment_record import Curve, ExperimentRecord
from nextlabel.statistics import (
    Comparison,
    Interval,
    Saving,
    aubc,
    compare,
    holm,
    label_saving,
    paired_t_by_count,
    saving_intervals,
)


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

    `area` compares the areas under the curves. `savings` are the labels saved at each label count,
    and `intervals` their intervals (None for a single seed). `p_holm` is the p-value
    corrected over the secondary comparisons; it is None for the primary comparison.
    """

    arm: str
    baseline: str
    primary: bool
    twin: bool
    curves: tuple[Curve, Curve]
    area: Comparison
    tests: tuple[CountTest, ...]
    savings: tuple[Saving, ...]
    intervals: tuple[Interval, ...] | None = None
    p_holm: float | None = None

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds compared."""
        return self.curves[0].seeds

    @property
    def title(self) -> str:
        """The name of the pair in tables."""
        return f"{self.arm} against {self.baseline}"

    @property
    def differences(self) -> tuple[float, ...]:
        """The difference of the areas under the curves for each seed."""
        a, b = (aubc(c.counts, c.values) for c in self.curves)
        return tuple((a - b).tolist())


def compare_arms(record: ExperimentRecord) -> tuple[Pair, ...]:
    """Return every arm with a baseline, where both completed a seed, in the arms' order."""
    pairs = [
        _pair(record, arm, spec["baseline"])
        for arm, spec in record.arms.items()
        if spec.get("baseline") and _seeds(record, arm, spec["baseline"])
    ]
    corrected = iter(holm([pair.area.test.p for pair in pairs if not pair.primary]))
    return tuple(p if p.primary else replace(p, p_holm=next(corrected)) for p in pairs)


def _seeds(record: ExperimentRecord, arm: str, baseline: str) -> tuple[int, ...]:
    baseline_seeds = set(record.complete(baseline))
    return tuple(seed for seed in record.complete(arm) if seed in baseline_seeds)


def _pair(record: ExperimentRecord, arm: str, baseline: str) -> Pair:
    seeds = _seeds(record, arm, baseline)
    a, b = record.curve(arm, seeds), record.curve(baseline, seeds)
    counts = a.counts
    rng = Seeds(0).rng(f"subsets {arm} against {baseline}")
    area = compare(aubc(counts, a.values), aubc(counts, b.values), rng)
    intervals = saving_intervals(counts, a.values, b.values, rng)
    same_start = record.beginning(arm) == record.beginning(baseline)
    return Pair(
        arm,
        baseline,
        record.spec.get("primary") == arm,
        record.is_twin(arm),
        (a, b),
        area,
        _tests(a, b, int(record.spec["initial"]) if same_start else 0),
        tuple(label_saving(counts, a.mean, b.mean)),
        None if intervals is None else tuple(intervals),
    )


def _tests(a: Curve, b: Curve, initial: int) -> tuple[CountTest, ...]:
    """Test each label count, except those up to `initial` that are equal in every seed.

    Labels and a model that both arms begin with do not depend on the choice of images.
    """
    shared = (a.counts <= initial) & (a.values == b.values).all(0)
    later = np.flatnonzero(~shared)
    tests, corrected = paired_t_by_count(a.values[:, later], b.values[:, later])
    return tuple(
        CountTest(int(a.counts[t]), float(a.mean[t]), float(b.mean[t]), test.p, p, test.note)
        for t, test, p in zip(later, tests, corrected, strict=True)
    )
