"""What pairs of arms cost, as the paper's run-time table has it."""

from collections.abc import Sequence

from nextlabel.report.columns import Cell, Column
from nextlabel.report.comparisons import Pair
from nextlabel.report.results import Study, Trial
from nextlabel.report.tables import Table

ORDER = ("train", "blocks", "signals", "select", "evaluate")


def phases(study: Study) -> tuple[str, ...]:
    """Return the phases that rounds of complete trials were timed in, in the order of a round."""
    names = {phase for t in study.trials if t.complete for r in t.rounds for phase in r.seconds}
    return (*(p for p in ORDER if p in names), *sorted(names.difference(ORDER)))


def run_time_table(study: Study, pairs: Sequence[Pair]) -> Table:
    """Return the seconds of each pair, summed over its seeds: its arms apart, then together.

    What one arm took over from another is counted once, with the arm that made it.
    """
    names = phases(study)
    columns = (
        Column("data", "data"),
        Column("pair", "pair"),
        Column("arm", "arm"),
        Column("trials", "trials", "count"),
        *(Column(f"seconds_{name}", name, "seconds") for name in names),
        Column("seconds", "in all", "seconds"),
        Column("seconds_a_trial", "a trial", "seconds"),
    )
    data = str(study.spec["data"]["name"])
    rows: list[tuple[Cell, ...]] = []
    for pair in pairs:
        members = [
            (name, [t for t in study.of(name) if t.seed in pair.seeds])
            for name in (pair.baseline, pair.arm)
        ]
        for name, trials in [*members, ("both", members[0][1] + members[1][1])]:
            spent = [sum(_spent(trial, phase) for trial in trials) for phase in names]
            total = sum(spent)
            head = (data, pair.title, name, len(trials))
            rows.append((*head, *spent, total, total / len(trials)))
    return Table("run_time", columns, tuple(rows))


def _spent(trial: Trial, phase: str) -> float:
    return sum(r.seconds.get(phase, 0.0) for r in trial.rounds)
