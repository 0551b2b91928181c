"""Lists of names, one for each row of an array that has none."""

from pathlib import Path

import numpy as np

from nextlabel.core.errors import DataError
from nextlabel.core.types import Array
from nextlabel.data.lists.id_list import lines_of
from nextlabel.data.lists.number_table import PARQUET_SUFFIXES, TEXT_SUFFIXES, read_parquet_names
from nextlabel.data.lists.text import read_text
from nextlabel.files.arrays import read_arrays, row_names


def read_names(path: Path, rows: int) -> tuple[str, ...]:
    """Return the name of each row (N).

    A text file has one name per line, or is a table with a head and a column `path`, `name`, `id`
    or the like; a table without one has the names first. Empty lines count as no names, and so do
    lines that begin with #, unless only with them there are N names. A Parquet file has the names
    as its index, in such a column, or as its first column of text. An .npy file is an array of
    text, and an .npz file has it under `names`, or alone.

    Parameters
    ----------
    path : Path
        The file; "-" is standard input.
    rows : int
        The number of rows, N.

    Raises
    ------
    DataError
        The file cannot be read, has another number of names, or one name twice.
    """
    suffix = path.suffix.lower()
    if suffix in (".npy", ".npz"):
        loaded = read_arrays(path)
        if isinstance(loaded, dict):
            if "names" not in loaded and len(loaded) != 1:
                raise DataError(
                    f"{path} holds {', '.join(loaded) or 'nothing'}; store the names under 'names'",
                    code="array-missing",
                )
            loaded = loaded["names"] if "names" in loaded else next(iter(loaded.values()))
        return _checked(path, np.asarray(loaded), rows)
    if suffix in PARQUET_SUFFIXES:
        return _checked(path, np.array(read_parquet_names(path), str), rows)
    text = read_text(path, "one name per line")
    lines = list(lines_of(text))
    if len(lines) < rows:
        lines = list(lines_of(text, remarks=True))
    cells = [
        line.texts[:2] if suffix in TEXT_SUFFIXES or line.has_column else line.texts[:1]
        for line in lines
    ]
    return _checked(path, np.array([texts[-1] for texts in cells], str), rows)


def _checked(path: Path, names: Array, rows: int) -> tuple[str, ...]:
    if len(names.reshape(-1)) != rows:
        raise DataError(
            f"{path} has {names.size} names for {rows} rows; give one name per row",
            code="names-count",
        )
    return row_names(path, names, (rows,))
