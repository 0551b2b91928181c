"""The tables of the report, as values: the page shows them, and each is a CSV file as well."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nextlabel.report.columns import (
    COMPARED,
    SAVED,
    Cell,
    Column,
    compared_cells,
    reached,
    saved_cells,
)
from nextlabel.report.comparisons import Pair
from nextlabel.report.results import Curve, Study
from nextlabel.statistics import aubc


@dataclass(frozen=True)
class Table:
    """Rows under columns; `name` is that of its CSV file."""

    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]

    @property
    def csv(self) -> str:
        """The table as CSV: full precision, empty where there is no value."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(column.name for column in self.columns)
        writer.writerows(self.rows)
        return text.getvalue()


def curve_table(name: str, curves: Sequence[Curve]) -> Table:
    """Return what a figure of curves shows: mean and s.d. at each label count."""
    columns = (
        Column("arm", "arm"),
        Column("labelled", "labels", "count"),
        Column("seeds", "seeds", "count"),
        Column("mean", "mean", "number"),
        Column("sd", "s.d.", "spread"),
        Column("not_reached", "rounds under the train accuracy", "count"),
    )
    rows: list[tuple[Cell, ...]] = []
    for curve in curves:
        spread = curve.deviation
        for t, count in enumerate(curve.counts.tolist()):
            sd = None if spread is None else float(spread[t])
            missed = int((~curve.reached[:, t]).sum())
            rows.append((curve.arm, count, len(curve.seeds), float(curve.mean[t]), sd, missed))
    return Table(name, columns, tuple(rows))


def difference_table(pairs: Sequence[Pair]) -> Table:
    """Return the difference of the AUBCs for each pair and seed."""
    columns = (
        Column("arm", "arm"),
        Column("baseline", "baseline"),
        Column("seed", "seed", "count"),
        Column("difference", "difference of AUBC", "signed"),
    )
    rows = [
        (pair.arm, pair.baseline, seed, difference)
        for pair in pairs
        for seed, difference in zip(pair.seeds, pair.differences, strict=True)
    ]
    return Table("differences", columns, tuple(rows))


def log_table(name: str, logs: Mapping[int, Sequence[Mapping[str, float]]]) -> Table:
    """Return what a block reported, by seed and epoch."""
    names = list(dict.fromkeys(key for log in logs.values() for row in log for key in row))
    return Table(
        name,
        tuple(Column(key, key) for key in ("seed", "epoch", *names)),
        tuple(
            (seed, epoch, *(row.get(key) for key in names))
            for seed, log in logs.items()
            for epoch, row in enumerate(log, 1)
        ),
    )


def area_table(study: Study, pairs: Sequence[Pair]) -> Table:
    """Return each arm's AUBC and how it differs from its baseline's."""
    columns = (
        Column("arm", "arm"),
        Column("seeds", "seeds", "count"),
        Column("aubc", "AUBC", "number"),
        Column("aubc_sd", "s.d.", "spread"),
        Column("aubc_log2", "AUBC, log₂", "number"),
        Column("baseline", "baseline"),
        *COMPARED,
        Column("primary", "test"),
    )
    by_arm = {pair.arm: pair for pair in pairs}
    rows: list[tuple[Cell, ...]] = []
    for arm in study.drawn:
        curve = study.curve(arm)
        areas = aubc(curve.counts, curve.values)
        sd = float(areas.std(ddof=1)) if len(areas) > 1 else None
        log = float(aubc(curve.counts, curve.values, "log2").mean())
        start = (arm, len(areas), float(areas.mean()), sd, log)
        pair = by_arm.get(arm)
        if pair is None:
            rows.append((*start, study.arms[arm].get("baseline"), *(None,) * 10))
            continue
        area = pair.area
        rows.append(
            (
                *start,
                pair.baseline,
                *compared_cells(area, pair.p_holm),
                "primary" if pair.primary else "secondary",
            )
        )
    return Table("statistics", columns, tuple(rows))


def count_table(pairs: Sequence[Pair]) -> Table:
    """Return the paired t test of every pair at every label count after round 0."""
    columns = (
        Column("arm", "arm"),
        Column("baseline", "baseline"),
        Column("labelled", "labels", "count"),
        Column("arm_mean", "arm", "number"),
        Column("baseline_mean", "baseline", "number"),
        Column("difference", "difference", "signed"),
        Column("p", "p, paired t", "p"),
        Column("p_holm", "p, Holm", "p"),
        Column("note", "note"),
    )
    rows = [
        (
            pair.arm,
            pair.baseline,
            t.count,
            t.arm_mean,
            t.baseline_mean,
            t.arm_mean - t.baseline_mean,
            t.p,
            t.p_holm,
            t.note,
        )
        for pair in pairs
        for t in pair.tests
    ]
    return Table("p_values", columns, tuple(rows))


