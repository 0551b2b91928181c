"""JPEG."""

from typing import BinaryIO, ClassVar

from nextlabel.data.formats import register
from nextlabel.data.formats.base import Picture, Wanted
from nextlabel.data.formats.pillow_image import opened, picture


@register("jpeg")
class Jpeg:
    """JPEG, grey, RGB or CMYK."""

    suffixes: ClassVar[frozenset[str]] = frozenset({".jpg", ".jpeg", ".jpe", ".jfif"})
    needs: ClassVar[tuple[str, ...]] = ()
    extra: ClassVar[str | None] = None

    def recognises(self, head: bytes) -> bool:
        """Return whether the head is that of a JPEG."""
        return head.startswith(b"\xff\xd8\xff")

    def decode(self, file: BinaryIO, wanted: Wanted) -> Picture:
        """Return the image, 8 bit."""
        return picture(opened(file, "JPEG", wanted))
