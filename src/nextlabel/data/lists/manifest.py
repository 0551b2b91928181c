"""Manifests: CSV files of images, their labels and their parts."""

import csv
import io
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from nextlabel.core.errors import DataError
from nextlabel.core.types import Part, Task
from nextlabel.data.formats.kinds import has_image_suffix
from nextlabel.data.lists.answers import Answer, answers_of
from nextlabel.data.lists.columns import columns_in, delimiter_of
from nextlabel.data.lists.image_names import NameIndex
from nextlabel.data.lists.paths import PathsBelow
from nextlabel.data.lists.text import read_text
from nextlabel.files.digest import content_digest

PART_NAMES: Mapping[str, Part] = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "val": "validation",
    "valid": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
HEADLESS = {"path": 0, "label": 1}
"""The columns of a file without a head."""

Lines = Sequence[tuple[str, str]]
"""The name of each line, for messages, and the path in it."""


@dataclass(frozen=True)
class Entry:
    """One image: its path within the folder, its labels (None: not known) and its part, if said."""

    name: str
    labels: Answer
    part: Part | None


@dataclass(frozen=True)
class Manifest:
    """The entries of a manifest, in its order."""

    task: Task
    entries: tuple[Entry, ...]


def project_labels_name(content: bytes) -> str:
    """Return the file name of a manifest of a project's labels; it follows from the content."""
    return f"labels-{content_digest(content)[:16]}.csv"


def holds_project_labels(path: Path) -> bool:
    """Say whether a manifest has a name of `project_labels_name`."""
    return re.fullmatch(r"labels-[0-9a-f]{16}\.csv", path.name) is not None


def read_manifest(path: Path, root: Path | None = None, task: Task | None = None) -> Manifest:
    """Return the entries of a CSV file with the columns path, label or labels, and split.

    Only `path` must be there. Several labels of an image are joined by ; or |, which makes the
    task multi-label unless `task` says otherwise; so does a column called `labels`. There `none`
    means labelled as showing nothing. Columns of 0 and 1, two or more and no column of labels,
    are classes: one 1 in each row is multi-class, else multi-label. An empty label is an unknown
    one, an empty split leaves the image to be drawn. Other columns are ignored. A file of one or
    two columns, path and label, needs no head if its first path is an image of the folder.

    Parameters
    ----------
    path : Path
        The file: separated by comma, semicolon, tab or bar, in the encodings of `read_text`.
    root : Path, optional
        The folder of the images; by default the folder of the file. Paths are relative to it or
        to the file, or absolute, with `~` or as `file://`; all must lead into it.
    task : str, optional
        "multiclass" refuses a row of several labels, "multilabel" reads one label as a finding.

    Returns
    -------
    Manifest
        The names of its entries are paths below `root`, as the disk spells them.

    Raises
    ------
    DataError
        Something does not fit; the message names the line.

    Warns
    -----
    UserWarning
        A few rows of several labels make the task multi-label.
    """
    below = PathsBelow(path.parent if root is None else root, path.parent)

    def names_of(lines: Lines) -> list[str | None]:
        return [below.name(line_name, text) for line_name, text in lines]

    return _read(path, names_of, below.is_image, task)


