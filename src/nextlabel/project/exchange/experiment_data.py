"""A project as the data of an experiment: its labelled images, with the labels of now."""

import csv
import io
import warnings
from pathlib import Path
from typing import Any

from nextlabel.core.errors import DataError, StoreError, UsageError
from nextlabel.data.lists.manifest import project_labels_name
from nextlabel.files.atomic import replacing
from nextlabel.project.exchange.content import Content
from nextlabel.project.exchange.formats.csv_file import joined, path_cell
from nextlabel.project.labelling.layout import printable
from nextlabel.project.labelling.project import Project

SOURCE = "project"
"""The name of a project in `[data]`."""


def with_project_data(raw: dict[str, Any], file: Path) -> None:
    """Replace a project in the plain values of an experiment by its folder and a manifest.

    `[data]` with `name = "project"` and the `path` of a project becomes the source "folder" with a
    manifest of the labels of now, in the cache of the project. Its name and its digest follow from
    the labels, so that the same labels give the same trials, and others give new ones. Copies and
    images that cannot be read are left out. All other keys stay.

    Parameters
    ----------
    raw : dict
        The values of an experiment file; changed in place.
    file : Path
        The experiment file, from which a relative path is looked for first.

    Raises
    ------
    UsageError
        There is no path, or no project.
    DataError
        No image of the project has a label.
    """
    data = raw.get("data")
    if not isinstance(data, dict) or data.get("name") != SOURCE:
        return
    path = data.get("path")
    if not isinstance(path, str):
        raise UsageError(
            'data set "project" needs a path; set data.path to the folder of the project',
            code="path-missing",
        )
    next_to_file = file.parent / path
    with Project.open(next_to_file if next_to_file.exists() else path) as project:
        project.scan()
        content = Content.of(project)
        manifest = _manifest(content, project.cache)
    kept = {key: value for key, value in data.items() if key not in ("name", "path")}
    raw["data"] = {"unique": True, "unreadable": "skip"} | kept | {
        "name": "folder",
        "path": str(content.folder),
        "manifest": str(manifest.absolute()),
        "task": content.task,
    }  # fmt: skip


def _manifest(content: Content, cache: Path) -> Path:
    """Return the file of the labels of a project, which is written where it is not there yet."""
    labelled = [row for row in content.rows if row.labels is not None]
    rows = [row for row in labelled if printable(row.path) == row.path]
    if not rows:
        raise DataError(
            f"the project of {content.folder} has no labelled image; label some first",
            code="no-labels",
        )
    if len(rows) < len(labelled):
        warnings.warn(
            f"{len(labelled) - len(rows)} labelled files are left out, since their names are not "
            "text; rename them",
            stacklevel=3,
        )
    several = content.task == "multilabel"
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\n")
    table.writerow(["path", "labels" if several else "label"])
    table.writerows([path_cell(row.path), joined(row.labels, several)] for row in rows)
    text = stream.getvalue().encode()
    file = cache / project_labels_name(text)
    try:
        if not file.exists():
            with replacing(file) as partial:
                partial.write_bytes(text)
    except OSError as error:
        raise StoreError(
            f"{file} cannot be written ({error.strerror}); free some space there",
            code="project-not-writable",
        ) from error
    return file
