"""Rows of float16 on disk, each found by a digest of what it was computed from.

Two files that only grow: PATH holds the rows, and PATH.keys one record of 32 bytes for each, after
a first record that gives the number of columns. Rows are on the disk before their keys are
written, so a process that is killed at any moment leaves whole rows; at most a part of a record
follows them, which is cut off.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.errors import DataError
from nextlabel.core.types import Array, Ids

KEY = 32
"""Bytes of a key, which is a sha256, and of the first record."""
HEAD = b"nextlabel rows 1, columns "
DTYPE = np.dtype("<f2")


@dataclass(frozen=True)
class RowCache:
    """A cache of rows; one process at a time may append, any number may read."""

    path: Path

    @property
    def keys_path(self) -> Path:
        """The file of the keys."""
        return self.path.with_name(f"{self.path.name}.keys")

    def find(self, keys: Sequence[bytes]) -> Ids:
        """Return the position of the row of each key, and -1 for a key without a row.

        Parameters
        ----------
        keys
            Digests of 32 bytes.
        """
        _, count = self._extent()
        if not count:
            return np.full(len(keys), -1, np.int64)
        with self.keys_path.open("rb") as stream:
            stream.seek(KEY)
            stored = stream.read(count * KEY)
        positions = {stored[i : i + KEY]: i // KEY for i in range(0, len(stored), KEY)}
        return np.array([positions.get(key, -1) for key in keys], np.int64)

    def rows(self) -> NDArray[np.float16]:
        """Return all rows (n, columns) as a read-only memory-mapped array."""
        columns, count = self._extent()
        if not count:
            return np.empty((0, columns), DTYPE)
        return np.memmap(self.path, DTYPE, "r", shape=(count, columns))

    def append(self, keys: Sequence[bytes], rows: Array) -> None:
        """Write rows, and then their keys, each safely on the disk.

        Parameters
        ----------
        keys
            A digest of 32 bytes for each row.
        rows
            Float16 rows (n, columns).

        Raises
        ------
        DataError
            When the file has rows of another number of columns.
        OSError
            When the disk is full, for example; whole rows that were written before stay.
        """
        columns, count = self._extent()
        if count and columns != rows.shape[1]:
            raise DataError(
                f"{self.path} holds rows of {columns} columns, not of {rows.shape[1]}; remove it",
                code="features-of-another-network",
            )
        head = HEAD + str(rows.shape[1]).encode()
        width = rows.shape[1] * DTYPE.itemsize
        _extend(self.path, count * width, np.ascontiguousarray(rows, DTYPE).tobytes())
        start = (1 + count) * KEY if count else 0
        _extend(self.keys_path, start, (b"" if count else head.ljust(KEY)) + b"".join(keys))

    def touch(self) -> None:
        """Mark the files as used now."""
        for path in (self.path, self.keys_path):
            if path.exists():
                path.touch()

    def _extent(self) -> tuple[int, int]:
        """Return the columns, and the number of whole rows that have a key."""
        try:
            with self.keys_path.open("rb") as stream:
                head = stream.read(KEY)
                size = os.fstat(stream.fileno()).st_size
            written = self.path.stat().st_size
        except FileNotFoundError:
            return 0, 0
        digits = head.removeprefix(HEAD).strip()
        if not head.startswith(HEAD) or not digits.isdigit() or int(digits) < 1:
            return 0, 0
        columns = int(digits)
        return columns, min(size // KEY - 1, written // (columns * DTYPE.itemsize))


def _extend(path: Path, size: int, data: bytes) -> None:
    """Cut a file to `size` bytes, and write `data` after them and onto the disk, or nothing."""
    with path.open("ab", buffering=0) as stream:
        stream.truncate(size)
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[stream.write(rest) :]
            os.fsync(stream.fileno())
        except OSError:
            stream.truncate(size)
            raise
