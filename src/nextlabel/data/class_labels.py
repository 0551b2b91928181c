"""Class names in their order, and labels as class numbers."""

import re

import numpy as np

from nextlabel.core.errors import DataError
from nextlabel.core.types import Labels, Task


def natural(name: str) -> tuple[list[tuple[str, int]], str]:
    """Return a key that sorts names as people do: 1, 2, 10, x; all else by code point."""
    pieces = re.split("([0-9]+)", name)
    pairs = zip(pieces[::2], [*map(int, pieces[1::2]), -1], strict=True)
    return list(pairs), name


def encode(
    task: Task, answers: list[tuple[str, ...] | None]
) -> tuple[tuple[str, ...], Labels | None]:
    """Return class names and labels, -1 where unknown; no labels when none is known.

    Names are in natural order. Raises DataError when images are
    labelled, and all of them with none of the classes.
    """
    if all(answer is None for answer in answers):
        return (), None
    names = {name for answer in answers for name in answer or ()}
    if not names:
        raise DataError(
            "every image is labelled 'none'; name at least one class", code="no-classes"
        )
    classes = tuple(sorted(names, key=natural))
    number = {name: k for k, name in enumerate(classes)}
    if task == "multiclass":
        return classes, np.array([number[a[0]] if a else -1 for a in answers], np.int64)
    labels = np.full((len(answers), len(classes)), -1, np.int64)
    for row, answer in enumerate(answers):
        if answer is not None:
            labels[row] = 0
            labels[row, [number[name] for name in answer]] = 1
    return classes, labels
