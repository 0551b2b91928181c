"""PNG of 8 and 16 bit."""

import struct
from typing import BinaryIO, ClassVar

from nextlabel.data.formats import register
from nextlabel.data.formats.base import Picture, Wanted
from nextlabel.data.formats.pillow_image import opened, picture

SIGNATURE = b"\x89PNG\r\n\x1a\n"


@register("png")
class Png:
    """Portable network graphics; the first frame of an animation."""

    suffixes: ClassVar[frozenset[str]] = frozenset({".png", ".apng"})
    needs: ClassVar[tuple[str, ...]] = ()
    extra: ClassVar[str | None] = None

    def recognises(self, head: bytes) -> bool:
        """Return whether the head is that of a PNG."""
        return head.startswith(SIGNATURE)

    def decode(self, file: BinaryIO, wanted: Wanted) -> Picture:
        """Return the image, 8 or 16 bit."""
        head = file.read(26)
        file.seek(0)
        if head[24:25] == b"\x10":
            return _deep(file, head, wanted)
        return picture(opened(file, "PNG", wanted))


def _deep(file: BinaryIO, head: bytes, wanted: Wanted) -> Picture:
    # Pillow would keep the high byte only of 16-bit colour.
    import imagecodecs

    wanted.check_size(*struct.unpack(">II", head[16:24]))
    pixels = imagecodecs.png_decode(file.read())
    planes = pixels if pixels.ndim == 3 else pixels[..., None]
    return Picture(planes[..., : planes.shape[2] - 1 + planes.shape[2] % 2])
