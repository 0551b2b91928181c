"""GIF."""

from typing import BinaryIO, ClassVar

from nextlabel.data.decoding.base import Picture, Wanted
from nextlabel.data.decoding.pillow_image import opened, picture
from nextlabel.data.formats import register


@register("gif")
class Gif:
    """Graphics interchange format; the first frame of an animation."""

    suffixes: ClassVar[frozenset[str]] = frozenset({".gif"})
    needs: ClassVar[tuple[str, ...]] = ()
    install: ClassVar[str | None] = None

    def recognises(self, head: bytes) -> bool:
        """Return whether the head is that of a GIF."""
        return head[:6] in (b"GIF87a", b"GIF89a")

    def decode(self, file: BinaryIO, wanted: Wanted) -> Picture:
        """Return the image, 8 bit."""
        from PIL.GifImagePlugin import GifImageFile

        return picture(opened(GifImageFile, file, wanted), wanted)
