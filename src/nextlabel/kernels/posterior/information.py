"""Information in the label of an image, by samples of a model: BALD and EPIG.

N images, M targets, S samples, K classes or findings; n images at a time.

A sample gives each image a prediction p_s(y|x). In multi-label data each finding is a question of
its own, with the answers yes and no, and an image has the mean of its findings.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.errors import DataError
from nextlabel.core.types import Array, Ids, Task
from nextlabel.kernels.uncertainty import checked

Floats = NDArray[np.float64]

VALUES = 2**19
"""Numbers in memory at a time: 4 MB, which stay near the processor."""

ROUNDING = 1e-12
"""Information of images differs by less than this, in nats, where only rounding differs."""

LEAST = float(np.finfo(np.float64).tiny)
"""In the place of 0 below a logarithm: LEAST · 0 is 0, and log LEAST is finite."""


def checked_samples(samples: Array, task: Task) -> Array:
    """Return samples (N, S, K) as they are.

    Raises DataError for another shape, and for the first image with a prediction that is not one.
    """
    if samples.ndim != 3 or 0 in samples.shape[1:]:
        raise DataError(
            f"samples have shape {samples.shape}; give (images, samples, classes)",
            code="samples-not-a-cube",
        )
    for span in _spans(len(samples), samples.shape[1] * samples.shape[2]):
        checked(samples[span].reshape(-1, samples.shape[2]), task)
    return samples


def bald(samples: Array, task: Task = "multiclass", ids: Ids | None = None) -> Floats:
    """Return the information between an image's label and the model, in nats, shape (N).

    It is H[E p_s(y|x)] - E H[p_s(y|x)]: the entropy of the mean prediction less the mean entropy
    of predictions. It is high where each sample is sure, and they disagree.

    Parameters
    ----------
    samples
        Predictions (N, S, K); rows sum to 1, or are the probabilities of findings.
    task
        "multiclass" or "multilabel".
    ids
        The images that count, int64 (N); all rows of the samples by default.

    References
    ----------
    Houlsby et al., Bayesian active learning for classification and preference learning, 2011,
    https://arxiv.org/abs/1112.5745
    """
    scores = np.empty(len(samples if ids is None else ids))  # [N]
    for span in _spans(len(scores), samples.shape[1] * samples.shape[2]):
        answers = _answers(samples[span if ids is None else ids[span]], task)  # [Q, n, S, A]
        whole = entropies(answers.mean(axis=2))  # [Q, n]
        scores[span] = (whole - entropies(answers).mean(axis=2)).mean(axis=0)  # [n]
    return np.maximum(scores, 0)


def epig(
    samples: Array, targets: Array, task: Task = "multiclass", ids: Ids | None = None
) -> Floats:
    """Return the expected information between an image's label and a target's, in nats, (N).

    It is the mean over targets x* of H[p(y|x)] + H[p(y*|x*)] - H[p(y, y*|x, x*)], with
    p(y, y*) = E p_s(y|x) p_s(y*|x*). So it counts what a label says about *predictions* that
    matter, and not about the weights alone. In multi-label data a finding informs about the
    same finding.

    Parameters
    ----------
    samples
        Predictions of the images (N, S, K).
    targets
        Predictions of the targets (M, S, K), by the same samples in the same order.
    task
        "multiclass" or "multilabel".
    ids
        The images to score, int64 (N); all rows of the samples by default.

    References
    ----------
    Bickford Smith et al., Prediction-oriented Bayesian active learning, 2023, equation 8,
    https://arxiv.org/abs/2304.08151
    """
    others = _answers(targets, task)  # [Q, M, S, A]
    questions, m, s, a = others.shape
    of_targets = entropies(others.mean(axis=2)).mean(axis=1)  # [Q]
    columns = others.transpose(0, 2, 1, 3).reshape(questions, s, m * a) / s  # [Q, S, M·A]
    scores = np.empty(len(samples if ids is None else ids))  # [N]
    for span in _spans(len(scores), max(m * a * a, s * samples.shape[2])):
        answers = _answers(samples[span if ids is None else ids[span]], task)  # [Q, n, S, A]
        total = np.zeros(answers.shape[1])  # [n]
        for q in range(questions):
            rows = answers[q].transpose(0, 2, 1).reshape(-1, s)  # [n·A, S]
            joint = (rows @ columns[q]).reshape(len(total), -1)  # p(y, y*): [n, A·M·A]
            of_images = entropies(answers[q].mean(axis=1))  # [n]
            total += of_images + of_targets[q] - entropies(joint) / m
        scores[span] = total / questions
    return np.maximum(scores, 0)


def entropies(p: Floats) -> Floats:
    """Return -Σ p log p over the last axis, in nats; 0 log 0 is 0."""
    logs = np.maximum(p, LEAST)  # numpy's logarithm is four times as fast as scipy's entr
    np.log(logs, out=logs)
    return np.asarray(-np.einsum("...k,...k->...", p, logs))


def _answers(samples: Array, task: Task) -> Floats:
    """Return predictions (Q, n, S, A): one question of K answers, or K of the answers yes, no."""
    p = np.asarray(samples, np.float64)  # [n, S, K]
    if task == "multiclass":
        return p[None]
    yes = p.transpose(2, 0, 1)  # [K, n, S]
    return np.stack([yes, 1 - yes], axis=-1)


def _spans(size: int, values: int) -> Iterator[slice]:
    """Yield slices of rows that have about `VALUES` numbers, of which a row has `values`."""
    step = max(1, VALUES // max(values, 1))
    return (slice(start, start + step) for start in range(0, size, step))
