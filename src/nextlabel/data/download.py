"""Published files: found in a data folder or the user's cache, else downloaded; always verified."""

import hashlib
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nextlabel.core.errors import DataError, UsageError

VARIABLE = "NEXTLABEL_DATA"
BLOCK = 1 << 20
TIMEOUT = 30
Where = Literal["present", "cached", "download"]


@dataclass(frozen=True)
class Remote:
    """A published file: its folder and name here, its md5 as published, its mirrors in order.

    `shared` marks a name that other data sets use too, so that the name alone says nothing.
    """

    folder: str
    name: str
    md5: str
    urls: tuple[str, ...]
    shared: bool = False


@dataclass(frozen=True)
class Local:
    """A verified file and its sha256."""

    path: Path
    sha256: str


def cache_dir() -> Path:
    """Return the user's cache folder for data; it may not exist yet."""
    from platformdirs import user_cache_path

    return user_cache_path("nextlabel") / "data"


def digests(path: Path) -> tuple[str, str]:
    """Return a file's md5 and sha256 as hexadecimal digits."""
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            md5.update(block)
            sha256.update(block)
    return md5.hexdigest(), sha256.hexdigest()


@dataclass(frozen=True)
class FileLocator:
    """The places of files: `data_dir`, then the folder NEXTLABEL_DATA, then the cache.

    In a data folder a file is in a sub-folder named after its data set, or directly in the folder.
    """

    data_dir: Path | None = None
    progress: bool = False

    def where(self, remote: Remote) -> Where:
        """Return where the file would come from; content counts where sets share a file name."""
        if next(self._found(remote), None) is not None:
            return "present"
        return "cached" if self._cached(remote).exists() else "download"

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
        path = next(self._found(remote), None)
        if path is None:
            self._warn_of_others(remote)
            path = self._cached(remote)
        if not path.exists():
            self._download(remote, path)
        return _verify(remote, path)

    def _folders(self) -> list[Path]:
        named = os.environ.get(VARIABLE)
        return [*([self.data_dir] if self.data_dir else []), *([Path(named)] if named else [])]

    def _found(self, remote: Remote) -> Iterator[Path]:
        for folder in self._folders():
            if (folder / remote.folder / remote.name).is_file():
                yield folder / remote.folder / remote.name
            flat = folder / remote.name
            # A name that several sets share is taken for this one's only if its content is.
            if flat.is_file() and not (remote.shared and digests(flat)[0] != remote.md5):
                yield flat

    def _warn_of_others(self, remote: Remote) -> None:
        """Warn of files of this name that have the content of another data set, or are damaged."""
        for folder in self._folders():
            flat = folder / remote.name
            if flat.is_file():
                warnings.warn(
                    f"{flat} is not {remote.folder}'s, or it is truncated or altered: expected md5 "
                    f"{remote.md5}, found {digests(flat)[0]} in {flat.stat().st_size} bytes; it is "
                    "not used",
                    stacklevel=3,
                )

    def _cached(self, remote: Remote) -> Path:
        return cache_dir() / remote.folder / remote.name

    def _download(self, remote: Remote, path: Path) -> None:
        from filelock import FileLock

        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(path.with_name(f".{path.name}.lock")):
                if not path.exists():
                    self._try_mirrors(remote, path)
        except OSError as error:
            raise DataError(
                f"{remote.name} cannot be written to {path.parent} ({error.strerror or error}); "
                f"make room there, or put the file into a data folder as "
                f"{remote.folder}/{remote.name}",
                code="cache-not-writable",
            ) from error

    def _try_mirrors(self, remote: Remote, path: Path) -> None:
        failures = []
        for url in remote.urls:
            failure = self._try(url, remote, path)
            if failure is None:
                return
            failures.append(f"{url}: {failure}")
        raise DataError(
            f"{remote.name} could not be downloaded ({'; '.join(failures)}); check the network, or "
            f"put the file as {remote.folder}/{remote.name} into a folder named by --data-dir or "
            f"{VARIABLE}",
            code="download-failed",
        )

    def _try(self, url: str, remote: Remote, path: Path) -> str | None:
        """Download from one mirror; return why not, or None when the file is in place."""
        import pooch
        import requests

        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        # A server that unpacks .gz on the way would change the file.
        get = pooch.HTTPDownloader(
            progressbar=self.progress,
            chunk_size=1 << 16,
            timeout=TIMEOUT,
            headers={"Accept-Encoding": "identity"},
        )
        try:
            get(url, str(part), None)
            found, size = digests(part)[0], part.stat().st_size
            if found != remote.md5:
                return f"expected md5 {remote.md5}, found {found} in {size} bytes"
            part.replace(path)
            return None
        except requests.RequestException as error:
            return _reason(error)
        finally:
            part.unlink(missing_ok=True)


def _verify(remote: Remote, path: Path) -> Local:
    try:
        md5, sha256 = digests(path)
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror}); make it readable", code="file-unreadable"
        ) from error
    if md5 != remote.md5:
        raise DataError(
            f"{path} is truncated or altered: expected md5 {remote.md5}, found {md5} in "
            f"{path.stat().st_size} bytes; delete it to have it downloaded again",
            code="checksum-mismatch",
        )
    return Local(path, sha256)


def _reason(error: Exception) -> str:
    response = getattr(error, "response", None)
    if response is not None:
        return f"HTTP status {response.status_code}"
    return type(error).__name__
