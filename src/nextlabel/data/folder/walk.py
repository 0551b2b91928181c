"""The walk through a folder: the files that can be read, and what is left out and why."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from pathlib import Path, PurePosixPath

from nextlabel.core.errors import DataError
from nextlabel.files.output_mark import NAMES, is_output, written_files

HIDDEN = (".", "__MACOSX")
"""The starts of names that are passed over, as in a listing of the folder."""

Reason = Callable[[Path], str | None]
"""Returns why a file is not read, in the same words for all files of a kind; None if it is."""


@dataclass
class Group:
    """Files or links of one kind: how many there are, and the first of them by name."""

    count: int = 0
    first: str = ""

    def add(self, name: str) -> None:
        """Count one more."""
        self.first = min(self.first, name) if self.count else name
        self.count += 1


@dataclass
class Walk:
    """The result of a walk below a folder; all names are relative to it, with "/".

    Parameters
    ----------
    names
        The files to read, sorted.
    unread
        The files that are not read, by suffix (in lower case, "" for none) and reason.
    outside
        Links that lead out of the folder and are not followed.
    repeated
        Links to files and folders that are read already under another name.
    outputs
        Folders that nextlabel, or another tool's cache, has written.
    """

    names: list[str] = field(default_factory=list)
    unread: dict[tuple[str, str], Group] = field(default_factory=dict)
    outside: Group = field(default_factory=Group)
    repeated: Group = field(default_factory=Group)
    outputs: Group = field(default_factory=Group)


def walk(root: Path, reason: Reason, follow_links: bool = False) -> Walk:
    """Return the files below `root` that `reason` says nothing against.

    Each file and folder is read once: under its own name where it has one within `root`, else
    under the first link to it. Hidden files and folders, whose names begin with a dot, and
    __MACOSX are passed over, but a link may lead to them.

    Parameters
    ----------
    root : Path
        The folder; it is read even if it is a link, hidden or marked as an output.
    reason : callable
        Says why a file is not read, None if it is.
    follow_links : bool
        Follow links that lead out of `root`, too.

    Raises
    ------
    DataError
        A folder cannot be read (code "folder-unreadable").
    """
    return _Walker(root, reason, follow_links).walk()


class _Walker:
    """One walk: first all but the links, then these in the order of their names."""

    def __init__(self, root: Path, reason: Reason, follow_links: bool) -> None:
        self.root, self.reason, self.follow_links = root, reason, follow_links
        self.real_root = os.path.realpath(root)
        self.result = Walk()
        self.links: list[str] = []  # a heap
        self.folders: set[str] = set()
        self.files: set[str] | None = None  # needed for links alone

    def walk(self) -> Walk:
        self._folder("", self.real_root)
        if self.links:
            self.files = {f"{self.real_root}/{name}" for name in self.result.names}
        while self.links:
            self._link(heappop(self.links))
        self.result.names.sort()
        return self.result

    def _folder(self, name: str, real: str) -> None:
        """Read a folder and those below it, and note the links."""
        waiting = [(name, real)]
        while waiting:
            name, real = waiting.pop()
            if real in self.folders:
                self.result.repeated.add(name)
                continue
            inside = self._listed(name)
            if name and is_output(entry.name for entry in inside):
                self.result.outputs.add(name)
                continue
            self.folders.add(real)
            noted = any(entry.name == NAMES for entry in inside)
            written = written_files(self.root / name) if noted else set()
            for entry in inside:
                if entry.name.startswith(HIDDEN) or entry.name in written:
                    continue
                below = f"{name}/{entry.name}" if name else entry.name
                if entry.is_symlink():
                    heappush(self.links, below)
                elif entry.is_dir():
                    waiting.append((below, f"{real}/{entry.name}"))
                else:
                    self._file(below, f"{real}/{entry.name}")

    def _listed(self, name: str) -> list[os.DirEntry[str]]:
        folder = self.root / name
        try:
            with os.scandir(folder) as entries:
                return list(entries)
        except OSError as error:
            raise DataError(
                f"{folder} cannot be read ({error.strerror}); make it readable",
                code="folder-unreadable",
            ) from error

    def _link(self, name: str) -> None:
        try:
            target = os.path.realpath(self.root / name, strict=True)
            is_folder = Path(target).is_dir()
        except OSError:  # it leads nowhere or round; reading the file will say so
            self._file(name, name)
            return
        outside = not f"{target}/".startswith(f"{self.real_root}/")
        if is_folder and outside and not self.follow_links:
            self.result.outside.add(name)
        elif is_folder:
            self._folder(name, target)
        else:
            self._file(name, target, outside)

    def _file(self, name: str, real: str, outside: bool = False) -> None:
        reason = self.reason(self.root / name)
        if reason is not None:
            suffix = PurePosixPath(name).suffix.lower()
            self.result.unread.setdefault((suffix, reason), Group()).add(name)
        elif self.files is not None and real in self.files:
            self.result.repeated.add(name)
        elif outside and not self.follow_links:
            self.result.outside.add(name)
        else:
            self.result.names.append(name)
            if self.files is not None:
                self.files.add(real)