def saving_table(pairs: Sequence[Pair]) -> Table:
    """Return the labels that arms need for what their baselines reached, at every label count."""
    columns = (
        Column("arm", "arm"),
        Column("baseline", "baseline"),
        Column("labelled", "baseline's labels", "count"),
        Column("level", "it reached", "number"),
        Column("baseline_needs", "it needed", "labels"),
        Column("arm_needs", "the arm needs", "labels"),
        *SAVED,
    )
    rows = [
        (
            pair.arm,
            pair.baseline,
            count,
            saving.level,
            saving.baseline_needs,
            reached(saving.arm_needs),
            *saved_cells(saving, ends),
        )
        for pair in pairs
        for count, saving, ends in zip(
            pair.curves[0].counts.tolist(),
            pair.savings,
            pair.intervals or (None,) * len(pair.savings),
            strict=True,
        )
    ]
    return Table("label_saving", columns, tuple(rows))


def metric_table(study: Study) -> Table:
    """Return every metric of the last round, mean and s.d. over the seeds that measured it."""
    columns = (
        Column("arm", "arm"),
        Column("metric", "metric"),
        Column("seeds", "seeds", "count"),
        Column("mean", "mean", "number"),
        Column("sd", "s.d.", "spread"),
    )
    rows: list[tuple[Cell, ...]] = []
    for metric in study.metrics:
        for arm in study.drawn:
            last = study.last(arm, metric)
            if len(last):
                sd = float(last.std(ddof=1)) if len(last) > 1 else None
                rows.append((arm, metric, len(last), float(last.mean()), sd))
    return Table("metrics", columns, tuple(rows))


def time_table(study: Study) -> Table:
    """Return the mean seconds of a complete trial by phase, and the peak memory of any."""
    complete = [trial for trial in study.trials if trial.complete]
    phases = sorted({phase for trial in complete for r in trial.rounds for phase in r.seconds})
    columns = (
        Column("arm", "arm"),
        *(Column(f"seconds_{phase}", phase, "seconds") for phase in phases),
        Column("seconds", "in all", "seconds"),
        Column("shared_rounds", "rounds taken over", "count"),
        Column("peak_memory", "peak memory", "bytes"),
    )
    rows: list[tuple[Cell, ...]] = []
    for arm in study.drawn:
        trials = [trial for trial in complete if trial.arm == arm]
        mean = [
            float(np.mean([sum(r.seconds.get(phase, 0.0) for r in t.rounds) for t in trials]))
            for phase in phases
        ]
        rounds = [r for t in trials for r in t.rounds]
        shared = sum(r.training.shared for r in rounds)
        rows.append((arm, *mean, sum(mean), shared, max(r.peak_memory for r in rounds)))
    return Table("time", columns, tuple(rows))


def trial_table(study: Study) -> Table:
    """Return every trial with its state and the hash of its initial labels."""
    columns = (
        Column("arm", "arm"),
        Column("seed", "seed", "count"),
        Column("status", "status"),
        Column("labelled", "labels", "count"),
        Column("rounds", "rounds", "count"),
        Column("initial_hash", "initial labels"),
        Column("key", "trial"),
        Column("error", "error"),
    )
    rows = [
        (
            trial.arm,
            trial.seed,
            "complete" if trial.complete else trial.state.status,
            trial.rounds[-1].labelled_count if trial.rounds else 0,
            len(trial.rounds),
            trial.state.initial_hash,
            trial.state.record.key,
            trial.state.error,
        )
        for trial in study.trials
    ]
    return Table("trials", columns, tuple(rows))


def round_table(study: Study) -> Table:
    """Return every round with all that was measured, for readers who compute themselves."""
    metrics = sorted({m for trial in study.trials for r in trial.rounds for m in r.metrics})
    columns = tuple(
        map(
            lambda name: Column(name, name),
            [
                *("arm", "seed", "round", "labelled", "train_accuracy", "reached", "epochs"),
                *("steps", "weights", "seconds", "peak_memory", *metrics),
            ],
        )
    )
    rows = [
        (
            trial.arm,
            trial.seed,
            r.number,
            r.labelled_count,
            r.training.accuracy,
            r.training.reached,
            r.training.epochs,
            r.training.steps,
            r.training.weights,
            sum(r.seconds.values()),
            r.peak_memory,
            *(r.metrics.get(metric) for metric in metrics),
        )
        for trial in study.trials
        for r in trial.rounds
    ]
    return Table("rounds", columns, tuple(rows))
