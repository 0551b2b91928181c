"""Diverse batches of large gradients: BADGE [Ash et al. 2020], without forming the gradients.

Legend: C candidates, K classes, D columns of the features, B budget.

The gradient embedding of an image is g = r ⊗ x, with x its features and r = p - e_ŷ, ŷ being the
likeliest class: the gradient of the last layer, were ŷ the label. Its K·D columns are never made:
g · h = (r · s)(x · y) for h = s ⊗ y.
"""

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.progress import picked
from nextlabel.core.types import Array, Ids, Task

Floats = NDArray[np.float64]


def residuals(probabilities: Array, task: Task = "multiclass") -> Floats:
    """Return p - e_ŷ, ŷ the likeliest class (the first at a tie); multi-label: of each finding.

    Parameters
    ----------
    probabilities : array (C, K)
        Each row sums to 1; multi-label: the probability of each finding, e_ŷ being 1 from 0.5 on.
    task : str
        "multiclass" or "multilabel".

    Returns
    -------
    array (C, K), float64
    """
    rows = np.array(probabilities, np.float64)
    if task == "multilabel":
        return rows - (rows >= 0.5)
    rows[np.arange(len(rows)), rows.argmax(axis=1)] -= 1
    return rows


def badge(features: Array, factors: Floats, budget: int, rng: np.random.Generator) -> Ids:
    """Choose rows by the seeding of k-means++ on r ⊗ x.

    The first is the row of the largest norm, as in the authors' code; each next one is drawn with
    a probability proportional to the squared distance to the nearest chosen row. Where all rows
    left are copies of chosen ones, the smallest positions follow, so no row comes twice.

    Parameters
    ----------
    features : array (C, D)
        x of each candidate.
    factors : array (C, K)
        r of each candidate.
    budget : int
        Rows to choose, at most C.
    rng : numpy.random.Generator
        The generator of all draws after the first row.

    Returns
    -------
    array (budget), int64
        Positions 0 … C - 1 in the order of choice.

    References
    ----------
    Ash et al., "Deep batch active learning by diverse, uncertain gradient lower bounds", ICLR
    2020, algorithm 1; https://arxiv.org/abs/1906.03671
    """
    x = np.asarray(features, np.float64)  # [C, D]
    norms = np.square(x).sum(axis=1) * np.square(factors).sum(axis=1)  # ‖g‖²: [C]
    nearest = np.full(len(x), np.inf)  # squared distance to the nearest chosen row: [C]
    free = np.ones(len(x), bool)
    chosen: list[int] = []
    while len(chosen) < budget:
        row = int(norms.argmax()) if not chosen else _draw(nearest, free, rng)
        chosen.append(row)
        picked(len(chosen), budget)
        free[row] = False
        products = (x @ x[row]) * (factors @ factors[row])  # g · g_row: [C]
        distances = norms - 2 * products + norms[row]
        # Rounding leaves a little of the difference of two equal numbers.
        distances[distances <= 1e-12 * (norms + norms[row])] = 0
        nearest = np.minimum(nearest, distances)
    return np.array(chosen, np.int64)


def _draw(nearest: Floats, free: NDArray[np.bool_], rng: np.random.Generator) -> int:
    """Draw a free row in proportion to `nearest`; the first free row where all are 0."""
    distances = np.where(free, nearest, 0)
    total = distances.sum()
    if total == 0:
        return int(free.argmax())
    return int(rng.choice(len(distances), p=distances / total))
