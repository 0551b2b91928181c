"""Orientation as a camera or scanner wrote it: EXIF and TIFF tag 274."""

import numpy as np

from nextlabel.data.resize import Pixels

TAG = 274


def orientation_in(exif: bytes) -> int:
    """Return the orientation in EXIF data; 1, upright, when it says nothing."""
    from PIL import Image

    if not exif:
        return 1
    tags = Image.Exif()
    tags.load(exif)
    return int(tags.get(TAG, 1))


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """Return an image (H, W, C) as it is to be seen; values outside 1 to 8 leave it as it is."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)
