"""The signal `predicted_loss`: the loss that the module P predicts, equation 3."""

from typing import ClassVar

import numpy as np

from nextlabel.core.errors import UsageError
from nextlabel.core.signals import PoolView, SignalSource
from nextlabel.core.types import Array
from nextlabel.models.signals import register


@register("predicted_loss")
class PredictedLosses:
    """Predicted losses, float32 (N)."""

    dimensions: ClassVar[int] = 1
    reads: ClassVar[frozenset[SignalSource]] = frozenset({"model", "loss_prediction"})

    def compute(self, view: PoolView, rng: np.random.Generator) -> Array:
        """Return the predicted losses of the pool; UsageError without the module P."""
        losses = view.outputs.predicted_loss
        if losses is None:
            raise UsageError(
                "predicted_loss needs the module P, which was not trained; choose a network as "
                "the task model",
                code="no-loss-prediction",
            )
        return losses
