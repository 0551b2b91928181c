"""Small pictures of images, made once and kept in the project's cache by the images' digests."""

from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from nextlabel.data.decoding.base import Wanted
from nextlabel.files.atomic import replacing
from nextlabel.web.pictures.full_size import Shown, View, eight_bit, picture_of, read
from nextlabel.web.pictures.image_files import ImageFiles

SIDE = 160
"""The longest side of a small picture, in pixels; smaller images stay as they are."""
QUALITY = 88


@dataclass(frozen=True)
class Thumbnails:
    """The small pictures of a project.

    Parameters
    ----------
    files : ImageFiles
        The images.
    folder : Path
        The folder in which small pictures are kept. A full disk costs time and nothing else.
    """

    files: ImageFiles
    folder: Path

    def of(self, image: int) -> Shown:
        """Return the small picture of an image.

        Raises
        ------
        Unusable
            The image cannot be shown. One that was shown before is still shown.
        """
        _, digest = self.files.catalogue.file(image)
        path = self.folder / digest[:2] / f"{digest[2:]}-{SIDE}"
        with suppress(OSError):
            content = path.read_bytes()
            if content:
                return Shown(content, _media(content))
        content = small(self.files, image)
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as partial:
                partial.write_bytes(content)
        return Shown(content, _media(content))


def small(files: ImageFiles, image: int) -> bytes:
    """Return an image as a JPEG of at most `SIDE` pixels a side, a smaller one as a PNG."""
    from PIL import Image

    with files.opened(image) as file:
        pixels = read(file, Wanted(size=SIDE)).pixels
    picture = picture_of(eight_bit(pixels, View()))
    stream = BytesIO()
    longest = max(picture.size)
    if longest <= SIDE:
        picture.save(stream, "PNG", compress_level=1)
        return stream.getvalue()
    width, height = (max(1, round(length * SIDE / longest)) for length in picture.size)
    reduced = picture.resize((width, height), Image.Resampling.BOX)
    reduced.save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()


def _media(content: bytes) -> str:
    return "image/png" if content.startswith(b"\x89PNG") else "image/jpeg"
