"""Lists of image ids: row numbers or file names, one per line, or the first cells of a table."""

import csv
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nextlabel.core.errors import UsageError
from nextlabel.core.types import Ids
from nextlabel.data.lists.columns import DELIMITERS, IDS, delimiter_of
from nextlabel.data.lists.image_names import NameIndex
from nextlabel.data.lists.text import read_text
from nextlabel.files.standard_input import title


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
        A line is not a number where there are no names.
    DataError
        The file is not text, or two names are equal but for the form of their characters.
    """
    called = title(path)
    text = read_text(path, "one id per line")
    index = NameIndex(names or ())
    lines = list(lines_of(text, index.names))
    numbers = [None if _named(index, line.texts) else _number(line.texts) for line in lines]
    rows = index.rows(
        [line.texts if n is None else () for n, line in zip(numbers, lines, strict=True)], called
    )
    line_of: dict[int, int] = {}
    repeated: list[tuple[int, str, int]] = []
    for (line, words, _), number, row in zip(lines, numbers, rows, strict=True):
        image_id = row if number is None else number
        if image_id is None and index.names:
            raise index.unknown(f"{called}, line {line}", words[-1])
        if image_id is None:
            raise UsageError(
                f"{called}, line {line}: {words[-1]!r} is not an id; "
                f"give one whole number per line{hint}",
                code="not-an-id",
            )
        if image_id in line_of:
            repeated.append((line, words[0], line_of[image_id]))
        line_of.setdefault(image_id, line)
    if repeated:
        line, word, before = repeated[0]
        more = f", and {len(repeated) - 1} more are" if len(repeated) > 1 else ""
        warnings.warn(
            f"{called}, line {line}: {word} is in line {before} already{more}; each counts once",
            stacklevel=2,
        )
    return np.array(list(line_of), np.int64)


def _named(index: NameIndex, words: Sequence[str]) -> bool:
    return any(index.row(word) is not None for word in words)


def _number(words: Sequence[str]) -> int | None:
    """Return the first whole number that fits into int64."""
    whole = (word for word in words if word.lstrip("-").isdecimal() and len(word) < 19)
    return next((int(word) for word in whole), None)


class Line(NamedTuple):
    """A line of a list: its number, and the texts that may be its id.

    The first text is the whole line; `has_column` says that the second is in the column of ids.
    """

    number: int
    texts: list[str]
    has_column: bool


def lines_of(text: str, names: Sequence[str] = (), *, remarks: bool = False) -> Iterator[Line]:
    """Yield the lines of a list that are not empty, without its head, if it has one.

    Parameters
    ----------
    text : str
        The list.
    names : sequence of str
        Known names: none of them is taken for a head, or for a remark when it begins with #.
    remarks : bool
        Whether to yield lines that begin with # too.
    """
    all_names = set(names)
    column, delimiter = None, ""
    first = True
    for number, line in enumerate(text.split("\n"), 1):
        raw = line.removesuffix("\r")
        word = raw if raw in all_names else raw.strip()
        if not word or (word.startswith("#") and word not in all_names and not remarks):
            continue
        if first:
            first, delimiter = False, delimiter_of(word)
            cells = [cell.lower() for cell in _cells(word, delimiter)]
            if word not in all_names and IDS.intersection(cells):
                column = min(cells.index(head) for head in IDS.intersection(cells))
                continue
        if column is not None:
            yield Line(number, [word, *_cells(word, delimiter)[column : column + 1]], True)
        else:
            quoted = word.startswith('"')
            cells = [_cells(word, d)[0] for d in DELIMITERS if quoted or d in word]
            yield Line(number, [word, *cells], False)


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))]
    except (csv.Error, StopIteration):
        return [line]
