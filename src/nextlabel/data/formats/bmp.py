"""BMP."""

from typing import BinaryIO, ClassVar

from nextlabel.data.decoding.base import Picture, Wanted
from nextlabel.data.decoding.pillow_image import opened, picture
from nextlabel.data.formats import register


@register("bmp")
class Bmp:
    """Windows bitmap."""

    suffixes: ClassVar[frozenset[str]] = frozenset({".bmp"})
    needs: ClassVar[tuple[str, ...]] = ()
    install: ClassVar[str | None] = None

    def recognises(self, head: bytes) -> bool:
        """Return whether the head is that of a bitmap."""
        return head.startswith(b"BM") and head[6:10] == bytes(4) and head[15:18] == bytes(3)

    def decode(self, file: BinaryIO, wanted: Wanted) -> Picture:
        """Return the image, 8 bit."""
        from PIL.BmpImagePlugin import BmpImageFile

        return picture(opened(BmpImageFile, file, wanted), wanted)
