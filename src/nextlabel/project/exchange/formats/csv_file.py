"""CSV: one line per file, as `--labels` reads it.

A spreadsheet takes a cell that begins with = + - or @ for a formula. A path that does is written
with ./ before it, which means the same file; a note and a name of a person with an apostrophe.
Names of classes stay as they are, and those that could be a formula are refused when they are
added.
"""

import csv
from pathlib import Path
from typing import ClassVar

from nextlabel.data.lists.manifest import read_labels
from nextlabel.project.exchange.content import Content
from nextlabel.project.exchange.formats import register
from nextlabel.project.exchange.given_answers import Given, Reading, in_order
from nextlabel.project.exchange.timestamps import time_text
from nextlabel.project.labelling.layout import printable
from nextlabel.project.labelling.project import Project

FORMULA = ("=", "+", "-", "@", "\t", "\r")
NOTHING = "none"
"""The label of an image that shows no class, in a multi-label project."""


@register("csv")
class CsvFile:
    """Paths and labels in a table of text."""

    title: ClassVar[str] = "CSV"
    suffix: ClassVar[str] = ".csv"

    def write(self, content: Content, target: Path, link: bool) -> None:
        """Write a line per file; several labels are joined by a semicolon."""
        several = content.task == "multilabel"
        with target.open("w", encoding="utf-8", newline="") as stream:
            table = csv.writer(stream, lineterminator="\n")
            table.writerow(
                ["path", "labels" if several else "label", "state", "person", "answered_at",
                 "flagged", "note", "prediction", "confidence", "sha256"]
            )  # fmt: skip
            for row in content.rows:
                table.writerow(
                    [
                        path_cell(row.path),
                        joined(row.labels, several),
                        row.state,
                        _text(row.person),
                        time_text(row.answered_at),
                        "yes" if row.flagged else "",
                        _text(row.note),
                        joined(row.prediction, several),
                        "" if row.confidence is None else f"{row.confidence:.4f}",
                        row.sha256,
                    ]
                )

    def fits(self, path: Path) -> bool:
        """Return whether a file has the suffix of a table of text."""
        return path.suffix.lower() in (".csv", ".tsv", ".txt")

    def read(self, path: Path, project: Project) -> Reading:
        """Return the labels of a CSV file as `read_labels` takes it."""
        image_of = project.files(gone=True)
        names = list(image_of)
        unknown: list[str] = []
        _, labels = read_labels(path, names, project.task, missing="skip", left_out=unknown)
        given = [
            Given(image_of[name], labels=label)
            for name, label in zip(names, labels, strict=True)
            if label is not None
        ]
        classes = in_order(name for one in given for name in one.labels)
        return Reading(given, classes, tuple(unknown))


def joined(names: tuple[str, ...] | None, several: bool) -> str:
    """Return class names as one cell: "" where there is no label, "none" for none of them."""
    if names is None:
        return ""
    return "; ".join(names) or (NOTHING if several else "")


def path_cell(path: str) -> str:
    """Return a path as a cell that is not a formula and keeps its first space."""
    shown = printable(path)
    return f"./{shown}" if shown.startswith((*FORMULA, " ")) else shown


def _text(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text
