"""The signal `ranked_discriminator`: probabilities of being labelled, of TA-VAAL."""

from typing import ClassVar

from nextlabel.core.signals import PoolView, SignalSource
from nextlabel.core.types import Array
from nextlabel.models.signals import register
from nextlabel.models.signals.discriminator import DiscriminatorScores


@register("ranked_discriminator")
class RankedDiscriminatorScores(DiscriminatorScores):
    """Probabilities of being labelled, float32 (N), from the block `ta_vaal`."""

    reads: ClassVar[frozenset[SignalSource]] = frozenset({"blocks", "model", "loss_prediction"})
    blocks: ClassVar[frozenset[str]] = frozenset({"ta_vaal"})

    def compute(self, view: PoolView, rng: object) -> Array:
        """Return the scores of the pool."""
        return view.block("ta_vaal").scores["discriminator"]
