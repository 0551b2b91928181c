"""The reading of the images of a folder, one file after the other."""

import hashlib
import os
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nextlabel.data.formats.base import Undecodable, Wanted
from nextlabel.data.formats.images import decode
from nextlabel.data.lists.manifest import Entry
from nextlabel.data.resize import Pixels, resize, stretch
from nextlabel.files.arrays import check_regular


class FolderReading:
    """Images read one by one: small pixels, what failed, and a digest of names and bytes.

    The digest is the sha256 over each file's name, a zero byte, its length (8 bytes, little
    endian) and its bytes, in the order of names.
    """

    def __init__(self, root: Path, size: int, max_pixels: int) -> None:
        self.root, self.size, self.max_pixels = root, size, max_pixels
        self.pixels: list[Pixels] = []
        self.failures: list[str] = []
        self.notes: dict[str, str] = {}
        self.digest = hashlib.sha256()
        self.low, self.high = 65535, 0

    def read(self, entries: Sequence[Entry], progress: bool) -> list[int]:
        """Read all; return the rows of the entries that could be."""
        from tqdm import tqdm

        tqdm.set_lock(threading.RLock())  # its own is a semaphore that killed workers leave behind
        rows = []
        for row, entry in enumerate(tqdm(entries, "images", disable=not progress)):
            try:
                self.pixels.append(self._read(entry.name))
                rows.append(row)
            except Undecodable as error:
                self.failures.append(f"{_printable(entry.name)}: {error}")
        if self.failures:
            self.notes["skipped"] = "\n".join(self.failures)
        return rows

    def _read(self, name: str) -> Pixels:
        data = _bytes(self.root / name)
        self.digest.update(_framed(name, data))
        if _printable(name) != name:
            raise Undecodable(
                "its name holds a line break or is not valid UTF-8; rename it",
                code="image-name-invalid",
            )
        pixels = decode(data, Wanted(self.max_pixels)).pixels
        if pixels.dtype == np.uint16:
            self.low = min(self.low, int(pixels.min()))
            self.high = max(self.high, int(pixels.max()))
        return resize(pixels, self.size)

    def stack(self) -> NDArray[np.uint8]:
        """Return all images as uint8 (N, C, size, size); the single images are dropped."""
        channels = max((p.shape[2] for p in self.pixels), default=1)
        out = np.empty((len(self.pixels), channels, self.size, self.size), np.uint8)
        deep = sum(pixels.dtype == np.uint16 for pixels in self.pixels)
        if deep:
            self.notes["16-bit range"] = f"{self.low} to {self.high} in {deep} images"
        for row, pixels in enumerate(self.pixels):
            eight = stretch(pixels, self.low, self.high) if pixels.dtype == np.uint16 else pixels
            out[row] = eight.transpose(2, 0, 1)
        self.pixels.clear()
        return out


def _bytes(path: Path) -> bytes:
    """Return the content of a file; Undecodable when it cannot be read."""
    try:
        check_regular(path)
        return path.read_bytes()
    except OSError as error:
        raise Undecodable(str(error.strerror or error), code="file-unreadable") from error


def _framed(name: str, data: bytes) -> bytes:
    return os.fsencode(name) + b"\0" + len(data).to_bytes(8, "little") + data


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
