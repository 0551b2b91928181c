"""Short trials of training, from which a plan estimates the time of a run."""

import time
from collections.abc import Callable

from nextlabel.core.types import Array

STEPS = 4
"""Batches that are timed."""
PIXELS = 2**22
"""The most pixels that are timed, so that large images do not make a plan take long."""


def sample_size(images: Array, batch_size: int) -> int:
    """Return how many images (N, C, H, W) are timed: a few batches, at least 4 images."""
    _, _, height, width = images.shape
    return int(max(4, min(batch_size * STEPS, PIXELS // (height * width))))


def seconds_of(run: Callable[[], object]) -> float:
    """Return the seconds that a call takes."""
    clock = time.perf_counter()
    run()
    return time.perf_counter() - clock
