"""The accuracy of a classifier: an estimate with an interval, and facts about each class."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nextlabel.core.space.scaled_blocks import ScaledBlocks
from nextlabel.core.types import Array, Ids, Labels
from nextlabel.models.cross_validation import audited_right
from nextlabel.models.linear import LinearClassifier, fit_linear
from nextlabel.project.audit import AuditOrder
from nextlabel.project.block_model import BlockModel, scaled_pool
from nextlabel.project.choice import Predict
from nextlabel.project.labels import KnownLabels
from nextlabel.project.pipeline import Pipeline
from nextlabel.statistics.accuracy_estimate import AccuracyEstimate, combined, mean_confidence

FOLDS = 10
"""The folds of a cross-validation of audited labels."""


@dataclass(frozen=True)
class ClassAccuracy:
    """The facts about a class.

    Parameters
    ----------
    name : str
        The name of the class.
    labelled, predicted : int
        The number of images with this label, and of images without a label that are predicted so.
    confidence : float or None
        The mean probability of this class among those predicted so; None when there are none.
    """

    name: str
    labelled: int
    predicted: int
    confidence: float | None


def estimate_accuracy(
    rows: Mapping[str, Array],
    known: KnownLabels,
    pipeline: Pipeline,
    order: AuditOrder,
    passed_over: Ids,
) -> AccuracyEstimate:
    """Return an estimate of the accuracy on the images that a person can still label.

    Parameters
    ----------
    rows : mapping of str to array (N, d)
        The rows of each feature block.
    known : KnownLabels
        The labels, of two classes at least.
    pipeline : Pipeline
        The model.
    order : AuditOrder
        The random order of the images.
    passed_over : int64 array
        The images that people passed over. The audit continues after them.

    Returns
    -------
    AccuracyEstimate
        The mean confidence, and the share of audited images that are predicted right by a model
        that is fitted without them. Without an audit, the interval is 0 to 1. If most labels are
        of the audit, each is predicted by a model of the others instead, and the interval is wider.
    """
    blocks = scaled_pool(rows, pipeline.features)

    def predict(labels: KnownLabels) -> Array | None:
        return pipeline.predict(blocks, labels)

    positions = order.without(passed_over).audited(known.ids)
    free = np.setdiff1d(np.arange(len(blocks)), np.union1d(known.ids, passed_over))
    return audited_accuracy(blocks, known, positions, free, pipeline, predict)


def audited_accuracy(
    blocks: ScaledBlocks,
    known: KnownLabels,
    positions: Ids,
    free: Ids,
    pipeline: Pipeline,
    predict: Predict,
) -> AccuracyEstimate:
    """Return the estimate of `estimate_accuracy` for some audited images.

    Parameters
    ----------
    blocks : ScaledBlocks
        The scaled rows of all images.
    known : KnownLabels
        The labels, of two classes at least.
    positions : int64 array (m)
        The positions of audited images among the labelled.
    free : int64 array
        The images that the estimate is about: those without a label.
    pipeline : Pipeline
        The model.
    predict : callable
        Gives the model's probabilities for all images.
    """
    rest = known.without(known.ids[positions])
    fitted_to = None
    # If most labels are of the audit, too few are left for one model of the others.
    probabilities = None if 2 * len(positions) >= len(known) else predict(rest)
    if probabilities is None:
        right = _cross_validated(blocks, known, positions, pipeline)
        probabilities = predict(known)
        assert probabilities is not None
        if len(positions):
            fitted_to = len(known) - -(-len(positions) // FOLDS)
    else:
        right = _right(probabilities[known.ids[positions]], known, positions)
    claimed = probabilities[free] if len(free) else probabilities
    return combined(mean_confidence(claimed, known.task), right, fitted_to=fitted_to)


def _right(probabilities: Array, known: KnownLabels, positions: Ids) -> Array:
    """Return whether audited labels are predicted right, bool (m), or (m, K) for findings."""
    labels = known.labels[positions]
    if known.task == "multiclass":
        return np.asarray(probabilities.argmax(axis=1) == labels)
    return np.asarray((probabilities > 0.5) == (labels > 0))


def _cross_validated(
    blocks: ScaledBlocks, known: KnownLabels, positions: Ids, pipeline: Pipeline
) -> Array:
    """Return as `_right`, by models that have all labels but those of a fold."""

    def fit(ids: Ids, labels: Labels) -> LinearClassifier:
        return fit_linear(blocks, ids, labels, pipeline.regularisation, pipeline.class_weight)

    columns = [known.labels] if known.task == "multiclass" else list(known.labels.T)
    right = [audited_right(fit, blocks, known.ids, column, positions, FOLDS) for column in columns]
    return right[0] if known.task == "multiclass" else np.stack(right, axis=1)


def class_accuracies(
    model: BlockModel, known: KnownLabels, probabilities: Array
) -> list[ClassAccuracy]:
    """Return the facts about each class, in the order of the classes.

    Parameters
    ----------
    model : BlockModel
        The model.
    known : KnownLabels
        The labels.
    probabilities : array (N, K)
        The model's probabilities for all images.
    """
    free = np.setdiff1d(np.arange(len(probabilities)), known.ids)
    chances = probabilities[free]
    if model.task == "multiclass":
        predicted = np.arange(len(model.classes)) == chances.argmax(axis=1)[:, None]
    else:
        predicted = chances > 0.5
    return [
        ClassAccuracy(
            name,
            count,
            int(predicted[:, k].sum()),
            float(chances[predicted[:, k], k].mean()) if predicted[:, k].any() else None,
        )
        for k, (name, count) in enumerate(zip(model.classes, known.counts, strict=True))
    ]
