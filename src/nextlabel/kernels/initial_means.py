"""The first means of k-means, by k-means++ with several candidates for each.

Arthur and Vassilvitskii, k-means++: the advantages of careful seeding, 2007. The draws and the
precision of each number are those of scikit-learn, which gives the same means in several times
the time: it converts all rows again for each mean, and measures all of them.

n rows of d columns, k means so far, t candidates.
"""

from typing import Any

import numpy as np

from nextlabel.core.progress import prepared
from nextlabel.core.types import Array

ROUNDING = 1e-9
"""Distances are off by less than half of this, relative to the largest squared norm."""

MOST = 0.5
"""Share of the rows from which all are measured, in place of those alone."""


def initial_means(rows: Array, count: int, random_state: Any) -> Array:
    """Return `count` of the rows, each far from those before, (count, d).

    Rows are held in float64 for its duration. It is the `init` of scikit-learn's k-means.

    A candidate cannot be nearer to a row than the row's nearest mean is when it is at least twice
    as far from that mean. Such rows are not measured.

    Parameters
    ----------
    rows
        The rows, float32 or float64 (n, d).
    count
        The number of means.
    random_state
        The numpy.random.RandomState that draws.
    """
    n, precision = len(rows), rows.dtype.type
    wide = rows.astype(np.float64, copy=False)  # [n, d]
    squared_norms = np.einsum("ij,ij->i", wide, wide)  # [n]
    slack = ROUNDING * float(squared_norms.max())
    ones = np.ones(n, precision)
    trials = 2 + int(np.log(count))
    chosen = np.empty(count, np.int64)
    chosen[0] = random_state.choice(n, p=ones / ones.sum())
    means = np.empty((count, rows.shape[1]))  # [count, d]
    means[0] = wide[chosen[0]]
    owner = np.zeros(n, np.int64)  # the nearest mean of each row
    nearest = _squared(wide, squared_norms, wide[chosen[:1]], squared_norms[chosen[:1]])[0]
    nearest = np.maximum(nearest.astype(precision, copy=False), 0)  # [n]
    total = nearest @ ones
    for k in range(1, count):
        prepared(k / count)
        marks = random_state.uniform(size=trials) * total
        tried = np.minimum(np.searchsorted(np.cumsum(nearest), marks), n - 1)  # [t]
        candidates, norms = wide[tried], squared_norms[tried]
        apart = _squared(means[:k], squared_norms[chosen[:k]], candidates, norms)  # [t, k]
        near = np.flatnonzero(apart.min(axis=0)[owner] < 4.0001 * nearest + slack)
        if len(near) > MOST * n:
            squared = _squared(wide, squared_norms, candidates, norms)
            left = np.minimum(nearest, np.maximum(squared.astype(precision, copy=False), 0))
        else:
            some = wide.take(near, axis=0)  # in half the time of wide[near]
            squared = _squared(some, squared_norms[near], candidates, norms)
            squared = np.maximum(squared.astype(precision, copy=False), 0)
            left = np.repeat(nearest[None], trials, axis=0)  # [t, n]
            left[:, near] = np.minimum(nearest[near], squared)
        totals = left @ ones[:, None]  # [t, 1]
        best = int(totals.argmin())
        owner[left[best] < nearest] = k
        chosen[k], nearest, total = tried[best], left[best], totals[best]
        means[k] = candidates[best]
    return rows[chosen]


def _squared(rows: Array, squared_norms: Array, others: Array, others_norms: Array) -> Array:
    """Return the squared distances of t others to rows (t, n), in float64."""
    products = others @ rows.T
    products *= -2
    products += others_norms[:, None]
    products += squared_norms
    return products
