"""What a person's file of arrays calls its rows."""

from pathlib import Path

from nextlabel.core.errors import DataError
from nextlabel.core.types import Array


def texts(file: Path | str, values: Array) -> tuple[str, ...]:
    """Return values (N) as text, bytes read as UTF-8; DataError for bytes that are none."""
    try:
        return tuple(v.decode() if isinstance(v, bytes) else str(v) for v in values)
    except UnicodeDecodeError as error:
        raise DataError(f"{file} holds names that are no UTF-8; store them as text") from error


def row_names(file: Path | str, names: Array, shape: tuple[int, ...]) -> tuple[str, ...]:
    """Return names of features of `shape` as text; DataError unless each row has its own."""
    if names.ndim != 1 or names.shape != shape[:1]:
        raise DataError(
            f"{file} holds names of shape {names.shape} for features of shape {shape}; give one "
            "name for each row"
        )
    found = texts(file, names)
    first: dict[str, int] = {}
    for row, text in enumerate(found):
        if first.setdefault(text, row) != row:
            raise DataError(
                f"{file} has {len(set(found))} different names for {len(found)} rows: both row "
                f"{first[text]} and row {row} are called {text!r}; give each image a name of its "
                "own"
            )
    return found
