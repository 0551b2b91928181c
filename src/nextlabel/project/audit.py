"""The audit: images drawn at random, independently of a strategy, to estimate accuracy by.

The images of a folder have a random order that their contents decide, so that it stays the same
when images come and go. The first of them are a random sample of the folder.
"""

from collections.abc import Sequence
from hashlib import sha256

import numpy as np

from nextlabel.core.types import Ids


def audit_order(digests: Sequence[str]) -> Ids:
    """Return the rows of images in their random order.

    Parameters
    ----------
    digests : sequence of str
        The sha256 of each of the N images. Of equal images the first one counts.

    Returns
    -------
    int64 array (M)
        The rows of the M different images.
    """
    first: dict[str, int] = {}
    for row, digest in enumerate(digests):
        first.setdefault(digest, row)
    keys = sorted(
        (sha256(f"audit {digest}".encode()).digest(), row) for digest, row in first.items()
    )
    return np.array([row for _, row in keys], np.int64)


def audited(order: Ids, labelled: Ids) -> Ids:
    """Return the positions (m) among the labelled of the images that count as drawn at random.

    Parameters
    ----------
    order : int64 array (M)
        The random order.
    labelled : int64 array (n)
        The labelled rows.

    Returns
    -------
    int64 array (m)
        Positions in `labelled` of the first m images of the order: those before the first one
        without a label.
    """
    place = {row: position for position, row in enumerate(labelled.tolist())}
    found = []
    for row in order.tolist():
        if row not in place:
            break
        found.append(place[row])
    return np.array(found, np.int64)


def next_to_audit(order: Ids, labelled: Ids, count: int) -> Ids:
    """Return the next `count` rows of the random order that have no label; fewer at its end."""
    left = order[~np.isin(order, labelled)]
    return left[:count]


def audit_places(labelled: int, budget: int, share: float) -> Ids:
    """Return at which places (from 0) of the next `budget` images one of the audit is.

    They are those at which `share` of all labelled images passes a whole number, so that the same
    images are drawn in one large batch and in several small ones.
    """
    counts = np.floor(share * (labelled + np.arange(budget + 1)) + 1e-9)
    return np.flatnonzero(np.diff(counts)).astype(np.int64)