def read_labels(
    path: Path,
    names: Sequence[str],
    task: Task | None = None,
    missing: Literal["refuse", "skip"] = "refuse",
    left_out: list[str] | None = None,
) -> tuple[Task, list[Answer]]:
    """Return the task, and the labels of each of `names` (N) by a file as `read_manifest` has it.

    None is an image without a label or without a line; an empty tuple shows no finding. Paths are
    found in every spelling that `NameIndex.rows` allows.

    Parameters
    ----------
    path : Path
        The file.
    names : sequence of str
        The names of the images (N).
    task : str, optional
        "multiclass" or "multilabel"; None leaves it to the rows.
    missing : str
        "refuse" raises an error for a path that is not among the names; "skip" leaves such lines
        out with a warning, and refuses a file in which no path is.
    left_out : list of str, optional
        Takes the paths that are left out, in the place of the warning.

    Raises
    ------
    DataError
        Something does not fit; the message names the line.
    UnknownId
        A path is not among the names.

    Warns
    -----
    UserWarning
        No column holds labels, or lines are left out.
    """
    index = NameIndex(names)
    unknown: list[tuple[str, str]] = []

    def names_of(lines: Lines) -> list[str | None]:
        rows = index.rows([(text,) for _, text in lines], str(path))
        unknown.extend(line for line, row in zip(lines, rows, strict=True) if row is None)
        if unknown and (missing == "refuse" or len(unknown) == len(lines)):
            raise index.unknown(*unknown[0], "images")
        return [None if row is None else names[row] for row in rows]

    def is_image(text: str) -> bool:
        return index.row(text) is not None or index.row_below(text) is not None

    manifest = _read(path, names_of, is_image, task, labels_wanted=True)
    if left_out is not None:
        left_out += [text for _, text in unknown]
    elif unknown:
        first = str(index.unknown(*unknown[0], "images"))
        warnings.warn(
            f"{len(unknown)} line(s) are left out, since there is no such image: {first}",
            stacklevel=2,
        )
    answer_of = {entry.name: entry.labels for entry in manifest.entries}
    return manifest.task, [answer_of.get(name) for name in names]


def _read(
    path: Path,
    names_of: Callable[[Lines], list[str | None]],
    is_image: Callable[[str], bool],
    task: Task | None,
    labels_wanted: bool = False,
) -> Manifest:
    numbered = _rows(path)
    head = numbered[0][1]
    first = head[0].strip()
    if len(head) in (1, 2) and (is_image(first) or has_image_suffix(first)):
        columns = {name: column for name, column in HEADLESS.items() if column < len(head)}
        head = list(columns)
    else:
        columns = columns_in(path, head)
        numbered = numbered[1:]
    if not numbered:
        raise DataError(
            f"{path} does not list an image; give one line per image",
            code="manifest-empty",
        )
    for line, row in numbered:
        if len(row) != len(head):
            raise DataError(
                f"{path}, line {line}: {len(row)} cells under {len(head)} columns; "
                "correct the line",
                code="manifest-line-length",
            )
    lines = [(f"{path}, line {n}", row[columns["path"]].strip()) for n, row in numbered]
    places: dict[str, int] = {}
    kept: list[tuple[int, list[str]]] = []
    entries: list[Entry] = []
    for (line, row), (line_name, _), name in zip(numbered, lines, names_of(lines), strict=True):
        if name is None:
            continue
        if name in places:
            raise DataError(
                f"{line_name}: {name!r} is in line {places[name]} already; list each image once",
                code="manifest-image-twice",
            )
        places[name] = line
        kept.append((line, row))
        split = row[columns["split"]].strip() if "split" in columns else ""
        entries.append(Entry(name, None, _part(line_name, split)))
    read_as, answers = answers_of(path, head, columns, kept, task, labels_wanted)
    labelled = (
        replace(entry, labels=answer) for entry, answer in zip(entries, answers, strict=True)
    )
    return Manifest(read_as, tuple(labelled))


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """Return the rows that are not empty, with their line numbers; DataError without any."""
    text = read_text(path, "a CSV file")
    head = next((line for line in text.splitlines() if line.strip()), "")
    if not head:
        raise DataError(
            f"{path} is empty; give a head and one line for each image",
            code="manifest-empty",
        )
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(head), strict=True)
    try:
        return [(rows.line_num, row) for row in rows if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise DataError(
            f"{path}, line {rows.line_num}: {error}; correct it", code="manifest-not-csv"
        ) from error


def _part(line_name: str, text: str) -> Part | None:
    if not text:
        return None
    if text.lower() not in PART_NAMES:
        raise DataError(
            f"{line_name}: split {text!r} is unknown; give train, validation or test, or leave it "
            "empty",
            code="split-unknown",
        )
    return PART_NAMES[text.lower()]
