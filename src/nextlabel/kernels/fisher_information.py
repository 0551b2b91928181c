"""Batches that make the Fisher information of the whole pool small: BAIT [Ash et al. 2021].

Legend: N images of the pool, U unlabelled, C candidates, B budget, D columns of the features,
K classes, R rows per image of the factor V (1 in the binary form, K in the full one), W columns
of V (D in the binary form, D·K in the full one).
"""

import numpy as np
from numpy.typing import NDArray

from nextlabel.core import progress
from nextlabel.core.errors import UsageError
from nextlabel.core.types import Array, Ids

Floats = NDArray[np.float64]
SMALL = 1e-6
"""The share of its largest value below which T is computed again."""
LEAST = 1e-300
"""The smallest ridge, whose inverse is still a number."""
MOST = 1e12
"""The largest information of the images in units of the ridge; beyond, rounding would decide."""
OVERSAMPLING = 2
"""The forward pass picks this many times the budget; the backward pass removes the rest."""


def binary_factors(features: Array, probabilities: Array) -> Floats:
    """Return V with VᵀV the Fisher information of the likeliest class against all others.

    The information of a logistic regression in one image is p(1 - p) x xᵀ, p being the
    probability of the likeliest class [Huseljic et al. 2024, arXiv 2404.08981].

    Parameters
    ----------
    features : array (N, D)
        The columns that the model is linear in.
    probabilities : array (N, K)
        Each row sums to 1.

    Returns
    -------
    array (N, 1, D), float64

    """
    likeliest = np.asarray(probabilities, np.float64).max(axis=1)  # [N]
    root = np.sqrt(likeliest * (1 - likeliest))  # [N]
    rows = root[:, None] * np.asarray(features, np.float64)  # [N, D]
    return np.asarray(rows[:, None, :])


def full_factors(features: Array, probabilities: Array) -> Floats:
    """Return V with VᵀV = (diag(p) - p pᵀ) ⊗ x xᵀ, the Fisher information of the softmax.

    Row y of an image is √p_y (e_y - p) ⊗ x: the gradient of class y's loss, weighted by its
    probability.

    Parameters
    ----------
    features : array (N, D)
        The columns that the model is linear in.
    probabilities : array (N, K)
        Each row sums to 1.

    Returns
    -------
    array (N, K, K·D), float64
        For 1,000 images, 10 classes and 64 columns this takes 51 MB.

    """
    p = np.asarray(probabilities, np.float64)  # [N, K]
    x = np.asarray(features, np.float64)  # [N, D]
    residuals = np.sqrt(p)[:, :, None] * (np.eye(p.shape[1]) - p[:, None, :])  # [N, K, K]
    rows = residuals[:, :, :, None] * x[:, None, None, :]  # [N, K, K, D]
    return rows.reshape(len(x), p.shape[1], -1)  # [N, K, K·D]


def finding_factors(features: Array, probabilities: Array) -> Floats:
    """Return V of multi-label data: one logistic regression per finding, their information added.

    The features are shared by all findings, so VᵀV = Σ_k p_k (1 - p_k) x xᵀ.

    Parameters
    ----------
    features : array (N, D)
        The columns that the model is linear in.
    probabilities : array (N, K)
        The probability of each finding.

    Returns
    -------
    array (N, 1, D), float64
    """
    p = np.asarray(probabilities, np.float64)
    root = np.sqrt((p * (1 - p)).sum(axis=1))  # [N]
    rows = root[:, None] * np.asarray(features, np.float64)  # [N, D]
    return np.asarray(rows[:, None, :])


