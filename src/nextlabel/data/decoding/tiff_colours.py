"""Colours of a TIFF's page: from its photometric values to grey or RGB."""

from typing import Any

import numpy as np

from nextlabel.data.decoding.base import Undecodable
from nextlabel.data.decoding.colour_spaces import REC_601, lab_as_rgb, ycbcr_as_rgb
from nextlabel.data.decoding.transparency import on_background
from nextlabel.data.resize import Pixels

COEFFICIENTS, BLACK_WHITE = 529, 532
"""Tags of YCbCr: the shares of the colours in its luma, and the values for black and white."""
ASSOCIATED, UNASSOCIATED = 1, 2
"""Kinds of alpha among the extra samples: multiplied into the colours, or not."""


def colours(page: Any, pixels: Pixels) -> Pixels:
    """Return the values (H, W, S) of a page as grey, RGB or channels (H, W, C).

    1 to 7 bit become 8 bit of the full range; other types stay as they are. Raises Undecodable
    for colours that are not known.
    """
    import tifffile

    kinds = tifffile.PHOTOMETRIC
    if pixels.dtype.kind == "b":
        pixels = pixels.astype(np.uint8)
    full = 2**page.bitspersample - 1
    if page.photometric == kinds.PALETTE:
        return _looked_up(page.colormap, pixels[..., 0])
    if page.photometric == kinds.SEPARATED and pixels.dtype == np.uint8 and pixels.shape[2] == 4:
        return cmyk(255 - pixels)
    if page.photometric == kinds.MINISWHITE:
        unsigned = pixels.dtype.kind == "u"
        pixels = (full - pixels.astype(np.int64)).astype(pixels.dtype) if unsigned else -pixels
    elif page.photometric in (kinds.CIELAB, kinds.ICCLAB) and pixels.shape[2] >= 3:
        signed = page.photometric == kinds.CIELAB
        return lab_as_rgb(pixels[..., :3], signed=signed)
    elif page.photometric == kinds.YCBCR and page.compression != tifffile.COMPRESSION.JPEG:
        shares, black_white = _numbers(page, COEFFICIENTS), _numbers(page, BLACK_WHITE)
        unsigned = pixels.dtype.kind == "u" and pixels.shape[2] >= 3
        if not unsigned or full < 255 or tuple(page.subsampling or (1, 1)) != (1, 1):
            raise Undecodable(
                "its colours are YCbCr of a rare kind; save it as RGB", code="colours-unknown"
            )
        return ycbcr_as_rgb(pixels[..., :3], shares or REC_601, black_white)
    elif page.photometric not in (kinds.MINISBLACK, kinds.RGB, kinds.CFA, kinds.YCBCR):
        raise Undecodable(
            f"its colours are {page.photometric.name}; save it as grey or RGB",
            code="colours-unknown",
        )
    if full < 255:
        pixels = pixels * np.uint8(255 // full)
    return _without_alpha(page, pixels, page.photometric != kinds.MINISBLACK)


def _without_alpha(page: Any, pixels: Pixels, rgb: bool) -> Pixels:
    channels = pixels.shape[2]
    extra = int(page.extrasamples[-1]) if page.extrasamples else 0
    if channels not in (2, 4):
        return pixels
    if extra in (ASSOCIATED, UNASSOCIATED) and pixels.dtype.kind == "u":
        return on_background(pixels, premultiplied=extra == ASSOCIATED)
    # A fourth value of RGB that is not called alpha only fills up.
    return pixels[..., :3] if rgb and channels == 4 else pixels


def _numbers(page: Any, code: int) -> list[float] | None:
    """Return the numbers of a tag, fractions divided out; None for a tag that is not there."""
    import tifffile

    tag = page.tags.get(code)
    if tag is None:
        return None
    values = np.ravel(tag.value).astype(float)
    fractions = tag.dtype in (tifffile.DATATYPE.RATIONAL, tifffile.DATATYPE.SRATIONAL)
    return list(values[::2] / values[1::2] if fractions else values)


def _looked_up(table: Any, numbers: Pixels) -> Pixels:
    shown: Pixels = (np.asarray(table)[:, numbers] >> 8).astype(np.uint8)
    return shown.transpose(1, 2, 0)


def cmyk(inverted: Pixels) -> Pixels:
    """Return inverted CMYK, uint8 (H, W, 4), as RGB (H, W, 3), as browsers do without a profile."""
    black = inverted[..., 3:].astype(np.uint16)
    mixed: Pixels = ((inverted[..., :3] * black + 127) // 255).astype(np.uint8)
    return mixed
