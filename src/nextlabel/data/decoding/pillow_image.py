"""Images of 8 bit through Pillow: opened under the limit of pixels, upright and without alpha."""

from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from nextlabel.data.decoding.base import Picture, Undecodable, Wanted
from nextlabel.data.decoding.transparency import on_background

if TYPE_CHECKING:
    from PIL.Image import Image

FIRST_FRAME = "animated; its first frame is read"


def opened(kind: "Callable[..., Image]", file: BinaryIO, wanted: Wanted) -> "Image":
    """Return an image of one of Pillow's classes, not decoded yet; Undecodable when too large.

    `Image.open` would warn of large images, and warnings cannot be silenced in one thread alone.
    """
    try:
        image = kind(file)
    except SyntaxError as error:
        raise Undecodable(
            "its head is damaged; copy or export it again", code="image-broken"
        ) from error
    wanted.check_size(*image.size)
    return image


def picture(image: "Image", wanted: Wanted) -> Picture:
    """Return the first frame of an image as grey or RGB, upright; its file is closed."""
    from PIL import Image, ImageOps

    notes = (FIRST_FRAME,) if getattr(image, "is_animated", False) else ()
    with image as upright:
        ImageOps.exif_transpose(upright, in_place=True)
        mode = "L" if upright.mode in ("1", "L", "LA", "La") else "RGB"
        if upright.has_transparency_data:
            clear = np.asarray(upright.convert("LA" if mode == "L" else "RGBA"))
            return Picture(on_background(clear), notes)
        shown = upright if upright.mode == mode else upright.convert(mode)
        if wanted.exact and wanted.size is not None:  # as `resize`, without two copies at full size
            shown = shown.resize((wanted.size, wanted.size), Image.Resampling.BICUBIC)
        pixels = np.asarray(shown)
    return Picture(pixels[..., None] if mode == "L" else pixels, notes)
