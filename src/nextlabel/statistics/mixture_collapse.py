"""Mixtures: whether the components of a learned prior ended as one."""

from collections.abc import Mapping, Sequence

ALIKE, UNUSED = 1.5, 1.1
"""A mixture with fewer distinct components, or with fewer in use, may be one Gaussian in effect."""


def collapsed(log: Sequence[Mapping[str, float]]) -> bool:
    """Return whether the components of a mixture are all alike, or all but one unused.

    Parameters
    ----------
    log
        The numbers of each epoch of training. The last epoch's `components` and `distinct` are the
        effective numbers of components in use and of distinct ones: the exponentials of the entropy
        of their use, and of the part of it that a point determines. Components of unequal use that
        are far apart have not collapsed. A log without these numbers is not of a mixture.
    """
    last = log[-1] if log else {}
    if "distinct" not in last:
        return False
    used, distinct = last["components"], last["distinct"]
    return used < UNUSED or (distinct < ALIKE and distinct**2 < used)
