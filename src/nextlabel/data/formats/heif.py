"""HEIC and HEIF, of the extra `photos`, and AVIF."""

from typing import BinaryIO, ClassVar

from nextlabel.data.decoding.base import Picture, Wanted
from nextlabel.data.decoding.pillow_image import opened, picture
from nextlabel.data.formats import register

HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
AVIF = (b"avif", b"avis")


def _brands(head: bytes) -> tuple[bytes, ...]:
    """Return the brands of a file of boxes, the main one first; nothing for other files."""
    if head[4:8] != b"ftyp":
        return ()
    end = min(int.from_bytes(head[:4], "big"), 128)
    return (head[8:12], *(head[at : at + 4] for at in range(16, end, 4)))


@register("heic")
class Heic:
    """Photos of phones, HEIC and HEIF."""

    suffixes: ClassVar[frozenset[str]] = frozenset({".heic", ".heif", ".hif"})
    needs: ClassVar[tuple[str, ...]] = ("pillow_heif",)
    install: ClassVar[str | None] = "nextlabel[photos]"

    def recognises(self, head: bytes) -> bool:
        """Return whether a brand is that of HEIF, and none that of AVIF."""
        brands = _brands(head)
        return any(b in HEIC for b in brands) and not any(b in AVIF for b in brands)

    def decode(self, file: BinaryIO, wanted: Wanted) -> Picture:
        """Return the main image, 8 bit, upright."""
        from pillow_heif import HeifImageFile

        return picture(opened(HeifImageFile, file, wanted), wanted)


@register("avif")
class Avif:
    """AVIF; the first frame of an animation."""

    suffixes: ClassVar[frozenset[str]] = frozenset({".avif", ".avifs"})
    needs: ClassVar[tuple[str, ...]] = ("PIL._avif",)
    install: ClassVar[str | None] = "'pillow>=11.3'"

    def recognises(self, head: bytes) -> bool:
        """Return whether a brand is that of AVIF."""
        return any(brand in AVIF for brand in _brands(head))

    def decode(self, file: BinaryIO, wanted: Wanted) -> Picture:
        """Return the image, 8 bit."""
        from PIL.AvifImagePlugin import AvifImageFile

        return picture(opened(AvifImageFile, file, wanted), wanted)
