"""Predictions of the newest model, as JSON values."""

from typing import Any

from nextlabel.project.labelling.models import Model


def predicted(model: Model | None, image: int) -> dict[str, Any] | None:
    """Return class id and confidence of an image; None for an image that the model has not met."""
    probabilities = None if model is None else model.probabilities
    if model is None or probabilities is None or image >= len(probabilities):
        return None
    row = probabilities[image]
    best = int(row.argmax())
    return {"class": int(model.arrays["classes"][best]), "confidence": round(float(row[best]), 4)}
