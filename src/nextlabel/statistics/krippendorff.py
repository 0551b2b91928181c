"""Krippendorff's alpha: the agreement of any number of people; values may be missing.

R people, U units, c and k values. Krippendorff, Computing Krippendorff's Alpha-Reliability (2011).
"""

import numpy as np

from nextlabel.core.types import Labels


def krippendorff_alpha(values: Labels) -> float:
    """Return alpha for values without an order.

    Parameters
    ----------
    values : int64 array (R, U)
        The value that each person gave to each unit; -1 where a person gave none.

    Returns
    -------
    float
        1 for perfect agreement, 0 for that of chance, below 0 for less; NaN where it is not
        defined: no unit has two values, or all values are the same.
    """
    given = values >= 0
    paired = given.sum(axis=0) >= 2
    values, given = values[:, paired], given[:, paired]
    if not given.any():
        return float("nan")
    occurring, numbers = np.unique(values[given], return_inverse=True)
    units = np.broadcast_to(np.arange(values.shape[1]), values.shape)[given]
    counts = np.zeros((values.shape[1], len(occurring)))  # (U, c): how many people gave it
    np.add.at(counts, (units, numbers), 1.0)
    people = counts.sum(axis=1, keepdims=True)  # (U, 1), 2 at least
    coincidences = counts.T @ (counts / (people - 1))  # (c, k), pairs of a value with itself too
    coincidences -= np.diag((counts / (people - 1)).sum(axis=0))
    of_value = counts.sum(axis=0)
    total = of_value.sum()
    observed = coincidences.sum() - np.trace(coincidences)
    expected = total**2 - (of_value**2).sum()
    if not expected:
        return float("nan")
    return float(1.0 - (total - 1.0) * observed / expected)
