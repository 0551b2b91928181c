"""An experiment in a few lines, for a terminal."""

from collections.abc import Sequence
from dataclasses import dataclass

from nextlabel.report.columns import Cell
from nextlabel.report.comparisons import Pair, compare_arms
from nextlabel.report.hypotheses import hypothesis_table, judge_hypotheses
from nextlabel.report.results import Study, read_study
from nextlabel.report.verdict import hypotheses
from nextlabel.statistics import aubc
from nextlabel.store.store import Store


@dataclass(frozen=True)
class SummaryRow:
    """An arm in one line: `first` and `last` are means of the headline metric over `seeds` seeds.

    `difference` is that of the AUBC to `baseline`, with its interval and sign-flip p; None where
    there is no baseline, or no seed complete for both.
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


def summary_table(store: Store, experiment: str | None = None) -> list[SummaryRow]:
    """Return an experiment's arms in short, for a terminal."""
    study = read_study(store, experiment)
    return summarise(study, compare_arms(study))


def hypothesis_lines(store: Store, experiment: str | None = None) -> list[str]:
    """Return how the stated hypotheses fell, a sentence each; nothing where none are stated."""
    return hypotheses(judge_hypotheses(read_study(store, experiment)))


def hypothesis_facts(store: Store, experiment: str | None = None) -> list[dict[str, Cell]]:
    """Return each stated hypothesis as names and values: the columns of its table."""
    table = hypothesis_table(judge_hypotheses(read_study(store, experiment)))
    names = [column.name for column in table.columns]
    return [dict(zip(names, row, strict=True)) for row in table.rows]


def summarise(study: Study, pairs: Sequence[Pair]) -> list[SummaryRow]:
    """Return one row an arm, also for arms that completed nothing."""
    by_arm = {pair.arm: pair for pair in pairs}
    rows = []
    for arm, spec in study.arms.items():
        curve = study.curve(arm) if arm in study.drawn else None
        pair = by_arm.get(arm)
        rows.append(
            SummaryRow(
                arm,
                0 if curve is None else len(curve.seeds),
                None if curve is None else float(curve.mean[0]),
                None if curve is None else float(curve.mean[-1]),
                None if curve is None else float(aubc(curve.counts, curve.values).mean()),
                spec.get("baseline"),
                None if pair is None else pair.area.mean,
                None if pair is None else pair.area.low,
                None if pair is None else pair.area.high,
                None if pair is None else pair.area.test.p,
                pair is not None and pair.primary,
            )
        )
    return rows
