"""The block `pixels`: the images themselves, a row of numbers each."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from nextlabel.core.block import FittedBlock
from nextlabel.core.dataset import Dataset
from nextlabel.core.pool import Pool
from nextlabel.core.seeds import Seeds
from nextlabel.core.settings import Settings
from nextlabel.core.types import PARTS, Array, Labels
from nextlabel.models.blocks import register


@register("pixels")
class Pixels(Settings):
    """Raw pixels, scaled to [0, 1]."""

    @property
    def supervised(self) -> bool:
        """False: the labels are not used."""
        return False

    @property
    def cached(self) -> bool:
        """False: reading it back would save nothing."""
        return False

    @property
    def identity(self) -> Mapping[str, Any]:
        """Nothing to set."""
        return {}

    def fit(
        self, data: Dataset, pool: Pool, labels: Labels | None, number: int, seeds: Seeds
    ) -> FittedBlock:
        """Return pixels (n, C·H·W) float32 for each part."""
        return FittedBlock(
            {part: flat(data.part(part).images) for part in PARTS if len(data.part(part))}
        )


def flat(images: Array) -> Array:
    """Return uint8 images (n, C, H, W) as float32 rows (n, C·H·W) in [0, 1]."""
    rows = images.reshape(len(images), -1).astype(np.float32)
    rows /= 255
    return rows
