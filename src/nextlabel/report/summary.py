"""The summary of an experiment: one row per arm."""

from collections.abc import Sequence
from dataclasses import dataclass

from nextlabel.report.comparisons import Pair
from nextlabel.report.experiment_record import ExperimentRecord
from nextlabel.statistics import aubc


@dataclass(frozen=True)
class SummaryRow:
    """The result of an arm in short.

    `first` and `last` are means of the headline metric over `seeds` seeds, `area` is the mean area
    under the curve. `difference` is that of the areas to `baseline`, with its interval and the p
    of the sign-flip test; None where there is no baseline, or no seed complete for both.
    """

    arm: str
    seeds: int
    first: float | None
    last: float | None
    area: float | None
    baseline: str | None
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    primary: bool


def summarise(record: ExperimentRecord, pairs: Sequence[Pair]) -> list[SummaryRow]:
    """Return one row per arm, also for arms without a complete trial."""
    by_arm = {pair.arm: pair for pair in pairs}
    rows = []
    for arm, spec in record.arms.items():
        curve = record.curve(arm) if arm in record.drawn else None
        pair = by_arm.get(arm)
        rows.append(
            SummaryRow(
                arm,
                seeds=0 if curve is None else len(curve.seeds),
                first=None if curve is None else float(curve.mean[0]),
                last=None if curve is None else float(curve.mean[-1]),
                area=None if curve is None else float(aubc(curve.counts, curve.values).mean()),
                baseline=spec.get("baseline"),
                difference=None if pair is None else pair.area.mean,
                low=None if pair is None else pair.area.low,
                high=None if pair is None else pair.area.high,
                p=None if pair is None else pair.area.test.p,
                primary=pair is not None and pair.primary,
            )
        )
    return rows
