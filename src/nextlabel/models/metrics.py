"""Quality of predictions: pure functions of probabilities and labels."""

import warnings

import numpy as np

from nextlabel.core.dataset import Dataset
from nextlabel.core.errors import DataError
from nextlabel.core.types import Array, Labels, Part, Task
from nextlabel.statistics.reliability import calibration_error, reliability

MEASURED: dict[Task, tuple[str, ...]] = {
    "multiclass": ("accuracy", "balanced_accuracy", "auroc"),
    "multilabel": ("auroc", "map", "label_accuracy", "exact_match"),
}
"""The metrics of `evaluate` that may be the headline. "ece" may not: less of it is better."""

RANKING = ("auroc", "map")
"""Metrics that need examples of both kinds."""

NAMED = 20
"""The largest number of classes that a warning names."""


def evaluate(probabilities: Array, labels: Labels, task: Task) -> dict[str, float]:
    """Return metrics of probabilities (N, K) against labels (N) or (N, K), each in [0, 1].

    Multi-class: accuracy, balanced_accuracy, auroc (macro, one against the rest). Multi-label:
    auroc (macro), map, label_accuracy, exact_match. Both: ece, the expected calibration error.
    Classes without both kinds of example are
    left out of the averages; a metric that no class defines is left out altogether.
    Raises DataError when there is nothing to measure on, or when predictions are not finite.
    """
    if not len(labels):
        raise DataError(
            "there are no labelled images to measure on; give some for validation", code="no-labels"
        )
    if not np.isfinite(probabilities).all():
        raise DataError(
            "the model predicts NaN or infinity, so its training diverged; "
            "lower training.learning_rate",
            code="training-diverged",
        )
    measure = _multiclass if task == "multiclass" else _multilabel
    error = calibration_error(reliability(probabilities, labels, task))
    return measure(probabilities, labels) | {"ece": error}


def undefined(labels: Labels, task: Task, classes: int) -> tuple[int, ...]:
    """Return the classes that `labels` (N) or (N, K) show never or always: they have no AUROC."""
    truth = _truth(labels, task, classes)
    return tuple(np.flatnonzero(truth.all(axis=0) | ~truth.any(axis=0)).tolist())


def warn_undefined(data: Dataset) -> None:
    """Warn of classes without AUROC, by name: averages are over the others."""
    parts: tuple[Part, ...] = ("validation", "test")
    for part in parts:
        labels = data.part(part).labels
        if labels is None or not len(labels):
            continue
        missing = undefined(labels, data.task, len(data.classes))
        if missing:
            names = [data.classes[c] for c in missing]
            more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
            left = len(data.classes) - len(missing)
            rest = f"averages are over the other {left}" if left else "so it is not measured"
            warnings.warn(
                f"AUROC is not defined on the {part} images of {data.name} for "
                f"{', '.join(names[:NAMED])}{more}, which none or all of them show; {rest}",
                stacklevel=2,
            )


def _truth(labels: Labels, task: Task, classes: int) -> Array:
    """Return which image shows which class, bool (N, classes)."""
    return labels[:, None] == np.arange(classes) if task == "multiclass" else labels > 0


def _multiclass(probabilities: Array, labels: Labels) -> dict[str, float]:
    right = probabilities.argmax(1) == labels
    recalls = [right[labels == c].mean() for c in np.unique(labels)]
    truth = _truth(labels, "multiclass", probabilities.shape[1])
    metrics = {"accuracy": float(right.mean()), "balanced_accuracy": float(np.mean(recalls))}
    return metrics | _ranking(probabilities, truth, ("auroc",))


def _multilabel(probabilities: Array, labels: Labels) -> dict[str, float]:
    truth = _truth(labels, "multilabel", probabilities.shape[1])
    right = (probabilities > 0.5) == truth
    metrics = {"label_accuracy": float(right.mean()), "exact_match": float(right.all(1).mean())}
    return metrics | _ranking(probabilities, truth, ("auroc", "map"))


def _ranking(probabilities: Array, truth: Array, names: tuple[str, ...]) -> dict[str, float]:
    """Return the ranking metrics averaged over the classes that have both kinds of example."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    measures = {"auroc": roc_auc_score, "map": average_precision_score}
    defined = [c for c in range(truth.shape[1]) if truth[:, c].any() and not truth[:, c].all()]
    if not defined:
        return {}
    return {
        name: float(np.mean([measures[name](truth[:, c], probabilities[:, c]) for c in defined]))
        for name in names
    }
