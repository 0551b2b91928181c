"""The time and memory of arms, and of pairs of arms as in the run-time table of the paper."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nextlabel.report.comparisons import Pair
from nextlabel.report.experiment_record import ExperimentRecord, Trial
from nextlabel.report.frame import make_frame

if TYPE_CHECKING:
    from pandas import DataFrame

ORDER = ("train", "blocks", "signals", "select", "evaluate")
"""The phases in the order of a round."""


def phases(record: ExperimentRecord) -> tuple[str, ...]:
    """Return the phases in which complete trials were timed, in the order of a round."""
    names = {phase for t in record.trials if t.complete for r in t.rounds for phase in r.seconds}
    return (*(p for p in ORDER if p in names), *sorted(names.difference(ORDER)))


def time_frame(record: ExperimentRecord) -> "DataFrame":
    """Return the mean seconds of a complete trial by phase, and the peak memory of each arm."""
    names = sorted(phases(record))

    def row(arm: str) -> dict[str, Any]:
        trials = [trial for trial in record.of(arm) if trial.complete]
        means = [float(np.mean([_seconds(trial, phase) for trial in trials])) for phase in names]
        rounds = [r for trial in trials for r in trial.rounds]
        return {
            "arm": arm,
            **{f"seconds_{name}": mean for name, mean in zip(names, means, strict=True)},
            "seconds": sum(means),
            "shared_rounds": sum(r.training.shared for r in rounds),
            "peak_memory": max(r.peak_memory for r in rounds),
        }

    columns = (*(f"seconds_{name}" for name in names), "seconds", "shared_rounds", "peak_memory")
    return make_frame(("arm", *columns), map(row, record.drawn))


def run_time_frame(record: ExperimentRecord, pairs: Sequence[Pair], data: str) -> "DataFrame":
    """Return the seconds of each pair, summed over its seeds: each arm, then both together.

    `data` is the name of the data set. A round that several arms share is counted once, with the
    arm that computed it.
    """
    names = phases(record)
    rows = []
    for pair in pairs:
        members = {
            arm: [trial for trial in record.of(arm) if trial.seed in pair.seeds]
            for arm in (pair.baseline, pair.arm)
        }
        both = [trial for trials in members.values() for trial in trials]
        for name, trials in (*members.items(), ("both", both)):
            spent = {f"seconds_{p}": sum(_seconds(t, p) for t in trials) for p in names}
            total = sum(spent.values())
            rows.append(
                {
                    "data": data,
                    "pair": pair.title,
                    "arm": name,
                    "trials": len(trials),
                    **spent,
                    "seconds": total,
                    "seconds_a_trial": total / len(trials),
                }
            )
    head = ("data", "pair", "arm", "trials")
    times = (*(f"seconds_{name}" for name in names), "seconds", "seconds_a_trial")
    return make_frame((*head, *times), rows)


def _seconds(trial: Trial, phase: str) -> float:
    return sum(r.seconds.get(phase, 0.0) for r in trial.rounds)
