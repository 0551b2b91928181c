"""Files of feature rows, of probabilities and of ids."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nextlabel.core.errors import DataError, UnknownId, UsageError
from nextlabel.core.names import row_names
from nextlabel.core.numpy_file import read_arrays
from nextlabel.core.types import Array, Ids, as_ids


class Features(NamedTuple):
    """Rows (N, d), a memory map where the file allows it, and what it says of them.

    `names` are file names; `held` (M) int64 the rows of validation and test images.
    """

    rows: Array
    names: tuple[str, ...] | None
    held: Ids = as_ids(())


def read_features(path: Path) -> Features:
    """Return the rows in an .npy file, or in an .npz file under `features` or alone.

    Raises DataError when the file holds something else.
    """
    loaded = read_arrays(path)
    if isinstance(loaded, np.ndarray):
        return Features(loaded, None)
    names = loaded.pop("names", None)
    if "features" not in loaded and len(loaded) != 1:
        inside = ", ".join(sorted(loaded)) or "nothing"
        raise DataError(f"{path} holds {inside}; store the rows under the name 'features'")
    rows = loaded["features"] if "features" in loaded else next(iter(loaded.values()))
    part = np.asarray(loaded.get("part", ()))
    held = np.flatnonzero((part == "validation") | (part == "test"))
    named = None if names is None else row_names(path, names, rows.shape)
    return Features(rows, named, as_ids(held))


def read_ids(path: Path, names: Sequence[str] | None) -> Ids:
    """Return the ids in a text file, one a line: numbers, or file names where there are some.

    Empty lines and those that begin with # are skipped, unless a file is called so. Raises
    UnknownId for an unknown name, UsageError for what is no number, both with the line.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no text; give one id a line") from error
    known = {name: row for row, name in enumerate(names or ())}
    ids = []
    for number, line in enumerate(lines, 1):
        raw = line.removesuffix("\r")
        word = raw if raw in known else raw.strip()
        if not word or (word.startswith("#") and word not in known):
            continue
        if word in known:
            ids.append(known[word])
        elif word.lstrip("-").isdecimal() and len(word) < 19:
            ids.append(int(word))
        elif known:
            raise UnknownId(f"{path}, line {number}: {word!r} is not among the names; correct it")
        else:
            raise UsageError(
                f"{path}, line {number}: {word!r} is no id; give a whole number a line"
            )
    return np.array(ids, np.int64)
