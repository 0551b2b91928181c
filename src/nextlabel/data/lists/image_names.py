"""Names of images, found again in every spelling that a list may have for them."""

import os
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from nextlabel.core.errors import DataError, near

MOST_COMPARED = 20_000
"""Names compared for a suggestion, which takes some microseconds each."""
LENGTHS = 3
"""Characters by which a suggestion may be longer or shorter."""


def composed(name: str) -> str:
    """Return a name in Unicode's composed form (NFC): `ü` is one character, as on most systems.

    A Mac gives file names in the decomposed form, with `ü` as `u` and two dots.
    """
    return unicodedata.normalize("NFC", name)


def as_path(text: str) -> str:
    """Return a path with `/` only, without `./` and `//`; `file://` and `~/` are resolved.

    Unicode stays as it is. `..` stays too.
    """
    if text.lower().startswith("file://"):
        text = unquote(urlsplit(text).path)
        if text[2:3] == ":":  # file:///C:/photos
            text = text[1:]
    text = text.replace("\\", "/")
    if text.startswith("~/"):
        text = os.path.expanduser(text).replace("\\", "/")  # noqa: PTH111 - keeps text as text
    root = "/" if text.startswith("/") else ""
    return root + "/".join(part for part in text.split("/") if part not in ("", "."))


class Found(NamedTuple):
    """The row of a name, and the folders before it in the list, "" where there are none."""

    row: int
    folders: str


class NameIndex:
    """The rows of names (N), by any spelling of them.

    A spelling is equal when it is the same after `as_path` and `composed`. The exact spelling
    comes first, so a name with a backslash finds itself.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names

    @cached_property
    def _exact(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.names)}

    @cached_property
    def _alike(self) -> dict[str, list[int]]:
        rows: dict[str, list[int]] = defaultdict(list)
        for row, name in enumerate(self.names):
            rows[composed(as_path(name))].append(row)
        return rows

    def row(self, text: str) -> int | None:
        """Return the row of a name, None when no name is spelled so.

        Raises
        ------
        DataError
            Two names are equal after composing (code "name-ambiguous").
        """
        if text in self._exact:
            return self._exact[text]
        return self._row_of(composed(as_path(text)), text)

    def find(self, text: str) -> Found | None:
        """Return the row of a path that ends in a name: absolute, or with folders before it.

        The longest such name counts. Raises DataError as `row` does.
        """
        row = self.row(text)
        if row is not None:
            return Found(row, "")
        path = composed(as_path(text))
        parts = path.split("/")
        for cut in range(1, len(parts)):
            row = self._row_of("/".join(parts[cut:]), text)
            if row is not None:
                return Found(row, "/".join(parts[:cut]) + "/")
        return None

    def _row_of(self, path: str, text: str) -> int | None:
        rows = self._alike.get(path, ())
        if len(rows) > 1:
            first, second = (self.names[row] for row in rows[:2])
            raise DataError(
                f"{text!r} may be {first!a} or {second!a}, which are equal but for the "
                "form of their characters; rename one of the two",
                code="name-ambiguous",
            )
        return rows[0] if rows else None

    def suggestion(self, text: str) -> str | None:
        """Return the most similar name, None when no name is similar."""
        path = composed(as_path(text))
        last = path.rpartition("/")[2].casefold()
        for name in self.names:
            if name.rpartition("/")[2].casefold() == last:
                return name
        similar = [name for name in self.names if abs(len(name) - len(path)) <= LENGTHS]
        return near(path, similar[:MOST_COMPARED], 0.7)
