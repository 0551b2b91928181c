"""The images of a project: one row per content, whichever files have it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select, update

from nextlabel.project.scanning.image_facts import ImageFacts
from nextlabel.project.store.schema import FILES, IMAGES, VERSIONS

IMAGES_CHANGED = "images"


@dataclass(frozen=True, eq=False)
class ProjectImages:
    """The N images of a project; the row of an image is its id.

    Parameters
    ----------
    version : int
        Grows whenever something here changes.
    names : tuple of str (N)
        The first file of each image by name, relative to the folder; of those that are there,
        where there are some.
    digests : tuple of str (N)
        The sha256 of each image's bytes.
    gone : bool array (N)
        True where no file of the image is there.
    problems : tuple of str or None (N)
        Why an image cannot be shown; None where it can.
    widths, heights, bits, channels : int32 array (N)
        Size in pixels, bits per value, and number of channels; 0 where not known yet.
    copies : int32 array (N)
        The number of files of the image that are there.
    """

    version: int
    names: tuple[str, ...]
    digests: tuple[str, ...]
    gone: NDArray[np.bool_]
    problems: tuple[str | None, ...]
    widths: NDArray[np.int32]
    heights: NDArray[np.int32]
    bits: NDArray[np.int32]
    channels: NDArray[np.int32]
    copies: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.names)

    def facts(self, image: int, problem: str | None = None) -> ImageFacts:
        """Return the facts about an image, with why it cannot be shown."""
        return ImageFacts(
            int(self.widths[image]) or None,
            int(self.heights[image]) or None,
            int(self.bits[image]) or None,
            int(self.channels[image]) or None,
            problem,
        )


def images_version(connection: Connection) -> int:
    """Return the number of changes of the images."""
    query = select(VERSIONS.c.number).where(VERSIONS.c.name == IMAGES_CHANGED)
    return connection.execute(query).scalar() or 0


def images_changed(connection: Connection) -> None:
    """Count one more change of the images."""
    of_images = VERSIONS.c.name == IMAGES_CHANGED
    changed = connection.execute(
        update(VERSIONS).where(of_images).values(number=VERSIONS.c.number + 1)
    )
    if not changed.rowcount:
        connection.execute(VERSIONS.insert().values(name=IMAGES_CHANGED, number=1))


def read_images(connection: Connection) -> ProjectImages:
    """Return all images."""
    rows = connection.execute(
        select(
            IMAGES.c.digest,
            IMAGES.c.problem,
            IMAGES.c.width,
            IMAGES.c.height,
            IMAGES.c.bits,
            IMAGES.c.channels,
        ).order_by(IMAGES.c.id)
    ).all()
    count = len(rows)
    names: list[str | None] = [None] * count
    there = np.zeros(count, np.int32)
    files = select(FILES.c.path, FILES.c.image, FILES.c.gone).where(FILES.c.image.is_not(None))
    for path, image, gone in connection.execute(files):
        first = names[image]
        if not gone:
            names[image] = path if not there[image] or first is None else min(first, path)
            there[image] += 1
        elif not there[image]:
            names[image] = path if first is None else min(first, path)
    numbers = np.array([[value or 0 for value in row[2:]] for row in rows], np.int32)
    numbers = numbers.reshape(count, 4)
    return ProjectImages(
        images_version(connection),
        tuple(name or "" for name in names),
        tuple(row.digest for row in rows),
        there == 0,
        tuple(row.problem for row in rows),
        numbers[:, 0],
        numbers[:, 1],
        numbers[:, 2],
        numbers[:, 3],
        there,
    )


def note_images(connection: Connection, notes: Mapping[int, ImageFacts]) -> None:
    """Store facts about images, or the problems that they have."""
    for image, facts in notes.items():
        connection.execute(update(IMAGES).where(IMAGES.c.id == image).values(facts._asdict()))
    images_changed(connection)


def read_problems(connection: Connection) -> dict[str, str]:
    """Return the files that are there and cannot be read, with the reasons."""
    query = select(FILES.c.path, FILES.c.problem).where(~FILES.c.gone, FILES.c.problem.is_not(None))
    return {path: problem for path, problem in connection.execute(query)}


def read_files(connection: Connection, gone: bool) -> dict[str, int]:
    """Return the image of each file that is there; with `gone`, also of former ones."""
    query = select(FILES.c.path, FILES.c.image).where(FILES.c.image.is_not(None))
    rows = connection.execute(query if gone else query.where(~FILES.c.gone))
    return {path: image for path, image in rows}
