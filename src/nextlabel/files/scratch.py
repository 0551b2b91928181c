"""Large arrays on the disk, so that memory does not grow with the number of images."""

import math
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

LIMIT = 256 * 2**20
"""Bytes up to which an array is held in memory."""
TILE = 16 * 2**20
"""Bytes that are copied at a time."""


def scratch(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return an uninitialised uint8 array to write into; a large one lies in a temporary file.

    The file has no name and vanishes with the array. Where the disk is full, the array is in
    memory.
    """
    size = math.prod(shape)
    if size <= LIMIT:
        return np.empty(shape, np.uint8)
    try:
        with tempfile.TemporaryFile(dir=_folder()) as file:
            if hasattr(os, "posix_fallocate"):  # else a full disk kills the process later
                os.posix_fallocate(file.fileno(), 0, size)
            else:
                file.truncate(size)
            return np.memmap(file, np.uint8, "r+", shape=shape)
    except OSError:
        return np.empty(shape, np.uint8)


def _folder() -> Path | None:
    """Return a folder on a disk, where the usual one for temporary files may lie in memory."""
    disk = Path("/var/tmp")
    usual = {"TMPDIR", "TEMP", "TMP"} & set(os.environ)
    return disk if not usual and os.access(disk, os.W_OK) else None


def tiles(images: NDArray[np.uint8], count: int, cost: int = 1) -> Iterator[slice]:
    """Yield slices of `count` rows of which each costs `cost` times the bytes of an image."""
    step = max(1, TILE // max(1, cost * math.prod(images.shape[1:])))
    return (slice(start, start + step) for start in range(0, count, step))


def gather(images: NDArray[np.uint8], rows: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return the rows of images as `scratch` holds them, copied in tiles."""
    out = scratch((len(rows), *images.shape[1:]))
    for tile in tiles(images, len(rows)):
        out[tile] = images[rows[tile]]
    return out


def stacked(batches: Sequence[NDArray[np.uint8]], order: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return the images of all batches, joined and then put in `order`, as `scratch` holds them."""
    out = scratch((len(order), *batches[0].shape[1:]))
    position = np.empty_like(order)
    position[order] = np.arange(len(order))
    start = 0
    for images in batches:
        positions = position[start : start + len(images)]
        for tile in tiles(images, len(images)):
            out[positions[tile]] = images[tile]
        start += len(images)
    return out
