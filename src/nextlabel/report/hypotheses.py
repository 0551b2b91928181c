"""The hypotheses that an experiment states: means of arms against means of arms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nextlabel.core.seeds import Seeds
from nextlabel.report.columns import (
    COMPARED,
    SAVED,
    Cell,
    Column,
    compared_cells,
    reached,
    saved_cells,
)
from nextlabel.report.comparisons import Ends
from nextlabel.report.results import Curve, Study, common
from nextlabel.report.tables import Table
from nextlabel.statistics import (
    Alternative,
    Comparison,
    Saving,
    aubc,
    compare,
    holm,
    label_saving,
    saving_intervals,
)


@dataclass(frozen=True, eq=False)
class Verdict:
    """How a hypothesis fell: the AUBC of the mean of `arms` minus that of `against`, by seed.

    `seeds` are those complete for all of its arms, of the `planned` ones. `area` is None as long as
    there is none. `p_holm` is corrected over all hypotheses of the experiment, those that cannot be
    tested yet counted with p = 1. `saving` is at the last label count, `interval` its bootstrap
    interval, None for a single seed.
    """

    name: str
    arms: tuple[str, ...]
    against: tuple[str, ...]
    alternative: Alternative
    seeds: tuple[int, ...]
    planned: int
    area: Comparison | None = None
    saving: Saving | None = None
    interval: Ends | None = None
    p_holm: float | None = None

    @property
    def p(self) -> float | None:
        """The p-value before correction, None where no test is possible."""
        return None if self.area is None else self.area.test.p

    @property
    def title(self) -> str:
        """Which means are compared, in words."""
        return f"{_mean(self.arms)} against {_mean(self.against)}"


def judge_hypotheses(study: Study) -> tuple[Verdict, ...]:
    """Return every stated hypothesis with its test, in the experiment's order."""
    found = [_test(study, stated) for stated in study.spec.get("hypotheses") or ()]
    corrected = holm([1.0 if v.p is None else v.p for v in found])
    return tuple(
        v if v.p is None else replace(v, p_holm=p) for v, p in zip(found, corrected, strict=True)
    )


def _test(study: Study, stated: Mapping[str, Any]) -> Verdict:
    arms, against = tuple(stated["arms"]), tuple(stated["against"])
    seeds = common(study.complete(arm) for arm in (*arms, *against))
    side: Alternative = stated.get("alternative", "greater")
    bare = Verdict(stated["name"], arms, against, side, seeds, len(study.spec["seeds"]))
    if not seeds:
        return bare
    mine, theirs = (_average([study.curve(a, seeds) for a in names]) for names in (arms, against))
    counts = study.counts
    rng = Seeds(0).rng(f"bootstrap {stated['name']}")
    area = compare(aubc(counts, mine), aubc(counts, theirs), rng, side)
    drawn = saving_intervals(counts, mine, theirs, rng)
    return replace(
        bare,
        area=area,
        saving=label_saving(counts, mine.mean(axis=0), theirs.mean(axis=0))[-1],
        interval=None if drawn is None else drawn[-1],
    )


def _average(curves: Sequence[Curve]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the mean of arms' curves (seeds, counts)."""
    mean: np.ndarray[Any, np.dtype[np.float64]] = np.mean([c.values for c in curves], axis=0)
    return mean


def _mean(arms: Sequence[str]) -> str:
    return arms[0] if len(arms) == 1 else f"the mean of {'; '.join(arms)}"


def hypothesis_table(verdicts: Sequence[Verdict]) -> Table:
    """Return each hypothesis with its difference, test and label saving."""
    columns = (
        Column("hypothesis", "hypothesis"),
        Column("arms", "the mean of"),
        Column("against", "against the mean of"),
        Column("alternative", "claimed"),
        *COMPARED,
        Column("level", "level", "number"),
        Column("against_needs", "labels against", "labels"),
        Column("arms_need", "labels needed", "labels"),
        *SAVED,
    )
    return Table("hypotheses", columns, tuple(_row(v) for v in verdicts))


def _row(v: Verdict) -> tuple[Cell, ...]:
    head = (v.name, "; ".join(v.arms), "; ".join(v.against), v.alternative)
    if v.area is None or v.saving is None:
        return (*head, len(v.seeds), *(None,) * (len(COMPARED) - 1 + 3 + len(SAVED)))
    return (
        *head,
        *compared_cells(v.area, v.p_holm),
        *(v.saving.level, v.saving.baseline_needs, reached(v.saving.arm_needs)),
        *saved_cells(v.saving, v.interval),
    )
