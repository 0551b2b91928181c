"""The results as pandas DataFrames with named columns; the report writes each as a CSV file."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nextlabel.report.comparisons import Pair
from nextlabel.report.experiment_record import Curve, ExperimentRecord
from nextlabel.report.frame import Row, make_frame
from nextlabel.report.hypotheses import HypothesisResult
from nextlabel.report.sweeps import Sweep
from nextlabel.statistics import Comparison, Interval, Saving, aubc

if TYPE_CHECKING:
    from pandas import DataFrame

NOT_REACHED = "not reached"

COMPARISON = (
    *("pairs", "difference", "low", "high", "confidence", "effect_dz"),
    *("p", "p_holm", "smallest_p", "detectable"),
)
"""The columns of a comparison of areas under curves; see `comparison_cells`."""

SAVING = ("saved", "saved_low", "saved_high")
"""The columns of a label saving; see `saving_cells`."""


def comparison_cells(area: Comparison, p_holm: float | None) -> Row:
    """Return the cells of the columns COMPARISON."""
    return {
        "pairs": area.n,
        "difference": area.mean,
        "low": area.low,
        "high": area.high,
        "confidence": None if area.low is None else area.confidence,
        "effect_dz": area.effect,
        "p": area.test.p,
        "p_holm": p_holm,
        "smallest_p": area.test.smallest_p,
        "detectable": area.detectable,
    }


def saving_cells(saving: Saving, interval: Interval | None) -> Row:
    """Return the cells of the columns SAVING; a single seed has no interval."""
    low, high = (None, None) if interval is None else map(reached, interval)
    return {"saved": saving.saved, "saved_low": low, "saved_high": high}


def reached(labels: float | None) -> float | str:
    """Return a number of labels, or NOT_REACHED."""
    return NOT_REACHED if labels is None else labels


def curve_frame(curves: Sequence[Curve]) -> "DataFrame":
    """Return the mean and s.d. of each curve at each label count."""
    return make_frame(
        ("arm", "labelled", "seeds", "mean", "sd", "not_reached"),
        (
            {
                "arm": curve.arm,
                "labelled": count,
                "seeds": len(curve.seeds),
                "mean": float(curve.mean[t]),
                "sd": None if curve.deviation is None else float(curve.deviation[t]),
                "not_reached": int((~curve.reached[:, t]).sum()),
            }
            for curve in curves
            for t, count in enumerate(curve.counts.tolist())
        ),
    )


def difference_frame(pairs: Sequence[Pair]) -> "DataFrame":
    """Return the difference of the areas under the curves for each pair and seed."""
    return make_frame(
        ("arm", "baseline", "seed", "difference"),
        (
            {"arm": p.arm, "baseline": p.baseline, "seed": seed, "difference": difference}
            for p in pairs
            for seed, difference in zip(p.seeds, p.differences, strict=True)
        ),
    )


def area_frame(record: ExperimentRecord, pairs: Sequence[Pair]) -> "DataFrame":
    """Return each arm's area under the curve, and its difference to that of its baseline."""
    by_arm = {pair.arm: pair for pair in pairs}

    def row(arm: str) -> Row:
        curve = record.curve(arm)
        areas = aubc(curve.counts, curve.values)
        level = {
            "arm": arm,
            "seeds": len(areas),
            "aubc": float(areas.mean()),
            "aubc_sd": float(areas.std(ddof=1)) if len(areas) > 1 else None,
            "aubc_log2": float(aubc(curve.counts, curve.values, "log2").mean()),
            "baseline": record.arms[arm].get("baseline"),
        }
        if arm not in by_arm:
            return level
        pair = by_arm[arm]
        test = "primary" if pair.primary else "secondary"
        return {**level, **comparison_cells(pair.area, pair.p_holm), "primary": test}

    columns = ("arm", "seeds", "aubc", "aubc_sd", "aubc_log2", "baseline", *COMPARISON, "primary")
    return make_frame(columns, map(row, record.drawn))


def count_frame(pairs: Sequence[Pair]) -> "DataFrame":
    """Return the paired t test of every pair at every label count after round 0."""
    return make_frame(
        (
            *("arm", "baseline", "labelled", "arm_mean", "baseline_mean", "difference"),
            *("p", "p_holm", "note"),
        ),
        (
            {
                "arm": pair.arm,
                "baseline": pair.baseline,
                "labelled": test.count,
                "arm_mean": test.arm_mean,
                "baseline_mean": test.baseline_mean,
                "difference": test.arm_mean - test.baseline_mean,
                "p": test.p,
                "p_holm": test.p_holm,
                "note": test.note,
            }
            for pair in pairs
            for test in pair.tests
        ),
    )


