"""The index of a folder: the content of each file, known without reading files again."""

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from nextlabel.files.cached_table import CachedTable

SETTLED = 2.0
"""Seconds for which a file must have been the same when its stamp was taken, or it is read again:
within them a change may leave no trace in its times."""
SPARE = 1000
"""Files that are gone stay in the index up to this number, and that of the files that are there."""
SCHEMA = (
    "CREATE TABLE IF NOT EXISTS files (name BLOB PRIMARY KEY, size INTEGER, modified INTEGER, "
    "changed INTEGER, inode INTEGER, seen REAL, sha256 TEXT) WITHOUT ROWID"
)


class Stamp(NamedTuple):
    """The facts about a file that change with its content, and when they were looked up.

    `modified` and `changed` are nanoseconds; `changed` cannot be set back. `seen` is in seconds.
    """

    size: int
    modified: int
    changed: int
    inode: int
    seen: float

    @classmethod
    def of(cls, path: Path) -> "Stamp":
        """Return the stamp of a file now; OSError when there is no such file."""
        seen, status = time.time(), path.stat()
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, seen)

    def same(self, other: "Stamp") -> bool:
        """Return whether the content is surely the same as when `other`, the older one, was seen.

        It is not sure for a file that was changed just before it was seen.
        """
        quiet = max(other.modified, other.changed) / 1e9 + SETTLED <= other.seen
        return quiet and self[:4] == other[:4]


class FolderIndex:
    """Stamp and sha256 of each file of one folder, in an SQLite file; safe for several processes.

    Parameters
    ----------
    root : Path
        The folder.
    file : Path, optional
        The SQLite file; None keeps the index for as long as the object lives.
    """

    def __init__(self, root: Path, file: Path | None = None) -> None:
        self.root = root
        self._table = CachedTable(file, SCHEMA)
        self._stamps: dict[str, Stamp] = {}

    def unchanged(self, names: Sequence[str]) -> Mapping[str, str]:
        """Return the sha256 of those files that have not changed since their content was kept.

        Their stamps are looked up now, and `keep` stores these: a file that changes while it is
        read is read again the next time.
        """
        kept = {
            os.fsdecode(name): (Stamp(*stamp), sha256)
            for name, *stamp, sha256 in self._table.rows("SELECT * FROM files")
        }
        if len(kept) > 2 * len(names) + SPARE:
            self._forget_others(names)
        contents = {}
        for name in names:
            try:
                self._stamps[name] = Stamp.of(self.root / name)
            except OSError:
                continue  # reading the file says why it cannot be read
            if name in kept and self._stamps[name].same(kept[name][0]):
                contents[name] = kept[name][1]
        return contents

    def keep(self, contents: Iterable[tuple[str, str]]) -> None:
        """Store the sha256 of files by their names, after `unchanged` has taken their stamps."""
        self._table.write(
            "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (os.fsencode(name), *self._stamps[name], sha256)
                for name, sha256 in contents
                if name in self._stamps
            ],
        )

    def _forget_others(self, names: Iterable[str]) -> None:
        there = {os.fsencode(name) for name in names}
        gone = [row for row in self._table.rows("SELECT name FROM files") if row[0] not in there]
        self._table.write("DELETE FROM files WHERE name = ?", gone)
