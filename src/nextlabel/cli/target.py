"""The place that a command writes to: checked before anything is computed."""

import os
from collections.abc import Iterable
from pathlib import Path

from nextlabel.core.errors import StoreError, UsageError

BEGINNING = 4096
"""Bytes of a file that hold the head of its table, if it has one."""


def check_target(
    path: Path, inputs: Iterable[Path] = (), suffix: str | None = None, head: str | None = None
) -> None:
    """Make the folder of `path`; refuse what could not be written before minutes are spent.

    Parameters
    ----------
    path : Path
        The file to write.
    inputs : iterable of Path
        Files that are read, and so must not be replaced.
    suffix : str, optional
        The only ending that the name may have.
    head : str, optional
        The beginning of the table that is written, which a table that is replaced must have too.

    Raises
    ------
    UsageError
        The name has another ending, or is that of a folder, of a file that is read, or of another
        table; without `head`, of a table of labels.
    StoreError
        The folder cannot be written to.
    """
    if suffix is not None and path.suffix != suffix:
        raise UsageError(
            f"{path} does not end in {suffix}; call it {path.stem or 'output'}{suffix}",
            code=f"output-not-{suffix[1:]}",
        )
    if path.is_dir():
        raise UsageError(f"{path} is a folder; give a file in it", code="output-is-folder")
    for file in inputs:
        if path.exists() and file.is_file() and path.samefile(file):
            raise UsageError(
                f"{path} is a file that is read; give another file to write", code="output-is-input"
            )
    if path.is_file() and _is_other_table(path, head):
        raise UsageError(
            f"{path} is there and holds {'labels' if head is None else 'another table'}; give "
            "another file to write",
            code="output-holds-other-table",
        )
    make_folder(path.parent)


def make_folder(folder: Path) -> None:
    """Make a folder, with those above it; StoreError when it cannot be written to."""
    reason = ""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        a_file = isinstance(error, FileExistsError)
        reason = " (it is a file)" if a_file else f" ({error.strerror})"
    if reason or not os.access(folder, os.W_OK):
        raise StoreError(
            f"{folder} cannot be written to{reason}; choose another folder",
            code="folder-not-writable",
        )


def _is_other_table(path: Path, head: str | None) -> bool:
    from nextlabel.data.lists.columns import COLUMNS, delimiter_of
    from nextlabel.data.lists.text import decoded

    with path.open("rb") as stream:
        beginning = stream.read(BEGINNING)
    try:
        lines = decoded(beginning).strip().splitlines()
    except UnicodeError:
        lines = ["\0"]  # some other content
    line = lines[0] if lines else ""
    if head is not None:
        return line != "" and not line.startswith(head)
    cells = {cell.strip().strip('"').lower() for cell in line.split(delimiter_of(line))}
    return not cells.isdisjoint((*COLUMNS["label"], *COLUMNS["labels"]))
