"""PNG of 8 and 16 bit."""

import struct
from collections.abc import Iterator
from typing import BinaryIO, ClassVar

from nextlabel.data.decoding.base import Picture, Wanted
from nextlabel.data.decoding.orientation import orientation_in, upright
from nextlabel.data.decoding.pillow_image import FIRST_FRAME, opened, picture
from nextlabel.data.decoding.transparency import on_background
from nextlabel.data.formats import register

SIGNATURE = b"\x89PNG\r\n\x1a\n"


@register("png")
class Png:
    """Portable network graphics; the first frame of an animation."""

    suffixes: ClassVar[frozenset[str]] = frozenset({".png", ".apng"})
    needs: ClassVar[tuple[str, ...]] = ()
    install: ClassVar[str | None] = None

    def recognises(self, head: bytes) -> bool:
        """Return whether the head is that of a PNG."""
        return head.startswith(SIGNATURE)

    def decode(self, file: BinaryIO, wanted: Wanted) -> Picture:
        """Return the image, 8 or 16 bit."""
        from PIL.PngImagePlugin import PngImageFile

        head = file.read(26)
        file.seek(0)
        if head[24:25] == b"\x10":
            return _deep(file, head, wanted)
        return picture(opened(PngImageFile, file, wanted), wanted)


def _deep(file: BinaryIO, head: bytes, wanted: Wanted) -> Picture:
    # Pillow would keep the high byte only of 16-bit colour.
    import imagecodecs

    width, height = struct.unpack(">II", head[16:24])
    wanted.check_size(width, height)
    # No 16-bit PNG has more bytes than its pixels and 1 MiB, unless it is made to fill memory.
    data = file.read(8 * width * height + 2**20)
    pixels = imagecodecs.png_decode(data)
    planes = pixels if pixels.ndim == 3 else pixels[..., None]
    if planes.shape[2] in (2, 4):
        planes = on_background(planes)
    chunks = dict(_chunks(data))
    notes = (FIRST_FRAME,) if b"acTL" in chunks else ()
    return Picture(upright(planes, orientation_in(chunks.get(b"eXIf", b""))), notes)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the name and the content of each chunk that is not pixels."""
    at = len(SIGNATURE)
    while at + 8 <= len(data):
        length, name = struct.unpack(">I4s", data[at : at + 8])
        if name != b"IDAT":
            yield name, data[at + 8 : at + 8 + length]
        at += length + 12
