"""PBM, PGM and PPM."""

from typing import BinaryIO, ClassVar

import numpy as np

from nextlabel.data.decoding.base import Picture, Wanted
from nextlabel.data.decoding.pillow_image import opened, picture
from nextlabel.data.formats import register


@register("pnm")
class Pnm:
    """Portable bitmaps, grey maps and pixel maps, as text or binary."""

    suffixes: ClassVar[frozenset[str]] = frozenset({".pbm", ".pgm", ".ppm", ".pnm"})
    needs: ClassVar[tuple[str, ...]] = ()
    install: ClassVar[str | None] = None

    def recognises(self, head: bytes) -> bool:
        """Return whether the head is that of a portable map."""
        return head[:1] == b"P" and head[1:2] in b"123456" and head[2:3].isspace()

    def decode(self, file: BinaryIO, wanted: Wanted) -> Picture:
        """Return the image, of the type that the file has."""
        from PIL.PpmImagePlugin import PpmImageFile

        image = opened(PpmImageFile, file, wanted)
        if not image.mode.startswith("I"):
            return picture(image, wanted)
        with image:
            return Picture(np.asarray(image).astype(np.uint16)[..., None])
