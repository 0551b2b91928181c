"""Tables of numbers, one row per image, in CSV and Parquet files."""

import io
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nextlabel.core.errors import DataError, UsageError
from nextlabel.core.types import Array
from nextlabel.data.lists.columns import COLUMNS, IDS, delimiter_of
from nextlabel.data.lists.text import read_text
from nextlabel.files.arrays import check_regular
from nextlabel.files.standard_input import title

if TYPE_CHECKING:
    import pandas as pd

TEXT_SUFFIXES = (".csv", ".tsv")
PARQUET_SUFFIXES = (".parquet", ".pq")
ARRAY_HEADS = (b"\x93NUMPY", b"PK")
"""The first bytes of .npy and .npz files."""
PARQUET_HEAD = b"PAR1"
INDEX = {"", "index", "unnamed: 0", "__index_level_0__"}
"""Heads that pandas gives to the column of an index without a name."""


@dataclass(frozen=True, eq=False)
class NumberTable:
    """Numbers (N, d), and the name and the part of each row where the file has them."""

    numbers: Array
    names: tuple[str, ...] | None
    part: tuple[str, ...] | None


def is_table(path: Path, content: bytes | None = None) -> bool:
    """Return whether a file is a table: by the end of its name, or by its bytes where given."""
    if content is not None:
        return not content.startswith(ARRAY_HEADS)
    return path.suffix.lower() in TEXT_SUFFIXES + PARQUET_SUFFIXES


def read_number_table(path: Path, content: bytes | None = None) -> NumberTable:
    """Return the numbers of a CSV or Parquet file, and the names of its rows.

    Names are the index of a Parquet file, the column `path`, `file`, `name`, `id` or the like, or
    a first column of text; whole numbers 0 … N - 1 are row numbers and no names. A column `split`
    gives the parts; a column of labels is left out, with a warning. A CSV file needs no head if
    its first row has numbers. A Parquet file may hold vectors in a column.

    Parameters
    ----------
    path : Path
        The file.
    content : bytes, optional
        The bytes of the file, if they have been read already, as those of standard input.

    Raises
    ------
    DataError
        The file cannot be read, or a cell is not a number.
    UsageError
        The package that reads Parquet is not installed.
    """
    if path.suffix.lower() in PARQUET_SUFFIXES or (content or b"").startswith(PARQUET_HEAD):
        frame = _parquet(path, content)
    else:
        frame = _csv(title(path), read_text(path, "a CSV file of numbers", content))
    return _table(title(path), frame)


def read_parquet_names(path: Path) -> tuple[str, ...]:
    """Return the names in a Parquet file: its index, or its column of ids or of text.

    Raises
    ------
    DataError
        The file cannot be read, or has no names.
    UsageError
        The package that reads Parquet is not installed.
    """
    frame = _parquet(path)
    column = _name_column(frame)
    names = frame.index.tolist() if column is None else frame.iloc[:, column].tolist()
    if column is None and not _is_named(frame):
        raise DataError(
            f"{path} has neither an index nor a column of names; save it with the names as index",
            code="table-without-names",
        )
    return tuple(map(str, names))


def _parquet(path: Path, content: bytes | None = None) -> "pd.DataFrame":
    try:
        import pyarrow
    except ImportError as error:
        raise UsageError(
            f"{title(path)} is a Parquet file, and the package pyarrow is not installed; install "
            "it by pip install 'nextlabel[parquet]', or save the rows as .npy or .csv",
            code="parquet-not-installed",
        ) from error
    import pandas as pd

    try:
        if content is None:
            check_regular(path)
        return pd.read_parquet(path if content is None else io.BytesIO(content), engine="pyarrow")
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror or error}); check the path",
            code="file-unreadable",
        ) from error
    except (pyarrow.ArrowException, ValueError) as error:
        reason = (str(error).splitlines() or [""])[0]
        raise DataError(
            f"{title(path)} is not a Parquet file, or it is damaged ({reason}); save it again",
            code="table-damaged",
        ) from error


def _csv(path: str, text: str) -> "pd.DataFrame":
    import pandas as pd

    lines = [line for line in text.splitlines() if line.strip()]
    lines = lines[
        next((i for i, line in enumerate(lines) if not line.startswith("#")), len(lines)) :
    ]
    if not lines:
        raise DataError(
            f"{path} is empty; give one row of numbers for each image", code="table-empty"
        )
    delimiter = delimiter_of(lines[0])
    spaces = delimiter not in lines[0]
    cells = lines[0].split(None if spaces else delimiter)
    comma = delimiter == ";" and "," in lines[-1] and "." not in lines[-1]
    try:
        return pd.read_csv(
            io.StringIO("\n".join(lines)),
            sep=r"\s+" if spaces else delimiter,
            header=None if _is_headless(cells) else 0,
            decimal="," if comma else ".",
            skipinitialspace=True,
            keep_default_na=False,
        )
    except (pd.errors.ParserError, ValueError) as error:
        reason = str(error).strip().removeprefix("Error tokenizing data. C error: ")
        raise DataError(
            f"{path} is not a table of numbers ({reason}); give each row the same columns",
            code="table-damaged",
        ) from error


