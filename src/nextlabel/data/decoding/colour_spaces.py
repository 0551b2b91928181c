"""Colour spaces of TIFF other than RGB: YCbCr and CIELAB, as RGB."""

from collections.abc import Sequence

import numpy as np

from nextlabel.data.decoding.base import Undecodable
from nextlabel.data.resize import Pixels

REC_601 = (0.299, 0.587, 0.114)
"""The shares of red, green and blue in the luma of a file that does not name others."""
D50 = 5000
"""The white point of CIELAB in kelvins, as printing and Photoshop have it."""


def ycbcr_as_rgb(
    pixels: Pixels,
    shares: Sequence[float] = REC_601,
    black_white: Sequence[float] | None = None,
) -> Pixels:
    """Return luma and two colour differences as RGB of the same type.

    Parameters
    ----------
    pixels : unsigned array (H, W, 3)
        Y, Cb and Cr.
    shares : sequence of 3 floats
        The shares of red, green and blue in Y (the tag YCbCrCoefficients).
    black_white : sequence of 6 floats, optional
        The values for black and white of each (the tag ReferenceBlackWhite); the full range when
        None.
    """
    full = int(np.iinfo(pixels.dtype).max)
    half = (full + 1) // 2
    low, high = np.reshape(black_white or (0, full, half, full, half, full), (3, 2)).T
    # Differences of colours span half of the values, those above and those below grey.
    y, cb, cr = np.moveaxis((pixels - low) * ((full, half - 1, half - 1) / (high - low)), -1, 0)
    of_red, of_green, of_blue = shares
    red = y + 2 * (1 - of_red) * cr
    blue = y + 2 * (1 - of_blue) * cb
    green = (y - of_red * red - of_blue * blue) / of_green
    rgb = np.rint(np.clip(np.stack([red, green, blue], axis=-1), 0, full))
    result: Pixels = rgb.astype(pixels.dtype)
    return result


def lab_as_rgb(pixels: Pixels, *, signed: bool) -> Pixels:
    """Return lightness, a and b as sRGB, uint8 (H, W, 3).

    Parameters
    ----------
    pixels : uint8 or uint16 array (H, W, 3)
        L from 0, a and b. Of 16 bits the upper 8 count.
    signed : bool
        Whether a and b are signed (CIELAB); else 128 is zero, or 32,768 (ICCLAB).

    Raises
    ------
    Undecodable
        For other types.
    """
    from PIL import Image, ImageCms

    if pixels.dtype not in (np.uint8, np.uint16):
        raise Undecodable(
            f"its colours are CIELAB of {pixels.dtype}; save it as RGB", code="colours-unknown"
        )
    eight = (pixels if pixels.dtype == np.uint8 else pixels >> 8).astype(np.uint8)
    if not signed:
        eight = eight ^ np.array([0, 128, 128], np.uint8)
    height, width = eight.shape[:2]
    image = Image.frombytes("LAB", (width, height), np.ascontiguousarray(eight).tobytes())
    profiles = ImageCms.createProfile("LAB", D50), ImageCms.createProfile("sRGB")
    to_rgb = ImageCms.buildTransform(*profiles, "LAB", "RGB")
    return np.asarray(ImageCms.applyTransform(image, to_rgb))
