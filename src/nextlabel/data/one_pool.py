"""The images of a folder as one pool, from all of its parts."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nextlabel.core.dataset import Dataset, Images
from nextlabel.core.types import PARTS, Array, Ids
from nextlabel.files.scratch import stacked


def one_pool(data: Dataset) -> tuple[Dataset, Array | None]:
    """Return all images of a folder as the train part, and the part that each came from.

    Parameters
    ----------
    data : Dataset
        The images of a folder, in one or several parts.

    Returns
    -------
    tuple[Dataset, Array | None]
        The data set without labels, sorted by name, and the word of each image's part (N); None
        where there is only one part.
    """
    none = Images(data.train.images[:0], None, names=())
    there = [part for part in PARTS if len(data.part(part))]
    if there == ["train"]:
        train = replace(data.train, labels=None)
        return replace(data, train=train, validation=none, test=none), None
    parts = [data.part(part) for part in there]
    order = np.argsort(np.concatenate([p.origin for p in parts if p.origin is not None]))
    joined = Images(
        stacked([p.images for p in parts], order),
        None,
        np.concatenate([p.origin for p in parts if p.origin is not None])[order],
        _in_order([p.names for p in parts], order),
        contents=_in_order([p.contents for p in parts], order),
    )
    words = np.repeat(there, [len(p) for p in parts])[order]
    return replace(data, train=joined, validation=none, test=none), words


def _in_order(texts: Sequence[tuple[str, ...] | None], order: Ids) -> tuple[str, ...]:
    joined = [text for of_part in texts for text in of_part or ()]
    return tuple(joined[row] for row in order.tolist())