def saving_frame(pairs: Sequence[Pair]) -> "DataFrame":
    """Return the labels that arms need for the level of their baselines, at every label count."""
    return make_frame(
        (
            *("arm", "baseline", "labelled", "level", "baseline_needs", "arm_needs", *SAVING),
            "confidence",
        ),
        (
            {
                "arm": pair.arm,
                "baseline": pair.baseline,
                "labelled": count,
                "level": saving.level,
                "baseline_needs": saving.baseline_needs,
                "arm_needs": reached(saving.arm_needs),
                **saving_cells(saving, interval),
                "confidence": None if interval is None else pair.area.confidence,
            }
            for pair in pairs
            for count, saving, interval in zip(
                pair.curves[0].counts.tolist(),
                pair.savings,
                pair.intervals or (None,) * len(pair.savings),
                strict=True,
            )
        ),
    )


def hypothesis_rows(results: Sequence[HypothesisResult]) -> list[dict[str, Any]]:
    """Return the numbers of each hypothesis by column name."""
    rows = []
    for result in results:
        row = {
            "hypothesis": result.name,
            "arms": "; ".join(result.arms),
            "against": "; ".join(result.against),
            "alternative": result.alternative,
            **dict.fromkeys(COMPARISON),
            "pairs": len(result.seeds),
            **dict.fromkeys(("level", "against_needs", "arms_need", *SAVING)),
        }
        if result.area is not None and result.saving is not None:
            row |= comparison_cells(result.area, result.p_holm)
            row |= {
                "level": result.saving.level,
                "against_needs": result.saving.baseline_needs,
                "arms_need": reached(result.saving.arm_needs),
            }
            row |= saving_cells(result.saving, result.interval)
        rows.append(row)
    return rows


def hypothesis_frame(results: Sequence[HypothesisResult]) -> "DataFrame":
    """Return each hypothesis with its difference, test and label saving."""
    needs = ("level", "against_needs", "arms_need")
    columns = ("hypothesis", "arms", "against", "alternative", *COMPARISON, *needs, *SAVING)
    return make_frame(columns, hypothesis_rows(results))


def sweep_frame(sweep: Sweep) -> "DataFrame":
    """Return the area under the curve of each weight of a sweep."""
    columns = ("block", "alpha", "arm", "seeds", "aubc", "aubc_sd")
    rows = []
    for point in sweep.points:
        row: dict[str, Any] = {
            "block": sweep.block,
            "alpha": point.alpha,
            "arm": point.arm,
            "seeds": len(sweep.seeds),
            "aubc": point.mean,
            "aubc_sd": point.deviation,
        }
        if point.against_zero is not None:
            row |= comparison_cells(point.against_zero, None)
        rows.append(row)
    return make_frame((*columns, "difference", "low", "high", "confidence", "p"), rows)


def metric_frame(record: ExperimentRecord) -> "DataFrame":
    """Return every metric of the last round: mean and s.d. over the seeds that measured it."""
    lasts = (
        (arm, metric, record.last(arm, metric)) for metric in record.metrics for arm in record.drawn
    )
    return make_frame(
        ("arm", "metric", "seeds", "mean", "sd"),
        (
            {
                "arm": arm,
                "metric": metric,
                "seeds": len(values),
                "mean": float(values.mean()),
                "sd": float(values.std(ddof=1)) if len(values) > 1 else None,
            }
            for arm, metric, values in lasts
            if len(values)
        ),
    )


def trial_frame(record: ExperimentRecord) -> "DataFrame":
    """Return every trial with its state and the hash of its initial labels."""
    return make_frame(
        ("arm", "seed", "status", "labelled", "rounds", "initial_hash", "key", "error"),
        (
            {
                "arm": trial.arm,
                "seed": trial.seed,
                "status": "complete" if trial.complete else trial.state.status,
                "labelled": trial.rounds[-1].labelled_count if trial.rounds else 0,
                "rounds": len(trial.rounds),
                "initial_hash": trial.state.initial_hash,
                "key": trial.key,
                "error": trial.state.error,
            }
            for trial in record.trials
        ),
    )


def round_frame(record: ExperimentRecord) -> "DataFrame":
    """Return every round with all its measurements, for further analysis."""
    metrics = sorted({m for trial in record.trials for r in trial.rounds for m in r.metrics})
    columns = (
        *("arm", "seed", "round", "labelled", "train_accuracy", "reached", "epochs", "steps"),
        *("weights", "seconds", "peak_memory", *metrics),
    )
    return make_frame(
        columns,
        (
            {
                **r.metrics,
                "arm": trial.arm,
                "seed": trial.seed,
                "round": r.number,
                "labelled": r.labelled_count,
                "train_accuracy": r.training.accuracy,
                "reached": r.training.reached,
                "epochs": r.training.epochs,
                "steps": r.training.steps,
                "weights": r.training.weights,
                "seconds": sum(r.seconds.values()),
                "peak_memory": r.peak_memory,
            }
            for trial in record.trials
            for r in trial.rounds
        ),
    )
