"""Labels in the rows of a manifest: by name, several joined by ; or |, or as columns of 0 and 1."""

import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from nextlabel.core.errors import DataError
from nextlabel.core.types import Task

SEPARATORS = re.compile("[;|]")
NOTHING = "none"
FEW = 0.5
"""The share of labelled rows below which rows of several labels are said to be the exception."""
ON, OFF = {"1", "1.0", "true"}, {"0", "0.0", "false"}

Answer: TypeAlias = tuple[str, ...] | None
"""The labels of an image; none of the classes for (), not known for None."""
Row: TypeAlias = tuple[int, list[str]]
"""The line number of a row and its cells."""


def label_text(labels: Sequence[str]) -> str:
    """Return the labels of an image as one text, as a manifest has them; "none" for none."""
    return "; ".join(labels) or NOTHING


def answers_of(
    path: Path,
    head: Sequence[str],
    columns: Mapping[str, int],
    rows: Sequence[Row],
    task: Task | None,
    wanted: bool = False,
) -> tuple[Task, list[Answer]]:
    """Return the task, and the answer of each row.

    Parameters
    ----------
    path
        The manifest, for messages.
    head
        The names of all columns.
    columns
        The positions of the known ones: `label` or `labels`, `path`, `split`.
    rows
        The rows below the head, all of the length of the head.
    task
        The task that `data.task` names; None leaves it to the rows.
    wanted
        True when the file is read for its labels alone.

    Raises
    ------
    DataError
        A row has several labels in a multi-class task, or a column of 0 and 1 an empty cell.

    Warns
    -----
    UserWarning
        Labels are wanted, and no column holds any.
    """
    for name in ("label", "labels"):
        if name in columns:
            return _by_name(path, [(line, row[columns[name]]) for line, row in rows], name, task)
    classes = [
        column
        for column in range(len(head))
        if column not in columns.values() and _is_binary(row[column] for _, row in rows)
    ]
    if len(classes) < 2:
        if classes:
            warnings.warn(
                f"{path} has the column {head[classes[0]].strip()!r} of 0 and 1, which is "
                "not read; call it 'label' if it is one",
                stacklevel=4,
            )
        elif wanted:
            warnings.warn(
                f"{path} has no column of labels, so it labels no image; it has "
                f"{', '.join(repr(cell.strip()) for cell in head)}: call the column of the classes "
                "'label'",
                stacklevel=4,
            )
        return task or "multiclass", [None] * len(rows)
    return _one_hot(path, [head[column].strip() for column in classes], classes, rows, task)


def _by_name(
    path: Path, cells: Sequence[tuple[int, str]], column: str, task: Task | None
) -> tuple[Task, list[Answer]]:
    answers: list[Answer] = []
    several: list[tuple[int, str]] = []
    for line, cell in cells:
        if SEPARATORS.search(cell):
            several.append((line, cell.strip()))
        words = (word.strip() for word in SEPARATORS.split(cell))
        answers.append(tuple(dict.fromkeys(word for word in words if word)) or None)
    if task == "multiclass":
        for (line, cell), answer in zip(cells, answers, strict=True):
            if len(answer or ()) > 1:
                raise _several(path, line, repr(cell.strip()))
        return "multiclass", answers
    if task is None and column == "label" and not several:
        return "multiclass", answers
    labelled = sum(answer is not None for answer in answers)
    if task is None and column == "label" and len(several) < FEW * labelled:
        line, cell = several[0]
        others = f" and {len(several) - 1} more" if len(several) > 1 else ""
        warnings.warn(
            f"{path} is read as multi-label because of line {line} ({cell!r}){others}; correct it "
            'if each image has one label. In an experiment, data.task = "multiclass" refuses '
            "such lines",
            stacklevel=5,
        )
    return "multilabel", [without_nothing(answer) for answer in answers]


def _several(path: Path, line: int, shown: str) -> DataError:
    return DataError(
        f"{path}, line {line}: {shown} is not one label, and the task is multi-class; "
        'correct the line, or set data.task = "multilabel"',
        code="manifest-several-labels",
    )


def without_nothing(answer: Answer) -> Answer:
    """Return the answer with `none` read as no finding."""
    if answer is None:
        return None
    return tuple(label for label in answer if label.lower() != NOTHING)


def _is_binary(cells: Iterable[str]) -> bool:
    """Return whether all cells are 0, 1 or empty, and at least one is not empty."""
    words = {cell.strip().lower() for cell in cells}
    return words != {""} and words <= ON | OFF | {""}


def _one_hot(
    path: Path, names: Sequence[str], classes: Sequence[int], rows: Sequence[Row], task: Task | None
) -> tuple[Task, list[Answer]]:
    answers: list[Answer] = []
    for line, row in rows:
        words = [row[column].strip().lower() for column in classes]
        if not any(words):
            answers.append(None)
            continue
        if "" in words:
            raise DataError(
                f"{path}, line {line}: column {names[words.index('')]!r} is empty and "
                "others are not; give 0 or 1 in each, or leave all empty for an unknown label",
                code="manifest-label-incomplete",
            )
        answers.append(tuple(n for n, word in zip(names, words, strict=True) if word in ON))
    odd = [
        (line, answer)
        for (line, _), answer in zip(rows, answers, strict=True)
        if answer is not None and len(answer) != 1
    ]
    if task == "multiclass" and odd:
        line, answer = odd[0]
        raise _several(path, line, " and ".join(map(repr, answer)) or "a row without a 1")
    return task or ("multilabel" if odd else "multiclass"), answers
