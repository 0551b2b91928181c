"""Transparent pixels: shown on one background, for models as for people."""

import numpy as np

from nextlabel.data.resize import Pixels

BACKGROUND = 1.0
"""The grey level behind transparent pixels, here and on pages; 0 is black and 1 is white."""


def on_background(pixels: Pixels, *, premultiplied: bool = False) -> Pixels:
    """Return (H, W, C + 1), whose last channel is alpha, as (H, W, C) on the background.

    The type is unsigned and stays the same. `premultiplied` says that alpha has been multiplied
    into the colours already.
    """
    full = int(np.iinfo(pixels.dtype).max)
    colours, alpha = pixels[..., :-1], pixels[..., -1:]
    if (alpha == full).all():
        return colours
    share = alpha.astype(np.float64) / full
    shown = colours.astype(np.float64) * (1 if premultiplied else share)
    behind = BACKGROUND * full * (1 - share)
    # Premultiplied colours above their alpha are invalid, and would pass the largest value.
    mixed: Pixels = np.minimum(np.rint(shown + behind), full).astype(pixels.dtype)
    return mixed
