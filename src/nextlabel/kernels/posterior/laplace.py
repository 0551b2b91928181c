"""Samples of a linear classifier's weights from Laplace's approximation of their posterior.

The posterior is a Gaussian about the fitted weights; its precision is that of the prior plus the
Fisher information of the labelled images, FᵀF. Daxberger et al., Laplace redux, 2021,
https://arxiv.org/abs/2106.14806

n labelled images, D columns of the features with a last one of ones for the bias, K outputs,
S samples, R = n·K rows of F, W = K·D weights.
"""

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.errors import UsageError
from nextlabel.core.task_model import LastLayer
from nextlabel.core.types import Array

Floats = NDArray[np.float64]

LARGEST = 8000
"""The largest system of equations, 512 MB."""


def posterior_samples(layer: LastLayer, count: int, rng: np.random.Generator) -> Floats:
    """Return weights drawn from the posterior, biases last, float64 (S, K, D).

    The bias has the weights' prior. The smaller of two systems is solved, of W or of R equations.

    Parameters
    ----------
    layer
        The fitted layer; its `labelled` rows and `precision` must be there.
    count
        The number of samples, S.
    rng
        The generator of all draws.

    Raises
    ------
    UsageError
        Both systems are too large.
    """
    assert layer.labelled is not None and layer.precision is not None
    rows = with_ones(layer.labelled)  # [n, D]
    mean = np.concatenate([layer.weights, layer.bias[:, None]], axis=1)  # [K, D]
    residuals = residual_factors(predictions(layer.link, rows @ mean.T), layer.link)  # [n, K, K]
    (n, width), outputs = rows.shape, len(mean)
    smaller = min(n, width) * outputs
    if smaller > LARGEST:
        raise UsageError(
            f"the posterior of {outputs} outputs, {width} columns and {n} labels needs a table of "
            f"{smaller:,} × {smaller:,} numbers; use features of fewer columns",
            code="posterior-too-large",
        )
    draw = _by_weights if width <= n else _by_labels
    deviation = np.sqrt(layer.precision)  # 1 / deviation of the prior: [K]
    # In units of the prior's deviation the prior is N(0, I).
    return mean + draw(rows, residuals / deviation, count, rng) / deviation[:, None]


def residual_factors(probabilities: Floats, link: str) -> Floats:
    """Return Q (n, K, K), with QᵀQ the information of an image about its logits.

    The link "softmax" has diag(p) - p pᵀ, "logistic" diag(p (1 - p)).
    """
    p = probabilities  # [n, K]
    unit = np.eye(p.shape[1])
    if link == "softmax":
        return np.asarray(np.sqrt(p)[:, :, None] * (unit - p[:, None, :]))
    return np.asarray(np.sqrt(p * (1 - p))[:, :, None] * unit)


def _by_weights(rows: Floats, residuals: Floats, count: int, rng: np.random.Generator) -> Floats:
    """Return deviations (S, K, D): with H = I + FᵀF = LLᵀ they are L⁻ᵀ z."""
    from scipy.linalg import solve_triangular

    outputs, width = residuals.shape[1], rows.shape[1]
    information = np.einsum("nqk,nql->nkl", residuals, residuals)  # [n, K, K]
    hessian = np.empty((outputs, width, outputs, width))
    for k in range(outputs):
        for other in range(k, outputs):
            table = rows.T @ (information[:, k, other, None] * rows)  # [D, D]
            hessian[k, :, other], hessian[other, :, k] = table, table
    flat = hessian.reshape(outputs * width, -1)  # [W, W]
    flat[np.diag_indices(len(flat))] += 1
    lower = np.linalg.cholesky(flat)
    normal = rng.standard_normal((len(flat), count))  # [W, S]
    drawn = solve_triangular(lower, normal, lower=True, trans="T")  # [W, S]
    return np.asarray(drawn.T.reshape(count, outputs, width))


def _by_labels(rows: Floats, residuals: Floats, count: int, rng: np.random.Generator) -> Floats:
    """Return deviations (S, K, D): w - Fᵀ (I + F Fᵀ)⁻¹ (F w + e), by Matheron's rule.

    w is a draw from the prior, e one of N(0, I). F is never formed: its rows are q ⊗ x.
    """
    outputs, width = residuals.shape[1], rows.shape[1]
    prior = rng.standard_normal((count, outputs, width))  # w: [S, K, D]
    noise = rng.standard_normal((count, len(rows), outputs))  # e: [S, n, K]
    factors = residuals.reshape(-1, outputs)  # [R, K]
    gram = (factors @ factors.T).reshape(len(rows), outputs, len(rows), outputs)
    gram *= (rows @ rows.T)[:, None, :, None]
    system = gram.reshape(len(factors), -1)  # F Fᵀ: [R, R]
    system[np.diag_indices(len(system))] += 1
    logits = np.einsum("nd,skd->snk", rows, prior, optimize=True)  # [S, n, K]
    seen = np.einsum("nqk,snk->snq", residuals, logits, optimize=True) + noise  # [S, n, K]
    solved = np.linalg.solve(system, seen.reshape(count, -1).T).T.reshape(seen.shape)
    weighed = np.einsum("nqk,snq->snk", residuals, solved, optimize=True)  # [S, n, K]
    return np.asarray(prior - np.einsum("snk,nd->skd", weighed, rows, optimize=True))


def with_ones(features: Array) -> Floats:
    """Return the features with a column of ones, float64 (n, D)."""
    return np.concatenate([np.asarray(features, np.float64), np.ones((len(features), 1))], axis=1)


def predictions(link: str, logits: Floats) -> Floats:
    """Return the probabilities of logits (…, K), in their shape.

    An output of infinite logit is sure, and one of minus infinity is never predicted.
    """
    from scipy.special import expit, softmax

    return np.asarray(softmax(logits, axis=-1) if link == "softmax" else expit(logits))
