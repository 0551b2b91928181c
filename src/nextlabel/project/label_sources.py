"""Labels for the images of a folder: from files and from projects."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nextlabel.core.errors import DataError, UsageError
from nextlabel.core.types import Ids, Task
from nextlabel.data.lists.answers import Answer
from nextlabel.project.labelling.layout import is_project
from nextlabel.project.labels import KnownLabels, LabelFile, LabelSource

if TYPE_CHECKING:
    from nextlabel.project.labelling.project import Project

Paths = str | PathLike[str] | Sequence[str | PathLike[str]]


@dataclass(frozen=True)
class ProjectLabels:
    """The labels of a project as of now."""

    directory: Path

    def __str__(self) -> str:
        return str(self.directory)

    def read(self, names: Sequence[str], task: Task | None) -> tuple[Task, list[Answer]]:
        """Return the task of the project, and the labels of each of `names` (N); None for none.

        Raises
        ------
        DataError
            The project does not have any of the names.
        """
        with _opened(self.directory) as project:
            project.scan()
            state, files = project.state(), project.files()
        class_of = {one.id: one.name for one in state.classes}
        images = [files.get(name) for name in names]
        if names and files and all(image is None for image in images):
            raise DataError(
                f"the project {self.directory} has none of the {len(names)} images; give the "
                f"project of their folder, or export its labels and give these",
                code="project-of-other-images",
            )
        labels = [None if image is None else state.labels.get(image) for image in images]
        return project.task, [
            None if label is None else tuple(class_of[one] for one in label) for label in labels
        ]

    def passed_over(self, names: Sequence[str]) -> list[int]:
        """Return the rows of those of `names` (N) that are skipped, unsure or flagged there."""
        with _opened(self.directory) as project:
            state, files = project.state(), project.files()
        passed = state.settled - set(state.labels)
        return [row for row, name in enumerate(names) if files.get(name) in passed]

    def seed(self) -> int:
        """Return the seed that draws the audit of the project."""
        with _opened(self.directory) as project:
            return project.settings.seed


def label_sources(labels: Paths | None) -> tuple[LabelSource, ...]:
    """Return the sources of labels: files, and folders of projects; none for None.

    Raises
    ------
    UsageError
        Something is given that is not the path of a file, such as the labels themselves.
    """
    if labels is None:
        return ()
    one = isinstance(labels, str | PathLike | Mapping) or hasattr(labels, "columns")
    given: list[object] = [labels] if one or not isinstance(labels, Iterable) else list(labels)
    paths = [path for path in given if isinstance(path, str | PathLike)]
    if len(paths) < len(given):
        raise UsageError(
            f"labels of type {type(labels).__name__} are not the paths of files; write them to a "
            "CSV file with the columns path and label, and give its path",
            code="labels-not-files",
        )
    return tuple(
        ProjectLabels(Path(path)) if is_project(path) else LabelFile(Path(path)) for path in paths
    )


def folder_and_labels(
    folder: str | PathLike[str], labels: Paths | None = ()
) -> tuple[Path, tuple[LabelSource, ...]]:
    """Return a folder of images and the sources of its labels; of a project, its own come first."""
    if not is_project(folder):
        return Path(folder), label_sources(labels)
    with _opened(folder) as project:
        return project.folder, (ProjectLabels(Path(folder)), *label_sources(labels))


def passed_over(names: Sequence[str], sources: Sequence[LabelSource], known: KnownLabels) -> Ids:
    """Return the images that people have passed over: skipped, unsure or flagged, and unlabelled.

    Parameters
    ----------
    names : sequence of str
        The names of the N images.
    sources : sequence of LabelSource
        Files and projects; a file does not say which images are passed over.
    known : KnownLabels
        The labels of all sources.

    Returns
    -------
    int64 array
        The rows of those images, ascending.
    """
    projects = (source for source in sources if isinstance(source, ProjectLabels))
    rows = [row for source in projects for row in source.passed_over(names)]
    return np.setdiff1d(np.array(rows, np.int64), known.ids)


def audit_seed(sources: Sequence[LabelSource], seed: int) -> int:
    """Return the seed of the audit: that of the first project among the sources, or else `seed`."""
    return next((source.seed() for source in sources if isinstance(source, ProjectLabels)), seed)


def _opened(directory: str | PathLike[str]) -> "Project":
    """Return a project; imported here, since sqlalchemy takes time that a folder does without."""
    from nextlabel.project.labelling.project import Project

    return Project.open(directory)
