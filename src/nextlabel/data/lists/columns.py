"""Names of the columns of a manifest."""

from collections.abc import Mapping
from pathlib import Path

from nextlabel.core.errors import DataError, near

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "path": ("path", "file", "filename", "image"),
    "label": ("label", "class"),
    "labels": ("labels", "classes"),
    "split": ("split", "part", "set"),
}
IDS = {*COLUMNS["path"], "id", "ids", "name", "names", "row"}
"""Names of the column of ids or file names, in lists and in tables of numbers."""
MISSPELT = 0.8
"""The likeness to a known name, by difflib's ratio, from which a column is a misspelling."""
SHORTEST = 5
"""The least length of a known name that can be misspelt: `art` and `party` are not `part`."""
DELIMITERS = ",;\t|"


def delimiter_of(head: str) -> str:
    """Return the delimiter that splits the head into the most known columns, or most often."""

    def known(delimiter: str) -> tuple[int, int]:
        cells = {cell.strip().strip('"').lower() for cell in head.split(delimiter)}
        columns = sum(bool(cells.intersection(names)) for names in COLUMNS.values())
        return columns, head.count(delimiter)

    return max(DELIMITERS, key=known)


def columns_in(path: Path, head: list[str]) -> dict[str, int]:
    """Return the position of each known column; DataError for columns that do not fit."""
    cells = [cell.strip().lower() for cell in head]
    all_aliases = {alias for aliases in COLUMNS.values() for alias in aliases}
    twice = [cell for cell in cells if cell in all_aliases and cells.count(cell) > 1]
    if twice:
        raise DataError(
            f"{path} has the column {twice[0]!r} twice; keep one of them",
            code="manifest-column-twice",
        )
    columns = {
        name: cells.index(alias)
        for name, aliases in COLUMNS.items()
        for alias in aliases[::-1]
        if alias in cells
    }
    _check_spelling(path, head, columns)
    if "path" not in columns:
        raise DataError(
            f"{path} lacks the column 'path'; it has {', '.join(map(repr, head))}; add "
            "it, or rename the one that holds each image's path in the folder",
            code="manifest-column-missing",
        )
    if "label" in columns and "labels" in columns:
        raise DataError(
            f"{path} has both 'label' and 'labels'; keep one of them",
            code="manifest-two-label-columns",
        )
    return columns


def _check_spelling(path: Path, head: list[str], columns: Mapping[str, int]) -> None:
    """Raise DataError for a column whose name is nearly that of a missing one.

    A name that begins with a whole known name, such as `label_1`, is a column of its own.
    """
    long = {name: [a for a in COLUMNS[name] if len(a) >= SHORTEST] for name in COLUMNS}
    whole = tuple(alias for aliases in long.values() for alias in aliases)
    given = {name.rstrip("s") for name in columns}
    missing = [a for name in long if name.rstrip("s") not in given for a in long[name]]
    for cell in head:
        word = cell.strip().lower()
        meant = None if word.startswith(whole) else near(word, missing, MISSPELT)
        if meant is not None:
            raise DataError(
                f"{path} has an unknown column {cell.strip()!r}; did you mean {meant!r}? "
                f"rename it to {meant!r}, or to something less alike",
                code="manifest-column-unknown",
            )
