"""Names of images, found again in every spelling that a list may have for them."""

import os
import unicodedata
import warnings
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import NamedTuple, TypeVar
from urllib.parse import unquote, urlsplit

from nextlabel.core.errors import DataError, UnknownId, near

T = TypeVar("T")

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
    return root + "/".join(step for step in text.split("/") if step not in ("", "."))


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

    def row_below(self, text: str) -> Found | None:
        """Return the row of a path that ends in a name and has folders before it.

        The longest such name counts. Raises DataError as `row` does.
        """
        path = composed(as_path(text))
        steps = path.split("/")
        for cut in range(1, len(steps)):
            row = self._row_of("/".join(steps[cut:]), text)
            if row is not None:
                return Found(row, "/".join(steps[:cut]) + "/")
        return None

    def rows(self, lines: Sequence[Sequence[str]], called: str) -> list[int | None]:
        """Return the row of each line of a list (n), None where no name fits.

        Absolute paths may have any folders before the name. Relative paths may have some too, if
        all of them have the same ones, and no line is a name without them.

        Parameters
        ----------
        lines : sequence of sequences of str
            The texts of each line that may be its name; the first that is one counts.
        called : str
            The list, for the warning.

        Raises
        ------
        DataError
            Two names are equal after composing (code "name-ambiguous").

        Warns
        -----
        UserWarning
            Folders before relative paths are left out.
        """
        rows = [_first(self.row(word) for word in words) for words in lines]
        below = {
            i: match
            for i, words in enumerate(lines)
            if rows[i] is None and (match := _first(self.row_below(word) for word in words))
        }
        relative = {match.folders for match in below.values() if not _is_absolute(match.folders)}
        left_out = relative if len(relative) == 1 and not any(r is not None for r in rows) else ()
        for i, match in below.items():
            if match.folders in left_out or _is_absolute(match.folders):
                rows[i] = match.row
        for folders in left_out:
            warnings.warn(
                f"all names in {called} begin with {folders!r}, which the names of the images do "
                "not; they are read without it",
                stacklevel=4,
            )
        return rows

    def unknown(self, where: str, text: str, of: str = "names") -> UnknownId:
        """Return the error for a name that no row has, with the most similar name."""
        similar = self.suggestion(text)
        remedy = "correct it" if similar is None else f"did you mean {similar!r}?"
        return UnknownId(
            f"{where}: {text!r} is not among the {of}; {remedy}", code="unknown-image-name"
        )

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
        files = [(name, name.rpartition("/")[2].casefold()) for name in self.names]
        for name, file in files:
            if last in (file, file.rpartition(".")[0]):  # the suffix may be missing
                return name
        similar = [name for name in self.names if abs(len(name) - len(path)) <= LENGTHS]
        return near(path, similar[:MOST_COMPARED], 0.7)


def _first(values: Iterable[T | None]) -> T | None:
    return next((value for value in values if value is not None), None)


def _is_absolute(folders: str) -> bool:
    return folders.startswith("/") or ":" in folders.partition("/")[0]