def bait(factors: Floats, labelled: Ids, candidates: Ids, budget: int, ridge: float) -> Ids:
    """Choose a batch S that makes tr(M⁻¹ F) small, forward and then backward.

    F = mean over all images of VᵀV is the information that errors are weighed with, and
    M = λI + |L| / (|L| + B) · mean over L of VᵀV + B / (|L| + B) · sum over S of VᵀV what the
    labels give, as the authors' code weighs them. The forward pass adds the candidate that
    lowers the trace most until twice the budget is picked; the backward pass removes the one
    whose absence raises it least. A tie goes to the smallest id.

    Parameters
    ----------
    factors : array (N, R, W), float64
        V of every image of the pool.
    labelled, candidates : array of int64
        Ids; a candidate is not labelled.
    budget : int
        Images to choose, at most as many as there are candidates.
    ridge : float
        λ, above 0.

    Returns
    -------
    array (budget), int64
        In the order in which the forward pass picked them.

    Raises
    ------
    UsageError
        λ is too small next to the information of the images.

    References
    ----------
    Ash, Goel, Krishnamurthy and Kakade, "Gone Fishing: Neural Active Learning with Fisher
    Embeddings", NeurIPS 2021, equations 3 to 5 and algorithm 1.

    """
    width = factors.shape[2]
    flat = factors.reshape(-1, width)
    with np.errstate(over="ignore", invalid="ignore"):
        target = flat.T @ flat / len(factors)  # [W, W]
    information = float(np.trace(target))
    if not (information <= MOST * ridge and ridge >= LEAST):
        raise UsageError(
            f"ridge {ridge:g} is too small for features whose information is {information:.3g} for "
            f"an image; give a ridge of at least {max(1.1 * information / MOST, LEAST):.2g}, or "
            "smaller features",
            code="ridge-too-small",
        )
    share = budget / (len(labelled) + budget)
    labelled_rows = factors[labelled].reshape(-1, width)
    start = ridge * np.eye(width)
    if len(labelled):
        start += (1 - share) * (labelled_rows.T @ labelled_rows) / len(labelled)
    search = _Trace(factors[candidates] * float(np.sqrt(share)), start, target)
    picked: list[int] = []
    free = np.ones(len(candidates), bool)
    for _ in range(min(OVERSAMPLING * budget, len(candidates))):
        gains = np.where(free, search.gains(), -np.inf)
        best = int(gains.argmax())
        search.add(best)
        free[best] = False
        picked.append(best)
        progress.picked(len(picked) // OVERSAMPLING, budget)
    while len(picked) > budget:
        losses = search.losses(np.array(picked))
        worst = int(losses.argmin())
        search.remove(picked.pop(worst))
    return candidates[np.array(picked, np.int64)]


class _Trace:
    """tr(M⁻¹ F) as rows join and leave M, by the Woodbury identity.

    For each candidate it keeps Q = V M⁻¹ Vᵀ and T = V M⁻¹ F M⁻¹ Vᵀ, both (R, R). A change of M
    by one candidate updates all of them with two products of (C·R, W) by (W, R). Updates keep the
    rounding of the largest numbers they had, so all is computed again when T has become small.
    """

    def __init__(self, rows: Floats, matrix: Floats, target: Floats) -> None:
        self.rows, self.matrix, self.target = rows, matrix, target  # [C, R, W], M: [W, W], [W, W]
        self.unit = np.eye(rows.shape[1])
        self._begin()

    def _begin(self) -> None:
        """Compute M⁻¹, Q and T from M."""
        self.inverse = np.asarray(np.linalg.inv(self.matrix))
        projected = self.rows @ self.inverse  # [C, R, W]
        self.inner = projected @ self.rows.transpose(0, 2, 1)  # Q: [C, R, R]
        self.outer = projected @ self.target @ projected.transpose(0, 2, 1)  # T: [C, R, R]
        self.largest = float(self.outer.max(initial=0))

    def gains(self) -> Floats:
        """Return by how much each candidate lowers the trace: tr((I + Q)⁻¹ T), shape (C)."""
        return _traces(self.unit + self.inner, self.outer)

    def losses(self, members: Ids) -> Floats:
        """Return by how much the trace rises without each member of M, shape (members)."""
        return _traces(self.unit - self.inner[members], self.outer[members])

    def add(self, candidate: int) -> None:
        """Put a candidate's VᵀV into M."""
        self._change(candidate, 1.0)

    def remove(self, candidate: int) -> None:
        """Take a candidate's VᵀV out of M."""
        self._change(candidate, -1.0)

    def _change(self, candidate: int, sign: float) -> None:
        """Update M, M⁻¹, Q and T: M⁻¹ becomes M⁻¹ - G S Gᵀ with G = M⁻¹ Vᵀ, S = (±I + Q)⁻¹."""
        factor = self.rows[candidate]  # V: [R, W]
        self.matrix += sign * (factor.T @ factor)
        reach = self.inverse @ factor.T  # G: [W, R]
        scale = np.linalg.inv(sign * self.unit + self.inner[candidate])  # S: [R, R]
        near = self.rows @ reach  # V G: [C, R, R]
        far = self.rows @ (self.inverse @ (self.target @ reach))  # V M⁻¹ F G: [C, R, R]
        middle = reach.T @ self.target @ reach  # Gᵀ F G: [R, R]
        weighed = near @ scale  # [C, R, R]
        cross = weighed @ far.transpose(0, 2, 1)  # [C, R, R]
        self.outer += weighed @ middle @ weighed.transpose(0, 2, 1)
        self.outer -= cross + cross.transpose(0, 2, 1)
        self.inner -= weighed @ near.transpose(0, 2, 1)
        self.inverse = self.inverse - reach @ scale @ reach.T
        if self.outer.max(initial=0) < SMALL * self.largest:
            self._begin()


def _traces(matrices: Floats, others: Floats) -> Floats:
    """Return tr(A⁻¹ B) for each pair of matrices, shape (C)."""
    if matrices.shape[1] == 1:
        ratio: Floats = others[:, 0, 0] / matrices[:, 0, 0]
        return ratio
    return np.asarray(np.trace(np.linalg.solve(matrices, others), axis1=1, axis2=2))
