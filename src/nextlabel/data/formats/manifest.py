"""Manifests: CSV files of images, their labels and their parts."""

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from nextlabel.core.errors import DataError
from nextlabel.core.types import Part, Task
from nextlabel.data.formats.manifest_columns import columns_in, delimiter_of
from nextlabel.files.arrays import check_regular

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
SEPARATORS = re.compile("[;|]")
NOTHING = "none"


@dataclass(frozen=True)
class Entry:
    """One image: its path within the folder, its labels (None: not known) and its part, if said."""

    name: str
    labels: tuple[str, ...] | None
    part: Part | None


@dataclass(frozen=True)
class Manifest:
    """The entries of a manifest, in its order."""

    task: Task
    entries: tuple[Entry, ...]


def read_manifest(path: Path) -> Manifest:
    """Return the entries of a CSV file with the columns path, label or labels, and split.

    Only `path` must be there; other columns are ignored, except one whose name is nearly that of a
    missing column. Separated by comma, semicolon, tab or bar; UTF-8, UTF-16 with a mark, else
    Windows-1252. A column `labels`, or any ; or | in a label, makes the task multi-label; there
    `none` means labelled as showing nothing. An empty label is an unknown one, an empty split
    leaves the image to be drawn. Raises DataError, naming the line, for what does not fit.
    """
    try:
        check_regular(path)
        text = _text(path.read_bytes())
    except OSError as error:
        raise DataError(
            f"manifest {path} cannot be read ({error.strerror}); correct it",
            code="manifest-unreadable",
        ) from error
    lines = text.splitlines()
    head = next((line for line in lines if line.strip()), "")
    if not head:
        raise DataError(
            f"manifest {path} is empty; give a head and one line for each image",
            code="manifest-empty",
        )
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(head), strict=True)
    try:
        numbered = [(rows.line_num, row) for row in rows if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise DataError(
            f"manifest {path}, line {rows.line_num}: {error}; correct it", code="manifest-not-csv"
        ) from error
    columns = columns_in(path, numbered[0][1])
    return _entries(path, columns, numbered)


def _entries(
    path: Path, columns: Mapping[str, int], numbered: list[tuple[int, list[str]]]
) -> Manifest:
    width = len(numbered[0][1])
    answer = "labels" if "labels" in columns else "label"
    multilabel = "labels" in columns
    entries: dict[str, Entry] = {}
    for line, row in numbered[1:]:
        line_name = f"manifest {path}, line {line}"
        if len(row) != width:
            raise DataError(
                f"{line_name}: {len(row)} cells under {width} columns; correct the line",
                code="manifest-line-length",
            )
        cell = {name: row[column].strip() for name, column in columns.items()}
        name = _name(line_name, cell["path"])
        if name in entries:
            raise DataError(
                f"{line_name}: {name!r} is listed a second time; list each image once",
                code="manifest-image-twice",
            )
        label = cell.get(answer, "")
        multilabel = multilabel or SEPARATORS.search(label) is not None
        labels = tuple(dict.fromkeys(w.strip() for w in SEPARATORS.split(label) if w.strip()))
        entries[name] = Entry(name, labels or None, _part(line_name, cell.get("split", "")))
    if not entries:
        raise DataError(
            f"manifest {path} does not list an image; give one line per image",
            code="manifest-empty",
        )
    if not multilabel:
        return Manifest("multiclass", tuple(entries.values()))
    return Manifest("multilabel", tuple(_nothing(entry) for entry in entries.values()))


def _nothing(entry: Entry) -> Entry:
    """Return the entry with `none` read as no finding."""
    if entry.labels is None:
        return entry
    real = tuple(label for label in entry.labels if label.lower() != NOTHING)
    return Entry(entry.name, real, entry.part)


def _text(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _name(place: str, text: str) -> str:
    """Return a path within the folder in posix form."""
    pure = PurePosixPath(text.replace("\\", "/"))
    if not text:
        raise DataError(f"{place}: the path is empty; give one", code="manifest-path-empty")
    if pure.is_absolute() or ".." in pure.parts or (pure.parts and ":" in pure.parts[0]):
        raise DataError(
            f"{place}: {text!r} leads out of the folder; give paths relative to the folder",
            code="manifest-path-outside",
        )
    return str(pure)


def _part(place: str, text: str) -> Part | None:
    if not text:
        return None
    if text.lower() not in PART_NAMES:
        raise DataError(
            f"{place}: split {text!r} is unknown; give train, validation or test, or leave it "
            "empty",
            code="split-unknown",
        )
    return PART_NAMES[text.lower()]
