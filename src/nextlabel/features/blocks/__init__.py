'''Registry of feature blocks: one file per block, or one entry point of another package.

A block is a class of settings, which `[blocks.NAME]` of an experiment sets, with a method `fit`.
A new file in this package adds a block, for example

    """The block `brightness`: the mean of each channel."""

    from typing import ClassVar

    from nextlabel.core.space.block import FittedBlock
    from nextlabel.core.types import PARTS
    from nextlabel.features.blocks import register
    from nextlabel.features.blocks.base import BlockSettings

    @register("brightness")
    class Brightness(BlockSettings):
        """Mean of each channel, to a power."""

        cached: ClassVar[bool] = False
        power: float = 1.0

        def fit(self, data, pool, labels, number, seeds, start=None):
            parts = [part for part in PARTS if len(data.part(part))]
            means = {part: data.part(part).images.mean((2, 3)) / 255 for part in parts}
            return FittedBlock({part: rows**self.power for part, rows in means.items()})

A block that trains says what it costs: `passes` over the pool, `round_passes` if it is
`supervised`, and `pass_seconds`, so that `nextlabel run --plan` counts it. `warnings` are sentences
for the user. Another package leaves out the decorator and names the class in its
`pyproject.toml`:

    [project.entry-points."nextlabel.blocks"]
    brightness = "my_package:Brightness"

Modules here import torch inside functions, so that a TOML file is parsed without it.
'''

from nextlabel.core.registry import Registry
from nextlabel.features.blocks.base import BlockSettings

BLOCKS: Registry[type[BlockSettings]] = Registry("feature block", __name__, "nextlabel.blocks")
register = BLOCKS.register
