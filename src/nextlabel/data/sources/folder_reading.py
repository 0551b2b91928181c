"""The reading of the images of a folder: small images on one grey scale, and what failed."""

import hashlib
import os
import threading
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nextlabel.data.formats.base import Undecodable, Wanted
from nextlabel.data.lists.manifest import Entry
from nextlabel.data.pixels.grey_levels import GreyLevels, Spread
from nextlabel.data.pixels.small_images import SmallImage, read_small_images
from nextlabel.data.sources.folder_settings import FolderSettings
from nextlabel.files.arrays import check_regular


def wanted(settings: FolderSettings) -> Wanted:
    """Return how the settings of a folder read one file."""
    channels = settings.channels
    return Wanted(
        max_pixels=settings.max_pixels,
        channels=channels if isinstance(channels, tuple) else None,
        page=settings.page,
        project=settings.project,
        windowed=settings.range is None,
    )


class FolderReading:
    """Small images of a folder, what failed, notes, and a digest of names and contents.

    The digest is the sha256 over each file's name, a zero byte and the sha256 of its bytes (32
    bytes; none for a file that cannot be read), in the order of names.
    """

    def __init__(self, root: Path, size: int, settings: FolderSettings) -> None:
        self.root, self.size, self.settings = root, size, settings
        self.images: list[SmallImage] = []
        self.names: list[str] = []
        self.failures: list[str] = []
        self.notes: dict[str, str] = {}
        self.said: dict[str, list[str]] = {}
        self.digest = hashlib.sha256()

    def read(self, entries: Sequence[Entry], progress: bool) -> list[int]:
        """Read all; return the rows of the entries that could be."""
        from tqdm import tqdm

        tqdm.set_lock(threading.RLock())  # its own is a semaphore that killed workers leave behind
        paths = [self.root / entry.name for entry in entries]
        images = read_small_images(paths, self.size, wanted(self.settings))
        rows = []
        bar = tqdm(zip(entries, images, strict=True), "images", len(paths), disable=not progress)
        for row, (entry, image) in enumerate(bar):
            if self._take(entry.name, image):
                rows.append(row)
        if self.failures:
            self.notes["skipped"] = "\n".join(self.failures)
        return rows

    def _take(self, name: str, image: SmallImage) -> bool:
        """Keep an image, or why it is left out; return whether it is kept."""
        self.digest.update(os.fsencode(name) + b"\0" + bytes.fromhex(image.sha256 or ""))
        failure = image.failure
        if _printable(name) != name:
            failure = "its name holds a line break or is not valid UTF-8; rename it"
        if failure is not None:
            self.failures.append(f"{_printable(name)}: {failure}")
            return False
        self.images.append(image)
        self.names.append(name)
        for note in image.notes:
            self.said.setdefault(note, []).append(name)
        return True

    def stack(self) -> NDArray[np.uint8]:
        """Return all images as uint8 (N, C, size, size); the single images are dropped.

        Warnings say once what is special about files, with their number.
        """
        deep: dict[str, Spread] = {
            name: image.spread
            for name, image in zip(self.names, self.images, strict=True)
            if image.spread is not None
        }
        by_channel = isinstance(self.settings.channels, tuple)
        levels = GreyLevels.over(deep, self.settings.range, by_channel=by_channel)
        self.notes.update(levels.notes)
        for note, names in self.said.items():
            warnings.warn(f"{len(names)} image(s) ({names[0]} first): {note}", stacklevel=4)
        for warning in levels.warnings:
            warnings.warn(warning, stacklevel=4)
        channels = max((_channels(image) for image in self.images), default=1)
        out = np.empty((len(self.images), channels, self.size, self.size), np.uint8)
        for row, image in enumerate(self.images):
            assert image.pixels is not None
            kind = None if image.spread is None else image.spread.kind
            out[row] = levels.eight_bit(image.pixels, kind).transpose(2, 0, 1)
        self.images.clear()
        return out


def _channels(image: SmallImage) -> int:
    assert image.pixels is not None
    return 1 if image.pixels.shape[2] == 1 else 3


def _bytes(path: Path) -> bytes:
    """Return the content of a file; Undecodable when it cannot be read."""
    try:
        check_regular(path)
        return path.read_bytes()
    except OSError as error:
        raise Undecodable(str(error.strerror or error), code="file-unreadable") from error


def contents(root: Path, entries: Sequence[Entry]) -> list[str]:
    """Return the sha256 of each file; for one that cannot be read, the reason."""
    found = []
    for entry in entries:
        try:
            found.append(hashlib.sha256(_bytes(root / entry.name)).hexdigest())
        except Undecodable as error:
            found.append(str(error))
    return found


def _printable(name: str) -> str:
    """Return a name that is one line of valid text: itself where it is so already."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return text.replace("\n", "\\n").replace("\r", "\\r")
