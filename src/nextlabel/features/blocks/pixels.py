"""The block `pixels`: the images themselves, a row of numbers each."""

from typing import ClassVar

import numpy as np

from nextlabel.core.dataset import Dataset
from nextlabel.core.pool import Pool
from nextlabel.core.seeds import Seeds
from nextlabel.core.space.block import FittedBlock
from nextlabel.core.types import PARTS, Array, Labels, Part
from nextlabel.features.blocks import register
from nextlabel.features.blocks.base import BlockSettings


@register("pixels")
class Pixels(BlockSettings):
    """Raw pixels, scaled to [0, 1]."""

    cached: ClassVar[bool] = False

    def fit(
        self,
        data: Dataset,
        pool: Pool,
        labels: Labels | None,
        number: int,
        seeds: Seeds,
        start: FittedBlock | None = None,
    ) -> FittedBlock:
        """Return pixels (n, C·H·W) float32 for each part."""
        return FittedBlock(
            {part: flat(data.part(part).images) for part in PARTS if len(data.part(part))}
        )

    def encode(self, fitted: FittedBlock, data: Dataset, part: Part = "train") -> Array:
        """Return pixels (n, C·H·W) float32."""
        return flat(data.part(part).images)


def flat(images: Array) -> Array:
    """Return uint8 images (n, C, H, W) as float32 rows (n, C·H·W) in [0, 1]."""
    rows = images.reshape(len(images), -1).astype(np.float32)
    rows /= 255
    return rows
