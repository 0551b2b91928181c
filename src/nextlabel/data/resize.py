"""Sizes, channels and ranges of images."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nextlabel.files.scratch import scratch, tiles

Pixels: TypeAlias = NDArray[Any]
"""uint8 or uint16."""


def resize(image: Pixels, size: int) -> Pixels:
    """Return one image (H, W) or (H, W, C) as a square (size, size[, C]) of the same dtype.

    Bicubic with the filter widened when shrinking, so that nothing aliases; an image that is not
    square is stretched. 8 bit uses Pillow's integer arithmetic: the same everywhere.
    """
    if image.shape[:2] == (size, size):
        return image
    from PIL import Image

    if image.ndim == 3 and image.shape[2] == 1:
        return resize(image[..., 0], size)[..., None]
    if image.dtype == np.uint8:
        small = Image.fromarray(image).resize((size, size), Image.Resampling.BICUBIC)
        return np.asarray(small)
    planes = image[..., None] if image.ndim == 2 else image
    scaled = [
        np.asarray(
            Image.fromarray(np.ascontiguousarray(planes[..., c], np.float32)).resize(
                (size, size), Image.Resampling.BICUBIC
            )
        )
        for c in range(planes.shape[2])
    ]
    # Bicubic overshoots at edges.
    values: Pixels = np.clip(np.rint(np.stack(scaled, axis=-1)), image.min(), image.max())
    return values.reshape(size, size, *image.shape[2:]).astype(np.uint16)


def fit(images: NDArray[np.uint8], size: int | None) -> NDArray[np.uint8]:
    """Return images (N, C, H, W) as (N, C, size, size); themselves when they have that size."""
    if size is None or images.shape[2:] == (size, size):
        return images
    out = np.empty((*images.shape[:2], size, size), np.uint8)
    for row, image in enumerate(images):
        for channel, plane in enumerate(image):
            out[row, channel] = resize(np.ascontiguousarray(plane), size)
    return out


def to_channels(images: NDArray[np.uint8], channels: int | None) -> NDArray[np.uint8]:
    """Return images (N, C, H, W) with 1 or 3 channels; grey is luma by ITU-R BT.601."""
    if channels is None or images.shape[1] == channels:
        return images
    if channels == 3:
        out = scratch((len(images), 3, *images.shape[2:]))
        out[:] = images  # the one channel, three times
        return out
    out = scratch((len(images), 1, *images.shape[2:]))
    luma = np.array([299, 587, 114], np.uint32)[:, None, None]
    for rows in tiles(images, len(images), cost=8):
        tile = images[rows].astype(np.uint32)
        out[rows, 0] = ((tile * luma).sum(axis=1) + 500) // 1000
    return out


def constant(images: NDArray[np.uint8]) -> bool:
    """Return whether all images (N, C, H, W) are one single value; stops at the first other."""
    if images.size == 0:
        return False
    value = images[0].flat[0]
    return all(bool((images[rows] == value).all()) for rows in tiles(images, len(images)))
