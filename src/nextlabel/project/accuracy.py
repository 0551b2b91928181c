"""The accuracy of a classifier: an estimate with an interval, and facts about each class."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nextlabel.core.types import Array, Ids, Labels
from nextlabel.models.cross_validation import audited_right
from nextlabel.models.linear import LinearClassifier, fit_linear
from nextlabel.project.audit import audit_order, audited
from nextlabel.project.block_model import BlockModel, scaled_pool
from nextlabel.project.labels import KnownLabels
from nextlabel.project.pipeline import Pipeline
from nextlabel.statistics.accuracy_estimate import AccuracyEstimate, combined, mean_confidence


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
    digests: Sequence[str],
    known: KnownLabels,
    pipeline: Pipeline,
    probabilities: Array,
) -> AccuracyEstimate:
    """Return an estimate of the accuracy on the images without a label.

    Parameters
    ----------
    rows : mapping of str to array (N, d)
        The rows of each feature block.
    digests : sequence of str
        The sha256 of each of the N images.
    known : KnownLabels
        The labels.
    pipeline : Pipeline
        The model.
    probabilities : array (N, K)
        The model's probabilities.

    Returns
    -------
    AccuracyEstimate
        It combines the mean confidence with the audit: labels of images that were drawn at random,
        each predicted by a model that has not seen it. Without an audit, the interval is 0 to 1.
    """
    positions = audited(audit_order(digests), known.ids)
    pool = scaled_pool(rows, pipeline.features)

    def fit(ids: Ids, labels: Labels) -> LinearClassifier:
        return fit_linear(pool, ids, labels, pipeline.regularisation, pipeline.class_weight)

    if known.task == "multiclass":
        right = audited_right(fit, pool, known.ids, known.labels, positions)
    else:
        columns = [
            audited_right(fit, pool, known.ids, column, positions) for column in known.labels.T
        ]
        right = np.stack(columns, axis=1)
    unlabelled = np.setdiff1d(np.arange(len(probabilities)), known.ids)
    claimed = probabilities[unlabelled] if len(unlabelled) else probabilities
    return combined(mean_confidence(claimed, known.task), right)


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
