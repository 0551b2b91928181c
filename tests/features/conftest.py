"""A pretrained network without torch: an image's own pixels at 8 × 8, and a count of images."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from nextlabel.models.pretrained import NETWORKS
from nextlabel.models.pretrained.base import NetworkSource, square

SIDE = 8


class Flat(NetworkSource):
    """Rows of 192 columns; `seen` counts the images that were prepared."""

    seen = 0
    fails_after = 10**9
    any_size = False
    size = SIDE
    weights_digest = "0" * 64

    def identity(self) -> Mapping[str, Any]:
        return {"weights": self.weights_digest, "inputs": "bytes"}

    def load(self, size, device, precision):
        return self

    least_size = None

    def prepare(self, pixels):
        type(self).seen += 1
        return square(pixels, SIDE)

    def features(self, batch):
        type(self).fails_after -= 1
        if self.fails_after < 0:
            raise KeyboardInterrupt
        return batch.reshape(len(batch), -1).astype(np.float32)


@pytest.fixture
def flat(monkeypatch):
    """The network "flat", registered for one test; the class counts."""
    fresh = type("Flat", (Flat,), {})
    list(NETWORKS)
    monkeypatch.setitem(NETWORKS._things, "flat", fresh)
    return fresh
