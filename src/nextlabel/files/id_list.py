"""Text files of image ids: one row number or file name per line."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nextlabel.core.errors import UnknownId, UsageError
from nextlabel.core.types import Ids


def read_ids(path: Path, names: Sequence[str] | None) -> Ids:
    """Return the ids in a text file, one per line: numbers, or file names where there are some.

    Empty lines and those that begin with # are skipped, unless a file is called so. Raises
    UnknownId for an unknown name, UsageError for a line that is not a number, both with the line.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path} is not a text file; give one id per line", code="not-an-id-file"
        ) from error
    row_of = {name: row for row, name in enumerate(names or ())}
    ids = []
    for number, line in enumerate(lines, 1):
        raw = line.removesuffix("\r")
        word = raw if raw in row_of else raw.strip()
        if not word or (word.startswith("#") and word not in row_of):
            continue
        if word in row_of:
            ids.append(row_of[word])
        elif word.lstrip("-").isdecimal() and len(word) < 19:
            ids.append(int(word))
        elif row_of:
            raise UnknownId(
                f"{path}, line {number}: {word!r} is not among the names; correct it",
                code="unknown-name",
            )
        else:
            raise UsageError(
                f"{path}, line {number}: {word!r} is not an id; give one whole number per line",
                code="not-an-id",
            )
    return np.array(ids, np.int64)
