"""The audit: images drawn at random, by which the accuracy of a classifier is estimated.

Each image has a place in a random order that its content decides, so that it stays the same when
other images come and go; a seed other than 0 gives another order. The first images of the order
are a random sample of the folder. A share
of the images is reserved for the audit: a strategy neither chooses nor counts them. If it did, it
would avoid what resembles them, and a model would look worse there than it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np

from nextlabel.core.types import Array, Ids


@dataclass(frozen=True, eq=False)
class AuditOrder:
    """The random order of the images of a folder.

    Parameters
    ----------
    rows : int64 array (M)
        The rows of the M different images, in their random order. Of equal images the first counts.
    places : float64 array (M)
        Their places: independent of each other and evenly spread from 0 to 1, ascending.
    """

    rows: Ids
    places: Array

    @classmethod
    def of(cls, digests: Sequence[str], seed: int = 0) -> "AuditOrder":
        """Return the order of images by the sha256 of each (N) and a seed."""
        text = f"audit {seed} " if seed else "audit "
        first: dict[str, int] = {}
        for row, digest in enumerate(digests):
            first.setdefault(digest, row)
        hashes = (int.from_bytes(sha256(f"{text}{d}".encode()).digest()[:8]) for d in first)
        places = np.array([number / 2**64 for number in hashes], np.float64)
        order = np.argsort(places, kind="stable")
        return cls(np.array(list(first.values()), np.int64)[order], places[order])

    def reserved(self, share: float) -> Ids:
        """Return the rows of the images that only the audit draws, about `share` of all."""
        return self.rows[self.places < share]

    def without(self, rows: Ids) -> "AuditOrder":
        """Return the order of the other images, such as those that a person can label."""
        kept = ~np.isin(self.rows, rows)
        return AuditOrder(self.rows[kept], self.places[kept])

    def next(self, labelled: Ids, count: int) -> Ids:
        """Return the next `count` rows of the order that have no label; fewer at its end."""
        return self.rows[~np.isin(self.rows, labelled)][:count]

    def audited(self, labelled: Ids) -> Ids:
        """Return the positions (m) among the labelled of the first m images of the order.

        They are those before the first image without a label.
        """
        position_of = {row: position for position, row in enumerate(labelled.tolist())}
        positions = []
        for row in self.rows.tolist():
            if row not in position_of:
                break
            positions.append(position_of[row])
        return np.array(positions, np.int64)


def audit_places(labelled: int, budget: int, share: float) -> Ids:
    """Return at which places (from 0) of the next `budget` images one of the audit is.

    They are those at which `share` of all labelled images passes a whole number, so that the same
    images are drawn in one large batch and in several small ones.
    """
    counts = np.floor(share * (labelled + np.arange(budget + 1)) + 1e-9)
    return np.flatnonzero(np.diff(counts)).astype(np.int64)
