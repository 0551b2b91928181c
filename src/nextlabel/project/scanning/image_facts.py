"""Facts about an image file that its first bytes tell: size, bits and channels."""

import io
from typing import NamedTuple

from nextlabel.data.decoding.base import HEAD
from nextlabel.data.formats.kinds import kind_by_head


class ImageFacts(NamedTuple):
    """Width and height in pixels, bits per value and channels, or None; and why it is unusable."""

    width: int | None = None
    height: int | None = None
    bits: int | None = None
    channels: int | None = None
    problem: str | None = None


MODES = {
    "1": (1, 1),
    "L": (8, 1),
    "P": (8, 3),
    "LA": (8, 1),
    "RGB": (8, 3),
    "RGBA": (8, 3),
    "CMYK": (8, 3),
    "YCbCr": (8, 3),
    "I": (32, 1),
    "F": (32, 1),
    "I;16": (16, 1),
    "I;16B": (16, 1),
}
"""Bits and channels of Pillow's modes."""


def image_facts(content: bytes) -> ImageFacts:
    """Return what the head of a file says; nothing is decoded.

    Facts that the head of its format does not tell quickly are None.
    """
    if not content:
        return ImageFacts(problem="the file is empty")
    file_kind = kind_by_head(content[:HEAD])
    if file_kind is None:
        return ImageFacts(problem="it is not an image of a kind that is read")
    if file_kind.format is None:
        return ImageFacts(problem=file_kind.reason)
    if file_kind.format == "tiff":
        return _of_tiff(content)
    return _of_others(content)


def _of_tiff(content: bytes) -> ImageFacts:
    import tifffile

    try:
        with tifffile.TiffFile(io.BytesIO(content)) as file:
            page = file.pages.first
            return ImageFacts(
                page.imagewidth, page.imagelength, page.bitspersample, page.samplesperpixel
            )
    except Exception:  # what is wrong is said when the image is decoded
        return ImageFacts()


def _of_others(content: bytes) -> ImageFacts:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content)) as image:
            bits, channels = MODES.get(image.mode, (None, None))
            return ImageFacts(*image.size, bits, channels)
    except Exception:  # of another format, or broken: it is said when the image is decoded
        return ImageFacts()
