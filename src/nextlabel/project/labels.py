"""Labels that a person has given: from files or from Python, for the images of a folder."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from nextlabel.core.errors import DataError, UsageError, nearest
from nextlabel.core.types import Ids, Labels, Task, as_names
from nextlabel.data.class_labels import encode
from nextlabel.data.lists.answers import Answer, label_text, without_nothing
from nextlabel.data.lists.manifest import read_labels

SHOWN = 5
"""Names of classes that a warning lists."""


@dataclass(frozen=True, eq=False)
class KnownLabels:
    """The labelled images of a folder.

    Parameters
    ----------
    task : str
        "multiclass" or "multilabel".
    classes : tuple of str
        The names of the K classes.
    ids : int64 array (n)
        The rows of the labelled images.
    labels : int64 array (n) or (n, K)
        Their labels: class numbers, or 0 and 1 per class.
    """

    task: Task
    classes: tuple[str, ...]
    ids: Ids
    labels: Labels

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def can_be_told_apart(self) -> bool:
        """True when a model can be fitted: two classes, or both answers to a finding, occur."""
        if self.task == "multiclass":
            return sum(count > 0 for count in self.counts) > 1
        return any(0 < count < len(self) for count in self.counts)

    def without(self, rows: Ids) -> "KnownLabels":
        """Return the labels of all images but those in `rows`."""
        kept = ~np.isin(self.ids, rows)
        return replace(self, ids=self.ids[kept], labels=self.labels[kept])

    def check(self) -> None:
        """Raise DataError unless a model can be fitted; warn of classes with one label."""
        if not self.can_be_told_apart:
            counts = ", ".join(f"{n} {c}" for n, c in zip(self.classes, self.counts, strict=True))
            given = "1 label" if len(self) == 1 else f"{len(self)} labels"
            raise DataError(
                f"{given} ({counts or 'none'}) cannot tell two classes apart; label at least one "
                "image of a second class",
                code="one-class-only",
            )
        single = [n for n, c in zip(self.classes, self.counts, strict=True) if c == 1]
        if single:
            more = f" and {len(single) - SHOWN:,} more" if len(single) > SHOWN else ""
            warnings.warn(
                f"{', '.join(single[:SHOWN])}{more}: 1 label only, from which a class can hardly "
                "be learned; label more",
                stacklevel=3,
            )

    @property
    def counts(self) -> tuple[int, ...]:
        """The number of labelled images of each class."""
        if self.task == "multilabel":
            return tuple(self.labels.sum(axis=0).tolist())
        return tuple(np.bincount(self.labels, minlength=len(self.classes)).tolist())


class LabelSource(Protocol):
    """A file or project that has labels; `str` gives its name for messages."""

    def read(self, names: Sequence[str], task: Task | None) -> tuple[Task, list[Answer]]:
        """Return the task, and the labels of each of `names` (N); None where it gives none."""
        ...


@dataclass(frozen=True)
class LabelFile:
    """A file as `read_labels` takes it."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    def read(self, names: Sequence[str], task: Task | None) -> tuple[Task, list[Answer]]:
        """Return the task, and the labels of each of `names` (N); None where it gives none.

        Warns
        -----
        UserWarning
            The file does not list an image.
        """
        try:
            return read_labels(self.path, names, task, missing="skip")
        except DataError as error:
            if error.code != "manifest-empty":
                raise
        warnings.warn(f"{self.path} does not list an image, so it labels none", stacklevel=2)
        return task or "multiclass", [None] * len(names)


def known_labels(
    names: Sequence[str],
    files: Sequence[Path | LabelSource] = (),
    classes: Sequence[str] | None = None,
    task: Task | None = None,
) -> KnownLabels:
    """Return the labels that some files or projects give to images.

    Parameters
    ----------
    names : sequence of str
        The file names of the images.
    files : sequence of Path or LabelSource
        Files as `read_labels` takes them, and other sources. Several may name an image if they
        agree.
    classes : sequence of str, optional
        The names of the classes in their order; by default those that occur, sorted.
    task : str, optional
        "multiclass" or "multilabel"; by default what the files say.

    Returns
    -------
    KnownLabels
        The labelled images, in the order of `names`; none when no file is given.

    Raises
    ------
    DataError
        A file does not fit, two files disagree, or a label is not among `classes`.
    """
    answers: list[Answer] = [None] * len(names)
    given: list[LabelSource | None] = [None] * len(names)
    sources = [LabelFile(file) if isinstance(file, Path) else file for file in files]
    read = [source.read(names, task) for source in sources]
    whole: Task = "multilabel" if any(t == "multilabel" for t, _ in read) else "multiclass"
    for source, (of_source, labels) in zip(sources, read, strict=True):
        for row, one in enumerate(labels):
            # Only a file of several labels per image tells that `none` names none of the classes.
            answer = one if of_source == whole else without_nothing(one)
            if answer is None:
                continue
            before = answers[row]
            if before is not None and set(before) != set(answer):
                raise DataError(
                    f"{names[row]} is {_words(before)} in {given[row]} and {_words(answer)} in "
                    f"{source}; correct one of the two",
                    code="labels-disagree",
                )
            answers[row], given[row] = answer, source
    ids = np.array([row for row, answer in enumerate(answers) if answer is not None], np.int64)
    labelled = [answers[row] for row in ids.tolist()]
    if classes is not None:
        check_classes(classes)
        for row, answer in zip(ids.tolist(), labelled, strict=True):
            for name in answer or ():
                if name not in classes:
                    raise DataError(
                        f"{names[row]} is labelled {name!r}, which is not among the classes; "
                        f"{nearest(name, classes)}",
                        code="label-of-unknown-class",
                    )
    if not labelled:
        empty = np.empty((0, len(classes or ())) if whole == "multilabel" else 0, np.int64)
        return KnownLabels(whole, tuple(classes or ()), ids, empty)
    occurring, numbers = encode(whole, labelled)
    assert numbers is not None
    if classes is None:
        return KnownLabels(whole, occurring, ids, numbers)
    places = np.array([list(classes).index(name) for name in occurring], np.int64)
    if whole == "multiclass":
        return KnownLabels(whole, tuple(classes), ids, places[numbers])
    spread = np.zeros((len(ids), len(classes)), np.int64)
    spread[:, places] = numbers
    return KnownLabels(whole, tuple(classes), ids, spread)


def check_classes(classes: Sequence[str]) -> None:
    """Raise UsageError unless there are two or more class names, each once and not empty."""
    classes = as_names(classes, "classes")
    if len(classes) < 2 or len(set(classes)) < len(classes) or not all(map(str.strip, classes)):
        raise UsageError(
            f"classes {','.join(classes)!r} must be two or more different names; write cell,debris",
            code="bad-classes",
        )


def _words(answer: Answer) -> str:
    return label_text(answer or ())
