"""Task models: what they are fitted to, what they predict, and what a fit costs."""

from dataclasses import dataclass

from nextlabel.core.types import Array


@dataclass(frozen=True, eq=False)
class ModelOutputs:
    """Predictions of a task model for N images, computed in one pass.

    Attributes
    ----------
    features
        T_f, float32 (N, width).
    probabilities
        Float32 (N, K): of K classes, summing to 1, or of K findings.
    predicted_loss
        Float32 (N), where the module P is trained; else None.
    """

    features: Array
    probabilities: Array
    predicted_loss: Array | None = None
