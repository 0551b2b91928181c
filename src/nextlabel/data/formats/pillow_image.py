"""Images of 8 bit through Pillow: opened under the limit of pixels, upright and without alpha."""

import warnings
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from nextlabel.data.formats.base import Picture, Undecodable, Wanted

if TYPE_CHECKING:
    from PIL import Image

FIRST_FRAME = "animated; its first frame is read"


def opened(file: BinaryIO, kind: str, wanted: Wanted) -> "Image.Image":
    """Return an image of one of Pillow's kinds, not decoded yet; Undecodable when too large."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(file, formats=(kind,))
    except Image.DecompressionBombError as error:
        raise Undecodable(
            f"its pixels exceed the limit of {wanted.max_pixels} (data.max_pixels); save it "
            "smaller",
            code="image-too-large",
        ) from error
    wanted.check_size(*image.size)
    return image


def picture(image: "Image.Image") -> Picture:
    """Return the first frame of an image as grey or RGB, upright; its file is closed."""
    from PIL import ImageOps

    notes = (FIRST_FRAME,) if getattr(image, "is_animated", False) else ()
    with image:
        upright = ImageOps.exif_transpose(image)
        grey = upright.mode in ("1", "L", "LA", "La")
        pixels = np.asarray(upright.convert("L" if grey else "RGB"))
    return Picture(pixels[..., None] if grey else pixels, notes)
