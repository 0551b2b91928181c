"""Images as the page shows them at full size: 8 bit, with a window for values of more bits."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

from nextlabel.data.decoding.base import Picture, Undecodable, Wanted
from nextlabel.data.formats.images import decode
from nextlabel.data.pixels.grey_levels import GreyLevels
from nextlabel.data.resize import Pixels
from nextlabel.web.pictures.image_files import ImageFiles, Unusable

if TYPE_CHECKING:
    from PIL.Image import Image

AT_A_TIME = BoundedSemaphore(3)
"""Images of full size that are decoded at a time, so that large ones do not fill the memory."""
ENDS = (0.1, 99.9)
"""Percentiles of an image's values that are black and white unless a person chooses others."""
BINS = 256
SHOWN = 3
"""Channels of an image of several that are shown unless a person chooses: red, green, blue."""
PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
HEAD = 2**16


@dataclass(frozen=True)
class View:
    """The way to show an image: which channels, and which values are black and white."""

    channels: tuple[int, ...] | None = None
    low: float | None = None
    high: float | None = None

    @property
    def is_plain(self) -> bool:
        """True when nothing is chosen."""
        return self == View()


@dataclass(frozen=True)
class Shown:
    """The bytes of a picture and their media type."""

    content: bytes
    media: str


def full_size(files: ImageFiles, image: int, view: View) -> Shown:
    """Return an image at full size, without loss; Unusable when it cannot be shown.

    JPEG, and PNG that browsers show as nextlabel reads it, are returned as they are.
    """
    with AT_A_TIME, files.opened(image) as file:
        if view.is_plain and (media := _as_it_is(file.read(HEAD))):
            file.seek(0)
            return Shown(file.read(), media)
        file.seek(0)
        pixels = read(file, Wanted(channels=view.channels)).pixels
        return Shown(_png(eight_bit(pixels, view)), "image/png")


def facts(files: ImageFiles, image: int) -> dict[str, object]:
    """Return the number of channels, the bits, and the spread of an image's values."""
    with AT_A_TIME, files.opened(image) as file:
        pixels = read(file, Wanted()).pixels
    low, high = window(pixels)
    least, most = min(0.0, float(pixels.min())), float(pixels.max())
    counts, _ = np.histogram(pixels, BINS, (least, most if most > least else least + 1))
    return {
        "channels": pixels.shape[2],
        "bits": 8 * pixels.dtype.itemsize,
        "type": str(pixels.dtype),
        "min": least,
        "max": most,
        "low": low,
        "high": high,
        "histogram": counts.tolist(),
    }


def read(file: BinaryIO, wanted: Wanted) -> Picture:
    """Return the picture in a file; of more than three channels the first three.

    Raises
    ------
    Unusable
        It cannot be decoded.
    """
    try:
        try:
            return decode(file, wanted)
        except Undecodable as error:
            if error.code != "channels-unknown":
                raise
        for channels in (tuple(range(SHOWN)), (0, 1)):
            file.seek(0)
            try:
                return decode(file, Wanted(wanted.max_pixels, wanted.size, channels=channels))
            except Undecodable as error:
                if error.code != "no-such-channel":
                    raise
        raise AssertionError("an image of other than 1 or 3 channels has two or more")
    except Undecodable as error:
        raise Unusable(str(error), code=error.code) from error


def window(pixels: Pixels) -> tuple[float, float]:
    """Return the values of an image that become black and white; 0 and 255 for 8 bit."""
    if pixels.dtype == np.uint8:
        return 0.0, 255.0
    low, high = (float(value) for value in np.percentile(pixels, ENDS))
    return (low, high) if low < high else (float(pixels.min()), float(pixels.max()))


def eight_bit(pixels: Pixels, view: View) -> NDArray[np.uint8]:
    """Return (H, W, C) as uint8 (H, W, 1) or (H, W, 3), with the window of `view` or its own."""
    low, high = window(pixels) if view.low is None or view.high is None else (view.low, view.high)
    label = str(pixels.dtype)
    if label == "uint8" and (low, high) != (0.0, 255.0):
        label = "windowed"
    return GreyLevels({label: ((low, high),)}).eight_bit(pixels, label)


def picture_of(pixels: NDArray[np.uint8]) -> "Image":
    """Return (H, W, 1) or (H, W, 3) as an image of Pillow."""
    from PIL import Image as pillow

    flat = pixels[..., 0] if pixels.shape[2] == 1 else pixels
    return pillow.fromarray(np.ascontiguousarray(flat))


def _png(pixels: NDArray[np.uint8]) -> bytes:
    stream = BytesIO()
    picture_of(pixels).save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def _as_it_is(head: bytes) -> str | None:
    """Return the media type of a file that a browser shows just as nextlabel reads it."""
    if head.startswith(JPEG):
        return "image/jpeg"
    plain = head[24:25] in (b"\1", b"\2", b"\4", b"\x08") and head[25:26] in (b"\0", b"\2", b"\3")
    before = head.partition(b"IDAT")[0]
    changed = any(chunk in before for chunk in (b"acTL", b"tRNS", b"eXIf"))
    return "image/png" if head.startswith(PNG) and plain and not changed else None


def parse_channels(text: str | None) -> tuple[int, ...] | None:
    """Return the channels in "0,2"; None without a text; ValueError unless they are 1 to 3."""
    if text is None:
        return None
    numbers: Sequence[int] = [int(number) for number in text.split(",")]
    if not 1 <= len(numbers) <= SHOWN or min(numbers) < 0 or max(numbers) > 4095:
        raise ValueError("give one to three channels, from 0, as 0,2")
    return tuple(numbers)
