"""JPEG."""

from typing import BinaryIO, ClassVar

from nextlabel.data.decoding.base import Picture, Undecodable, Wanted
from nextlabel.data.decoding.pillow_image import opened, picture
from nextlabel.data.formats import register

MARGIN = 2
"""Times the wanted size that the decoder's own scaling leaves, so that resizing stays smooth."""
MOST_SCANS = 500
"""Passes over a progressive JPEG; programs write about ten."""


@register("jpeg")
class Jpeg:
    """JPEG, grey, RGB or CMYK."""

    suffixes: ClassVar[frozenset[str]] = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".jif"})
    needs: ClassVar[tuple[str, ...]] = ()
    install: ClassVar[str | None] = None

    def recognises(self, head: bytes) -> bool:
        """Return whether the head is that of a JPEG."""
        return head.startswith(b"\xff\xd8\xff")

    def decode(self, file: BinaryIO, wanted: Wanted) -> Picture:
        """Return the image, 8 bit.

        A large one is decoded to 1/2, 1/4 or 1/8 of its size, in the frequencies that it holds,
        as long as no side gets shorter than twice the wanted size: many times quicker, and after
        resizing nearly the same.
        """
        from PIL.JpegImagePlugin import JpegImageFile

        image = opened(JpegImageFile, file, wanted)
        if image.info.get("progressive"):
            _check_scans(file)
        if wanted.size is not None:
            image.draft(None, (MARGIN * wanted.size, MARGIN * wanted.size))
        return picture(image, wanted)


def _check_scans(file: BinaryIO) -> None:
    """Raise Undecodable for a progressive JPEG whose thousands of passes would take minutes."""
    at = file.tell()
    file.seek(0)
    scans = file.read().count(b"\xff\xda")
    file.seek(at)
    if scans > MOST_SCANS:
        raise Undecodable(
            f"it has {scans} passes, more than {MOST_SCANS}; save it again", code="image-too-large"
        )
