"""Artefacts on disk, addressed by all that decides their content, so each is computed once."""

import re
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, TypeAlias, TypeVar
from zipfile import BadZipFile

from nextlabel.core.errors import StoreError
from nextlabel.features.shared_files import SharedFiles
from nextlabel.files.atomic import replacing
from nextlabel.files.digest import values_digest
from nextlabel.files.output_mark import make_output

T = TypeVar("T")
CacheLocation: TypeAlias = Path | str
"""The location of a cache: a folder, or an fsspec URL that several machines share."""

OURS = re.compile(r"[0-9a-f]{64}(\.partial|\.lock|\.keys)?")
"""Names of the files that the cache makes; other files in its folder are not touched."""


@dataclass(frozen=True)
class CacheSize:
    """The size of the cache: entries, bytes, and bytes by kind."""

    entries: int
    bytes: int
    by_kind: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Cache:
    """A folder of artefacts, one file each under its kind; safe for several processes at once.

    With `shared`, artefacts are looked up there next, and written there too: a folder is that of
    one machine then. Decoded images stay on the machine.
    """

    folder: Path
    shared: SharedFiles | None = None
    _waits: list[float] = field(default_factory=list, repr=False, compare=False)

    @classmethod
    def open(cls, location: CacheLocation | None = None) -> "Cache":
        """Return the cache at a location, as `at`; StoreError if it cannot be made."""
        opened = cls.at(location)
        try:
            make_output(opened.folder, cache=True)
        except OSError as error:
            raise StoreError(
                f"cannot make the cache folder {opened.folder} ({error.strerror}); "
                "give another by --cache-dir",
                code="cache-not-writable",
            ) from error
        if opened.shared is not None:
            opened.shared.check()
        return opened

    @classmethod
    def at(cls, location: CacheLocation | None = None) -> "Cache":
        """Return the cache at a location, whether it is there or not.

        Parameters
        ----------
        location
            A folder, by default the user's; or an fsspec URL such as s3://bucket/cache, which is
            used in addition to the user's folder.
        """
        shared = SharedFiles(location) if isinstance(location, str) and "://" in location else None
        if location is None or shared is not None:
            import platformdirs

            location = Path(platformdirs.user_cache_dir("nextlabel")) / "artefacts"
        return cls(Path(location).absolute(), shared)

    @property
    def location(self) -> CacheLocation:
        """The location that `at` makes the cache from."""
        return self.folder if self.shared is None else self.shared.url

    @property
    def shown(self) -> str:
        """The location without a password, for messages."""
        return str(self.folder) if self.shared is None else self.shared.shown

    def get(
        self,
        kind: str,
        identity: Mapping[str, Any],
        make: Callable[[], T],
        save: Callable[[T, Path], None],
        load: Callable[[Path], T],
        *,
        reload: bool = False,
    ) -> tuple[T, bool]:
        """Return the artefact of this identity, and whether it was there already.

        The first process makes it while the others wait. A file that cannot be read, cut short
        by a full disk for example, is made again. One that cannot be saved is returned all the
        same, with a warning. With `reload`, one that was made just now
        is read back from its file too, so that it is a memory-mapped array where `load` gives one.
        """
        path = self.path(kind, identity)
        shared = None if reload else self.shared
        name = f"{path.parent.name}/{path.name}"
        with self.locked(path):
            if path.exists() or (shared is not None and shared.fetch(name, path)):
                kept = _read(path, load)
                if kept is not None:
                    path.touch()
                    return kept, True
            made = make()
            keep(path, made, save)
            if shared is not None and path.exists():
                shared.put(name, path)
            if reload and path.exists():
                made = _read(path, load) or made
        return made, False

    def path(self, kind: str, identity: Mapping[str, Any]) -> Path:
        """Return the file of an artefact, whether it is there or not.

        Parameters
        ----------
        kind
            The folder of artefacts like it.
        identity
            All that decides its content, as plain values.
        """
        return self.folder / kind / values_digest(identity)

    @contextmanager
    def locked(self, path: Path) -> Iterator[None]:
        """Let no other process into a block of code that makes the file at `path`.

        Parameters
        ----------
        path
            A file of the cache; its folder is made where it is missing.

        Raises
        ------
        StoreError
            When the folder cannot be written.
        """
        from filelock import FileLock

        lock = FileLock(f"{path}.lock")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            clock = time.perf_counter()
            lock.acquire()
            self._waits.append(time.perf_counter() - clock)
        except OSError as error:
            raise StoreError(
                f"cache folder {self.folder} cannot be written ({error.strerror or error}); make "
                "room there, or give another --cache-dir",
                code="cache-not-writable",
            ) from error
        try:
            yield
        finally:
            lock.release()

    @property
    def waited(self) -> float:
        """The seconds spent so far on waiting for what another process made."""
        return sum(self._waits)

    def has(self, kind: str, identity: Mapping[str, Any]) -> bool:
        """Say whether there is an artefact of this identity in the folder."""
        return self.path(kind, identity).exists()

    def size(self) -> CacheSize:
        """Return how much the cache holds."""
        return _measure(self._files(), self.folder)

    def prune(self, older_than_days: float | None = None) -> CacheSize:
        """Remove artefacts not used for that many days, or all; return what was removed.

        Files that the cache did not make stay in the folder.
        """
        limit = time.time() - (older_than_days or 0) * 86400
        old = [f for f in self._files() if older_than_days is None or f.stat().st_mtime < limit]
        removed = _measure(old, self.folder)
        for file in old:
            file.unlink(missing_ok=True)
        if older_than_days is None:
            locks = self._made()
            for lock in locks:
                lock.unlink(missing_ok=True)
            for emptied in {file.parent for file in (*old, *locks)}:
                with suppress(OSError):  # something else lies there, or a run makes it again
                    emptied.rmdir()
        return removed

    def _files(self) -> list[Path]:
        return [file for file in self._made() if file.suffix != ".lock"]

    def _made(self) -> list[Path]:
        return [f for f in self.folder.glob("*/*") if OURS.fullmatch(f.name) and f.is_file()]


def _read(path: Path, load: Callable[[Path], T]) -> T | None:
    try:
        return load(path)
    except (OSError, ValueError, KeyError, EOFError, RuntimeError, BadZipFile, UnpicklingError):
        path.unlink(missing_ok=True)
        return None


def keep(path: Path, made: T, save: Callable[[T, Path], None]) -> None:
    """Write an artefact to its file; warn where the disk does not take it.

    Parameters
    ----------
    path
        The file, in the folder of its kind, which is made where it is missing.
    made, save
        The artefact, and the function that writes it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as partial:
            save(made, partial)
    except (OSError, RuntimeError) as error:  # torch.save wraps what the disk says
        said = getattr(error, "strerror", None) or " ".join(str(error).split())[:100]
        warnings.warn(
            f"cache folder {path.parent.parent} cannot be written ({said}); what it lacks is made "
            "again each time, so make room there, or give another --cache-dir",
            stacklevel=2,
        )


def _measure(files: list[Path], folder: Path) -> CacheSize:
    by_kind: dict[str, int] = {}
    for file in files:
        subfolder = file.relative_to(folder).parts[0]
        by_kind[subfolder] = by_kind.get(subfolder, 0) + file.stat().st_size
    return CacheSize(len(files), sum(by_kind.values()), by_kind)
