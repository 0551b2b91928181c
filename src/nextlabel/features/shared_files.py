"""Files at an fsspec URL that several machines share: read whole or not at all, without locks."""

import hashlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from nextlabel.core.errors import StoreError, hide_passwords
from nextlabel.files.atomic import replacing
from nextlabel.files.digest import stream_digest

T = TypeVar("T")
DIGEST = 64
"""Bytes in front of each file's content: its sha256 in hexadecimal digits."""
CHUNK = 1 << 20


@dataclass(frozen=True)
class SharedFiles:
    """Files under a URL such as s3://bucket/cache; a file is named after what decides its content.

    Each file begins with the digest of its content, so that one which is being written or was cut
    short is not taken. Two machines that write the same file write the same content.
    """

    url: str

    @property
    def shown(self) -> str:
        """The URL without user and password, for messages."""
        return hide_passwords(self.url)

    def check(self) -> None:
        """Raise StoreError unless files can be written there."""
        try:
            system, root = self._root()
            system.makedirs(root, exist_ok=True)
        except Exception as error:  # each file system has errors of its own
            raise StoreError(
                f"{self.shown} cannot be used as a cache ({self._said(error)}); check the address, "
                "the rights and the package of its protocol, or give a folder by --cache-dir",
                code="cache-url-unusable",
            ) from error

    def fetch(self, name: str, path: Path) -> bool:
        """Copy a file to `path`; False when it is not there, or not whole."""

        def copy(system: Any, at: str) -> bool:
            if not system.exists(at):
                return False
            seen = hashlib.sha256()
            with system.open(at, "rb") as source, replacing(path) as partial:
                digest = source.read(DIGEST)
                with partial.open("wb") as target:
                    while chunk := source.read(CHUNK):
                        seen.update(chunk)
                        target.write(chunk)
                if digest != seen.hexdigest().encode():
                    raise _Cut
            return True

        try:
            return self._try("read", name, copy) or False
        except _Cut:
            return False

    def put(self, name: str, path: Path) -> None:
        """Write a file with the content of `path`."""

        def copy(system: Any, at: str) -> None:
            with path.open("rb") as source:
                digest = stream_digest(source)
                source.seek(0)
                system.makedirs(at.rpartition("/")[0], exist_ok=True)
                with system.open(at, "wb") as target:
                    target.write(digest.encode())
                    while chunk := source.read(CHUNK):
                        target.write(chunk)

        self._try("written", name, copy)

    def remove(self, name: str) -> None:
        """Remove a file."""
        self._try("removed", name, lambda system, at: system.rm(at))

    def _try(self, done: str, name: str, work: Callable[[Any, str], T]) -> T | None:
        """Do something with a file; an error is a warning, since the cache saves time alone."""
        try:
            system, root = self._root()
            return work(system, f"{root}/{name}")
        except _Cut:
            raise
        except Exception as error:  # each file system has errors of its own
            warnings.warn(
                f"the cache at {self.shown} cannot be {done} ({self._said(error)}); the fit is "
                "made here, so check the address and the rights, or give another --cache-dir",
                stacklevel=2,
            )
            return None

    def _root(self) -> tuple[Any, str]:
        from fsspec.core import url_to_fs  # type: ignore[import-untyped]

        system, root = url_to_fs(self.url)
        return system, root.rstrip("/")

    def _said(self, error: Exception) -> str:
        said = " ".join(str(error).split()) or type(error).__name__
        return hide_passwords(said.replace(self.url, self.shown))[:150]


class _Cut(Exception):
    """A file is shorter than it was, or is being written."""
