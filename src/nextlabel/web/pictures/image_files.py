"""Files of the project's images, opened by id, and only if they are still the same images."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from nextlabel.core.errors import DataError
from nextlabel.files.arrays import check_regular
from nextlabel.files.digest import stream_digest

PASSING = frozenset({"image-gone", "image-unreadable", "image-changed-since-scan"})
"""Codes of what another time, or the next scan, may not find."""


class Unusable(DataError):
    """An image cannot be shown; the message is the reason, for a person."""


class Catalogue(Protocol):
    """The part of a project that names its files."""

    @property
    def folder(self) -> Path:
        """The folder that the paths begin in."""
        ...

    def file(self, image: int) -> tuple[str, str]:
        """Return the path of an image below the folder, and its digest; KeyError without one."""
        ...


@dataclass(frozen=True)
class ImageFiles:
    """The files of a project's images.

    A path is followed again at each opening, since a file may have become a link meanwhile.

    Parameters
    ----------
    catalogue : Catalogue
        Names the file and the digest of each image.
    """

    catalogue: Catalogue

    @contextmanager
    def opened(self, image: int) -> Iterator[BinaryIO]:
        """Yield the file of an image, open at its start.

        Raises
        ------
        Unusable
            It is gone, leads out of the folder, or is not the same image as at the last scan.
        """
        name, digest = self.catalogue.file(image)
        root = os.path.realpath(self.catalogue.folder)
        path = Path(os.path.realpath(Path(root) / name))
        if not path.is_relative_to(root):
            raise Unusable("the file leads out of the folder; copy it here", code="image-outside")
        try:
            check_regular(path)
            with path.open("rb") as file:
                if stream_digest(file) != digest:
                    raise Unusable(
                        "the file has changed since the folder was last scanned; scan it again",
                        code="image-changed-since-scan",
                    )
                file.seek(0)
                yield file
        except FileNotFoundError as error:
            raise Unusable(
                "the file is gone; put it back, or scan the folder again", code="image-gone"
            ) from error
        except OSError as error:
            raise Unusable(
                f"the file cannot be read ({error.strerror or error}); make it readable",
                code="image-unreadable",
            ) from error
