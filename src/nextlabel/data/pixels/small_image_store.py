"""The store of small images by the content of their files, so that no file is decoded twice."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nextlabel.data.pixels.grey_levels import Spread
from nextlabel.data.pixels.small_images import SmallImage
from nextlabel.files.cached_table import CachedTable

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS images (sha256 TEXT PRIMARY KEY, facts TEXT, quantiles BLOB, "
    "pixels BLOB)"
)
AT_ONCE = 500
"""Keys in one query, which SQLite limits."""


class Facts(NamedTuple):
    """A small image without its pixels: its content, its channels (0 for a failure), and so on."""

    sha256: str
    channels: int
    spread: Spread | None
    notes: tuple[str, ...]
    failure: str | None


class SmallImageStore:
    """Small images, and why others cannot be read, in an SQLite file; safe for several processes.

    Parameters
    ----------
    file : Path, optional
        The SQLite file, which belongs to one size and one way of decoding. None keeps the images
        on the disk for as long as the object lives.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._table = CachedTable(file, SCHEMA)

    def __contains__(self, sha256: str) -> bool:
        return bool(self._table.rows("SELECT 1 FROM images WHERE sha256 = ?", (sha256,)))

    def keep(self, images: Sequence[SmallImage]) -> None:
        """Store images with their content's digest; one without a digest is passed over."""
        self._table.write(
            "INSERT OR REPLACE INTO images VALUES (?, ?, ?, ?)",
            [_row(image) for image in images if image.sha256 is not None],
        )

    def known(self, contents: Sequence[str]) -> set[str]:
        """Return those contents of which there is an image or a failure."""
        return {facts.sha256 for facts in self.facts(contents)}

    def facts(self, contents: Sequence[str]) -> Iterator[Facts]:
        """Yield the facts about those of the contents that are stored, in any order."""
        for start in range(0, len(contents), AT_ONCE):
            keys = contents[start : start + AT_ONCE]
            marks = ", ".join("?" * len(keys))
            query = f"SELECT sha256, facts, quantiles FROM images WHERE sha256 IN ({marks})"
            for sha256, text, quantiles in self._table.rows(query, keys):
                facts = json.loads(text)
                channels = facts["shape"][2] if "shape" in facts else 0
                spread, notes = _spread(facts, quantiles), tuple(facts["notes"])
                yield Facts(sha256, channels, spread, notes, facts["failure"])

    def image(self, sha256: str) -> SmallImage | None:
        """Return the image of a content with its pixels; None when there is none."""
        query = "SELECT sha256, facts, quantiles, pixels FROM images WHERE sha256 = ?"
        rows = self._table.rows(query, (sha256,))
        return _image(*rows[0]) if rows else None


def _row(image: SmallImage) -> tuple[Any, ...]:
    pixels, spread = image.pixels, image.spread
    facts: dict[str, Any] = {"notes": image.notes, "failure": image.failure}
    if pixels is not None:
        facts |= {"shape": pixels.shape, "dtype": str(pixels.dtype)}
    if spread is not None:
        facts |= {"kind": spread.kind, "low": spread.low, "high": spread.high}
        facts |= {"columns": spread.quantiles.shape[1]}
    return (
        image.sha256,
        json.dumps(facts),
        None if spread is None else np.ascontiguousarray(spread.quantiles).tobytes(),
        None if pixels is None else np.ascontiguousarray(pixels).tobytes(),
    )


def _image(sha256: str, text: str, quantiles: bytes | None, pixels: bytes | None) -> SmallImage:
    facts = json.loads(text)
    array = None
    if pixels is not None:
        array = np.frombuffer(pixels, facts["dtype"]).reshape(facts["shape"])
    spread = _spread(facts, quantiles)
    return SmallImage(sha256, array, spread, tuple(facts["notes"]), facts["failure"])


def _spread(facts: Mapping[str, Any], quantiles: bytes | None) -> Spread | None:
    if quantiles is None:
        return None
    values = np.frombuffer(quantiles, np.float32).reshape(-1, facts["columns"])
    return Spread(facts["kind"], facts["low"], facts["high"], values)
