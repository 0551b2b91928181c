"""From an image file to pixels: the content decides the kind, and its format decodes it."""

from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from nextlabel.core.errors import out_of_memory
from nextlabel.data.formats import FORMATS
from nextlabel.data.formats.base import HEAD, Picture, Undecodable, Wanted
from nextlabel.data.formats.kinds import kind_by_head


def decode(source: bytes | Path | BinaryIO, wanted: Wanted | None = None) -> Picture:
    """Return the image in a file, in its bytes, or in an open file at its start.

    The content decides the kind, not the name.

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
    head = file.read(HEAD)
    file.seek(0)
    if not head:
        raise Undecodable("the file is empty; copy or export it again", code="image-empty")
    kind = kind_by_head(head)
    if kind is None:
        raise Undecodable(
            f"it is not an image of a kind that is read ({', '.join(FORMATS)}); export it as PNG",
            code="image-kind-unknown",
        )
    if kind.format is None:
        raise Undecodable(kind.reason or "", code="image-kind-not-read")
    return _decoded(kind.format, file, wanted or Wanted())


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
