"""Lists of image ids: row numbers or file names, one per line, or the first cells of a table."""

import csv
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from nextlabel.core.errors import UnknownId, UsageError
from nextlabel.core.types import Ids
from nextlabel.data.lists.columns import DELIMITERS, IDS, delimiter_of
from nextlabel.data.lists.image_names import NameIndex
from nextlabel.data.lists.text import read_text


def read_ids(path: Path, names: Sequence[str] | None, *, hint: str = "") -> Ids:
    """Return the ids in a text file: row numbers, or file names where there are some.

    Each line has one id, or cells of a table of which the first is the id; a table with a head
    may have a column `path`, `file`, `name` or `id` in any place. Empty lines and those that
    begin with # are skipped, unless a file is called so. A name may be spelled in any way that
    `NameIndex` finds: with `./`, backslashes, decomposed letters, or the same folders before
    all names. An id that comes again counts once, with a warning.

    Parameters
    ----------
    path : Path
        The file, in the encodings of `read_text`; "-" is standard input.
    names : sequence of str, optional
        The name of each row (N).
    hint : str
        The remedy for names where `names` is None.

    Returns
    -------
    Ids
        Shape (n,), in the order of the file.

    Raises
    ------
    UnknownId
        A name is unknown; the message has its line and the most similar name.
    UsageError
        The file is not text, or a line is not a number where there are no names.
    DataError
        Two names are equal but for the form of their characters.
    """
    called = "standard input" if str(path) == "-" else str(path)
    try:
        lines = read_text(path).split("\n")
    except UnicodeError as error:
        raise UsageError(
            f"{called} is not a text file; give one id per line", code="not-an-id-file"
        ) from error
    reading = _Reading(called, names, hint)
    for number, words in _entries(lines, reading.index.names):
        reading.add(number, words)
    return reading.ids()


def _entries(lines: list[str], names: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of each line and the texts that may be its id, the whole line first."""
    known = set(names)
    column, delimiter = None, ""
    first = True
    for number, line in enumerate(lines, 1):
        raw = line.removesuffix("\r")
        word = raw if raw in known else raw.strip()
        if not word or (word.startswith("#") and word not in known):
            continue
        if first:
            first, delimiter = False, delimiter_of(word)
            cells = [cell.lower() for cell in _cells(word, delimiter)]
            if word not in known and IDS.intersection(cells):
                column = min(cells.index(head) for head in IDS.intersection(cells))
                continue
        if column is not None:
            yield number, [word, *_cells(word, delimiter)[column : column + 1]]
        else:
            quoted = word.startswith('"')
            yield number, [word, *(_cells(word, d)[0] for d in DELIMITERS if quoted or d in word)]


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))]
    except (csv.Error, StopIteration):
        return [line]


class _Reading:
    """The ids of a list so far, each with its line."""

    def __init__(self, called: str, names: Sequence[str] | None, hint: str) -> None:
        self.called, self.hint = called, hint
        self.index = NameIndex(names or ())
        self.line_of: dict[int, int] = {}
        self.repeated: list[tuple[int, str, int]] = []
        self.as_in_names = 0
        self.below: list[tuple[int, str, str]] = []  # line, path and the folders before the name

    def add(self, number: int, words: list[str]) -> None:
        """Add the first of `words` that is an id; UsageError when there is none."""
        for word in words:
            row = self._row(number, word)
            if row is not None:
                if row in self.line_of:
                    self.repeated.append((number, word, self.line_of[row]))
                self.line_of.setdefault(row, number)
                return
        if self.index.names:
            raise self._unknown(number, words[-1])
        raise UsageError(
            f"{self.called}, line {number}: {words[-1]!r} is not an id; "
            f"give one whole number per line{self.hint}",
            code="not-an-id",
        )

    def _unknown(self, number: int, word: str) -> UnknownId:
        similar = self.index.suggestion(word)
        remedy = "correct it" if similar is None else f"did you mean {similar!r}?"
        return UnknownId(
            f"{self.called}, line {number}: {word!r} is not among the names; {remedy}",
            code="unknown-name",
        )

    def _row(self, number: int, word: str) -> int | None:
        row = self.index.row(word)
        if row is not None:
            self.as_in_names += 1
            return row
        if word.lstrip("-").isdecimal() and len(word) < 19:
            return int(word)
        found = self.index.find(word)
        if found is not None:
            self.below.append((number, word, found.folders))
            return found.row
        return None

    def ids(self) -> Ids:
        """Return all ids; warn of what was repeated or shortened.

        Raises UnknownId when relative paths begin with folders that not all of them have.
        """
        relative = [line for line in self.below if not _is_absolute(line[2])]
        if relative:
            number, word, folders = relative[0]
            others = [line for line in relative if line[2] != folders]
            if self.as_in_names or others:
                raise self._unknown(*(others[0][:2] if others else (number, word)))
            warnings.warn(
                f"all names in {self.called} begin with {folders!r}, which the names of the "
                "features do not; they are read without it",
                stacklevel=3,
            )
        if self.repeated:
            number, word, before = self.repeated[0]
            more = f", and {len(self.repeated) - 1} more are" if len(self.repeated) > 1 else ""
            warnings.warn(
                f"{self.called}, line {number}: {word} is in line {before} already{more}; each "
                "counts once",
                stacklevel=3,
            )
        return np.array(list(self.line_of), np.int64)


def _is_absolute(folders: str) -> bool:
    return folders.startswith("/") or ":" in folders.partition("/")[0]
