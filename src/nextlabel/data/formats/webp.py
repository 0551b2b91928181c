"""WebP."""

from typing import BinaryIO, ClassVar

from nextlabel.data.decoding.base import Picture, Wanted
from nextlabel.data.decoding.pillow_image import opened, picture
from nextlabel.data.formats import register


@register("webp")
class Webp:
    """WebP, with or without loss; the first frame of an animation."""

    suffixes: ClassVar[frozenset[str]] = frozenset({".webp"})
    needs: ClassVar[tuple[str, ...]] = ()
    install: ClassVar[str | None] = None

    def recognises(self, head: bytes) -> bool:
        """Return whether the head is that of a WebP."""
        return head[:4] == b"RIFF" and head[8:12] == b"WEBP"

    def decode(self, file: BinaryIO, wanted: Wanted) -> Picture:
        """Return the image, 8 bit."""
        from PIL.WebPImagePlugin import WebPImageFile

        return picture(opened(WebPImageFile, file, wanted), wanted)
