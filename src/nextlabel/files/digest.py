"""Digests of bytes, of files and of plain values."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from io import BufferedReader
from pathlib import Path
from typing import Any

CHUNK = 1 << 20


def content_digest(content: bytes) -> str:
    """Return the sha256 of bytes as hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def stream_digest(stream: BufferedReader, algorithm: str = "sha256") -> str:
    """Return the digest of what an open file holds, as hexadecimal digits."""
    return hashlib.file_digest(stream, algorithm).hexdigest()


def file_digest(path: Path, algorithm: str = "sha256") -> str:
    """Return the digest of a file's bytes as hexadecimal digits; OSError as `open` raises it."""
    with path.open("rb") as stream:
        return stream_digest(stream, algorithm)


def file_digests(path: Path, algorithms: Iterable[str] = ("md5", "sha256")) -> dict[str, str]:
    """Return digests of a file by algorithm, as hexadecimal digits; the file is read once."""
    hashes = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            for one in hashes.values():
                one.update(chunk)
    return {name: one.hexdigest() for name, one in hashes.items()}


def values_digest(values: Mapping[str, Any], *, compact: bool = True) -> str:
    """Return the sha256 of plain values; the order of their keys does not matter.

    The digest is that of JSON text with sorted keys. `compact` leaves out the spaces in it; the
    store's environments and classifiers are digested with spaces, and must stay so to be found
    again.
    """
    separators = (",", ":") if compact else None
    text = json.dumps(values, sort_keys=True, separators=separators, default=str)
    return content_digest(text.encode())
