"""Published files of data sets: found where people keep them, else downloaded; always verified."""

import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nextlabel.core.errors import UsageError
from nextlabel.files.digest import file_digest
from nextlabel.files.download import fetch, user_cache, verify

VARIABLE = "NEXTLABEL_DATA"
Where = Literal["present", "cached", "download"]


@dataclass(frozen=True)
class Remote:
    """A published file: its folder and name here, its md5 as published, its mirrors in order.

    `md5` is None where none is published, and `urls` is empty where the file is not published as
    it is, such as one that was unpacked. `shared` marks a name that other data sets use too, so
    that the name alone says nothing. `folders` are more folders of this set, as other programs
    name them; `home` is one in the user's home.
    """

    folder: str
    name: str
    md5: str | None
    urls: tuple[str, ...] = ()
    shared: bool = False
    folders: tuple[str, ...] = ()
    home: str | None = None

    @property
    def published(self) -> str | None:
        """The digest with its algorithm."""
        return None if self.md5 is None else f"md5:{self.md5}"


@dataclass(frozen=True)
class Local:
    """A verified file and its sha256."""

    path: Path
    sha256: str


@dataclass(frozen=True)
class FileLocator:
    """The places of files: `data_dir`, the folder NEXTLABEL_DATA, the user's home, the cache.

    In a data folder a file is in a folder of its data set, which may be a level deeper, or directly
    in the data folder.
    """

    data_dir: Path | None = None
    progress: bool = False

    def where(self, remote: Remote) -> Where:
        """Return where the file would come from; content counts where sets share a file name."""
        for path, named in self._places(remote):
            if path.is_file() and (named or not remote.shared or _has_content(path, remote)):
                return "present"
        return "cached" if self._cached(remote).exists() else "download"

    def form(self, forms: Sequence[Sequence[Remote]]) -> Sequence[Remote]:
        """Return the first form of a data set of which all files are there; else the first one.

        Parameters
        ----------
        forms : sequence of sequences of Remote
            The files of each form in which people keep the set, the best form first. The first
            one can be downloaded.
        """
        for where in ("present", "cached"):
            for form in forms:
                if all(self.where(remote) == where for remote in form):
                    return form
        return forms[0]

    def fetch(self, remote: Remote) -> Local:
        """Return the verified file; download it when it is not in any of the places.

        Raises UsageError for a data folder that does not exist, DataError for a file whose
        checksum is wrong and for one that no mirror gives.
        """
        for folder in self._folders():
            if not folder.is_dir():
                raise UsageError(
                    f"data folder {folder} does not exist; create it or correct it",
                    code="no-such-data-folder",
                )
        others = []
        for path, named in self._places(remote):
            if path.is_file():
                if named or _has_content(path, remote):
                    return Local(path, verify(path, remote.published))
                others.append(path)
        for path in others if remote.md5 is not None else ():
            warnings.warn(
                f"{path} is not {remote.folder}'s, or it is truncated or altered: expected md5 "
                f"{remote.md5}, found {file_digest(path, 'md5')} in {path.stat().st_size} bytes; "
                "it is not used",
                stacklevel=2,
            )
        path = self._cached(remote)
        remedy = (
            f"put the file as {remote.folder}/{remote.name} into a folder named by --data-dir or "
            f"{VARIABLE}"
        )
        sha256 = fetch(remote.urls, path, remote.published, remedy=remedy, progress=self.progress)
        return Local(path, sha256)

    def _folders(self) -> list[Path]:
        named = os.environ.get(VARIABLE)
        return [*([self.data_dir] if self.data_dir else []), *([Path(named)] if named else [])]

    def _places(self, remote: Remote) -> Iterator[tuple[Path, bool]]:
        """Yield where the file may be, and whether the place names the data set.

        A file in a place that names the set is the set's, so a wrong checksum is an error. One in
        another place is taken only for its content.
        """
        names = (remote.folder, *remote.folders)
        for folder in self._folders():
            for name in names:
                yield folder / name / remote.name, True
            for path in (folder / remote.name, folder / "raw" / remote.name):
                parent = path.parent.absolute().as_posix()
                yield path, not remote.shared or any(parent.endswith(f"/{n}") for n in names)
            for inner in sorted(folder.glob("*/")):
                for name in names:
                    yield inner / name / remote.name, True
        if remote.home is not None:
            yield Path.home() / remote.home / remote.name, False

    def _cached(self, remote: Remote) -> Path:
        return user_cache("data") / remote.folder / remote.name


def unverified(remotes: Iterable[Remote]) -> dict[str, str]:
    """Return a note on the files for which no checksum is published; none when all have one."""
    names = [remote.name for remote in remotes if remote.md5 is None]
    return {"no published checksum": ", ".join(names)} if names else {}


def _has_content(path: Path, remote: Remote) -> bool:
    return remote.md5 is not None and file_digest(path, "md5") == remote.md5
