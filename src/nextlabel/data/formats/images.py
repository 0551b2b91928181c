"""From an image file to pixels: the content decides the kind, and its format decodes it."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np

from nextlabel.core.errors import out_of_memory
from nextlabel.data.decoding.base import HEAD, Picture, Undecodable, Wanted
from nextlabel.data.formats import FORMATS
from nextlabel.data.formats.kinds import kind_by_head

NOT_FINITE = (
    "has values that are not finite; +infinity becomes the largest of the others, NaN and "
    "-infinity the smallest"
)
TWO_CHANNELS = (
    "it has two channels, which are read as red and green; choose others by --channels, in "
    "experiments data.channels"
)
LARGEST = 1e30
"""The largest magnitude of a float; resizing would overflow above."""


def decode(source: bytes | Path | BinaryIO, wanted: Wanted | None = None) -> Picture:
    """Return the image in a file, in its bytes, or in an open file at its start.

    The content decides the kind, not the name. The picture has 1 to 3 channels, or those that
    are wanted.

    Raises
    ------
    Undecodable
        For everything that is not a usable image within the limits of `wanted`.
    OSError
        When a file cannot be opened.
    """
    if isinstance(source, Path):
        with source.open("rb") as opened:
            return decode(opened, wanted)
    file = BytesIO(source) if isinstance(source, bytes) else source
    wanted = wanted or Wanted()
    head = file.read(HEAD)
    file.seek(0)
    if not head:
        raise Undecodable("the file is empty; copy or export it again", code="image-empty")
    recognised = kind_by_head(head)
    if recognised is None:
        raise Undecodable(
            f"it is not an image of a kind that is read ({', '.join(FORMATS)}); export it as PNG",
            code="image-kind-unknown",
        )
    if recognised.format is None:
        raise Undecodable(recognised.reason or "", code="image-kind-not-read")
    return _finite(_channels(_decoded(recognised.format, file, wanted), wanted))


def _decoded(name: str, file: BinaryIO, wanted: Wanted) -> Picture:
    try:
        return FORMATS[name]().decode(file, wanted)
    except Undecodable:
        raise
    # Broken files make decoders fail in every way there is; each means the same here.
    except Exception as error:
        if out_of_memory(error):
            raise Undecodable(
                "it needs more memory than there is; lower data.max_pixels or save it smaller",
                code="image-too-large",
            ) from error
        detail = str(error).split("\n")[0] or type(error).__name__
        raise Undecodable(
            f"it cannot be decoded ({detail}); copy or export it again", code="image-broken"
        ) from error


def _channels(picture: Picture, wanted: Wanted) -> Picture:
    """Return the picture with the wanted channels."""
    count = picture.pixels.shape[2]
    if wanted.channels is not None:
        if picture.chosen:
            return picture
        taken = picture.pixels[..., list(wanted.channels_of(count))]
        return replace(picture, pixels=taken, chosen=True)
    if count == 2:  # as stains are shown; `GreyLevels.eight_bit` adds an empty blue
        return replace(picture, notes=(*picture.notes, TWO_CHANNELS))
    if count not in (1, 3):
        raise Undecodable(
            f"it has {count} channels; choose one to three by --channels 0,1, in experiments "
            "data.channels = [0, 1]",
            code="channels-unknown",
        )
    return picture


def _finite(picture: Picture) -> Picture:
    """Return the picture with finite values only."""
    pixels = picture.pixels
    if pixels.dtype.kind not in "uif":
        raise Undecodable(
            f"its pixels are {pixels.dtype}; save it as integers or floats",
            code="pixel-type-unknown",
        )
    if pixels.dtype.kind != "f":
        return picture
    if pixels.itemsize < 4:
        pixels = pixels.astype(np.float32)
    finite = np.isfinite(pixels)
    if not finite.any():
        raise Undecodable("it has no finite value; export it again", code="image-without-pixels")
    notes = picture.notes
    if not finite.all():
        low, high = pixels[finite].min(), pixels[finite].max()
        pixels = np.where(finite, pixels, np.where(pixels == np.inf, high, low))
        notes = (*notes, NOT_FINITE)
    return replace(picture, pixels=np.clip(pixels, -LARGEST, LARGEST), notes=notes)
