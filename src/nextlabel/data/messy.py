"""A messy pool from a tidy one: classes of very unequal size, and near-copies of images."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from nextlabel.core.dataset import Dataset, Images
from nextlabel.core.errors import DataError
from nextlabel.core.seeds import Seeds
from nextlabel.core.settings import Settings
from nextlabel.core.types import Ids

NOISE = 4
"""The largest change of a pixel in a near-copy, of 255."""


class MessySettings(Settings):
    """The table `[data.messy]`: a pool as it is found, made from a tidy one.

    Only the training images change; validation and test stay. `train` counts the images before.
    """

    ratio: float = Field(1.0, ge=1)
    """Size of the largest class over that of the smallest. Sizes fall evenly on a logarithmic
    scale, in an order of classes that is drawn.
    """
    copies: float = Field(0.0, ge=0, lt=1)
    """Share of near-copies in the pool: images moved by a pixel, with a little noise."""


def make_messy(data: Dataset, settings: MessySettings, seed: int) -> Dataset:
    """Return the data set with a messy pool; the same for the same seed.

    Parameters
    ----------
    data
        A multi-class data set whose training images all have a label.
    settings
        The ratio of class sizes and the share of near-copies.
    seed
        The seed of all draws.

    Raises
    ------
    DataError
        The training images do not have one label each.
    """
    labels = data.train.labels
    if data.task != "multiclass" or labels is None or (labels < 0).any():
        raise DataError(
            f"{data.name}: data.messy needs one label for each training image; leave it out",
            code="messy-needs-labels",
        )
    seeds = Seeds(seed)
    kept = unequal(labels, settings.ratio, seeds.rng("messy classes"))
    rng = seeds.rng("messy copies")
    number = round(len(kept) * settings.copies / (1 - settings.copies))
    copied = rng.choice(kept, number, replace=number > len(kept))
    train = data.train.take(np.concatenate([kept, copied]))
    pixels = train.images.copy()
    pixels[len(kept) :] = near_copies(pixels[len(kept) :], rng)
    order = rng.permutation(len(train))
    notes: Mapping[str, Any] = {
        **data.notes,
        "messy": f"classes of sizes 1 : {settings.ratio:g}, {number} of {len(train)} near-copies",
    }
    shuffled = Images(pixels, train.labels, train.origin, train.names, train.drawn_from).take(order)
    return replace(data, train=shuffled, notes=notes, originals=None)


def unequal(labels: NDArray[np.int64], ratio: float, rng: np.random.Generator) -> Ids:
    """Return ascending rows of classes whose sizes fall from the largest to 1 / `ratio` of it.

    As many images of `labels` (N) stay as these sizes allow; each class keeps one at least.
    """
    classes, counts = np.unique(labels, return_counts=True)
    ranks = rng.permutation(len(classes)) / max(1, len(classes) - 1)
    largest = (counts * ratio**ranks).min()
    sizes = np.maximum(1, np.floor(largest * ratio**-ranks + 1e-9)).astype(int)
    chosen = [
        rng.choice(np.flatnonzero(labels == label), size, replace=False)
        for label, size in zip(classes, sizes, strict=True)
    ]
    return np.sort(np.concatenate(chosen))


def near_copies(images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return images (n, C, H, W), each moved by one pixel in a drawn direction, with noise."""
    steps = np.array([(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if (y, x) != (0, 0)])
    moved = images.astype(np.int16)
    for row, (y, x) in enumerate(steps[rng.integers(0, len(steps), len(images))]):
        padded = np.pad(moved[row], ((0, 0), (1, 1), (1, 1)), mode="edge")
        height, width = moved.shape[2:]
        moved[row] = padded[:, 1 + y : 1 + y + height, 1 + x : 1 + x + width]
    noise = rng.integers(-NOISE, NOISE + 1, moved.shape, dtype=np.int16)
    copies: NDArray[np.uint8] = np.clip(moved + noise, 0, 255).astype(np.uint8)
    return copies