def _is_headless(cells: Sequence[str]) -> bool:
    """Return whether the first row has numbers, those of a head 0, 1, 2 … by pandas excepted."""
    words = [cell.strip().strip('"') for cell in cells]
    numbers = words if _is_number(words[0]) else words[1:]
    counted = len(words) > 1 and numbers == [str(k) for k in range(len(numbers))]
    return bool(numbers) and all(map(_is_number, numbers)) and not counted


def _is_number(word: str) -> bool:
    try:
        float(word.replace(",", "."))
    except ValueError:
        return False
    return True


def _table(path: str, frame: "pd.DataFrame") -> NumberTable:
    named = _name_column(frame)
    names = frame.index.tolist() if _is_named(frame) else None
    if named is not None:
        names = frame.iloc[:, named].tolist()
    heads = [str(head).strip().lower() for head in frame.columns]
    part = None
    arrays: list[Array] = []
    for column, head in enumerate(heads):
        values = frame.iloc[:, column]
        if column == named:
            continue
        if head in COLUMNS["split"] and _is_text(values):
            part = tuple(map(str, values))
        elif head in COLUMNS["label"] + COLUMNS["labels"]:
            warnings.warn(
                f"the column {frame.columns[column]!r} of {path} holds labels and is not read as a "
                "feature",
                stacklevel=5,
            )
        else:
            arrays.append(_numbers(path, frame.columns[column], values))
    if not arrays:
        raise DataError(f"{path} has no column of numbers; add some", code="table-without-numbers")
    numbers = np.concatenate([a if a.ndim == 2 else a[:, None] for a in arrays], axis=1)  # [N, d]
    return NumberTable(numbers, _as_names(names), part)


def _is_named(frame: "pd.DataFrame") -> bool:
    """Return whether the index of a table is more than the numbers of its rows."""
    import pandas as pd

    return not isinstance(frame.index, pd.RangeIndex)


def _name_column(frame: "pd.DataFrame") -> int | None:
    """Return the position of the column of names: by its head, or a first column of text."""
    if _is_named(frame):
        return None
    heads = [str(head).strip().lower() for head in frame.columns]
    for column, head in enumerate(heads):
        if head in IDS:
            return column
    return 0 if heads[:1] and (heads[0] in INDEX or _is_text(frame.iloc[:, 0])) else None


def _is_text(values: "pd.Series[Any]") -> bool:
    import pandas as pd

    return not pd.api.types.is_numeric_dtype(values) and not _holds_vectors(values)


def _as_names(values: Iterable[Any] | None) -> tuple[str, ...] | None:
    """Return names as text, None for the numbers of the rows."""
    if values is None:
        return None
    listed = list(values)
    numbered = all(isinstance(value, int) for value in listed)
    return None if numbered and listed == list(range(len(listed))) else tuple(map(str, listed))


def _holds_vectors(values: "pd.Series[Any]") -> bool:
    return values.dtype == object and len(values) > 0 and np.ndim(values.iloc[0]) == 1


def _numbers(path: str, head: object, values: "pd.Series[Any]") -> Array:
    """Return the numbers of a column (N), or (N, d) of vectors; DataError naming a row."""
    import pandas as pd

    if _holds_vectors(values):
        lengths = {np.shape(row) for row in values}
        if len(lengths) > 1:
            raise DataError(
                f"the column {head!r} of {path} has rows of shapes {sorted(lengths)}; give rows of "
                "one length",
                code="rows-of-unequal-lengths",
            )
        return np.stack(values.to_list())
    if pd.api.types.is_numeric_dtype(values):
        dtype = float if values.hasnans else None
        return np.asarray(values.to_numpy(dtype=dtype))
    numbers = pd.to_numeric(values, errors="coerce")
    bad = np.flatnonzero(numbers.isna().to_numpy())
    row = int(bad[0]) if bad.size else 0
    raise DataError(
        f"the column {head!r} of {path} holds {values.iloc[row]!r} in row {row}, which is not a "
        "number; correct it, or leave the column out",
        code="table-cell-not-a-number",
    )
