"""sha256 digests of files and of plain values."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def file_digest(path: Path, algorithm: str = "sha256") -> str:
    """Return the digest of a file's bytes as hexadecimal digits; OSError as `open` raises it."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()


def values_digest(values: Mapping[str, Any], *, compact: bool = True) -> str:
    """Return the sha256 of plain values; the order of their keys does not matter.

    The digest is that of JSON text with sorted keys. `compact` leaves out the spaces in it; the
    store's environments are digested with spaces, and must stay so to be found again.
    """
    separators = (",", ":") if compact else None
    text = json.dumps(values, sort_keys=True, separators=separators, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
