"""The folder of a project: where it lies, and what is in it."""

import os
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

from nextlabel.core.errors import StoreError, UsageError
from nextlabel.core.types import Task
from nextlabel.files.output_mark import make_output
from nextlabel.project.labelling.settings import FILE, ProjectSettings

DATABASE = "project.db"
CACHE = "cache"
ESCAPED = "file:"
"""The beginning of a path in the settings in which bytes that are not text are written as %xx."""
SUFFIX = ".nextlabel"
"""End of the name of a project's folder, after that of the folder of images."""


def directory_of(
    folder: str | os.PathLike[str], directory: str | os.PathLike[str] | None = None
) -> Path:
    """Return the folder of the project of a folder of images, whether it is there or not."""
    if directory is not None:
        return Path(directory)
    images = Path(os.path.abspath(folder))  # noqa: PTH100 - links stay, `..` does not
    return images.with_name(images.name + SUFFIX)


def is_project(path: str | os.PathLike[str]) -> bool:
    """Return whether a path is the folder of a project."""
    return (Path(path) / FILE).is_file()


def open_directory(path: str | os.PathLike[str]) -> Path:
    """Return the folder of the project at a path: itself, or that of a folder of images.

    Raises
    ------
    UsageError
        There is no project.
    """
    for directory in (Path(path), directory_of(path)):
        if is_project(directory):
            return directory
    raise UsageError(
        f"there is no project at {path}, nor at {directory_of(path)}; make one by "
        "`nextlabel label FOLDER`, or give the folder of a project",
        code="no-project",
    )


def make_directory(folder: Path, directory: Path, task: Task, store: str | None) -> ProjectSettings:
    """Make the folder of a project, and return its settings, which are not written yet.

    Raises
    ------
    UsageError
        There is no folder of images, or a project is there.
    StoreError
        The folder cannot be made.
    """
    if not folder.is_dir():
        raise UsageError(
            f"{folder} is not a folder; give the folder of the images", code="no-such-folder"
        )
    if is_project(directory):
        raise UsageError(
            f"there is a project in {directory} already; open it, or give another --project",
            code="project-exists",
        )
    try:
        make_output(directory)
        make_output(directory / CACHE, cache=True)
    except OSError as error:
        raise StoreError(
            f"{directory} cannot be made ({error.strerror}); give a --project on a disk where "
            "you may write",
            code="project-not-writable",
        ) from error
    name = Path(os.path.abspath(folder)).name or "project"  # noqa: PTH100
    return ProjectSettings(
        name=printable(name),
        folder=_relative(folder, directory),
        task=task,
        store=None if store is None else without_password(store),
    )


def images_folder(directory: Path, settings: ProjectSettings) -> Path:
    """Return the folder of the images of a project."""
    named = settings.folder
    if named.startswith(ESCAPED):
        named = os.fsdecode(unquote_to_bytes(named.removeprefix(ESCAPED)))
    return Path(os.path.normpath(directory / named))


def database_url(directory: Path, settings: ProjectSettings) -> str | Path:
    """Return the location of the database of a project."""
    return directory / DATABASE if settings.store is None else settings.store


def without_password(store: str) -> str:
    """Return the URL of a database without its password; StoreError when it is not a URL."""
    from sqlalchemy.exc import ArgumentError

    from nextlabel.store.database import address

    try:
        url = address(store)
    except ArgumentError as error:
        raise StoreError(f"{store} is not a database URL; give one", code="not-a-url") from error
    return url._replace(password=None).render_as_string(hide_password=False)


def printable(name: str) -> str:
    """Return a file name as text that can be shown and written to any file."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _relative(folder: Path, directory: Path) -> str:
    """Return the folder of the images as seen from that of the project, or its absolute path."""
    name = os.path.abspath(folder)  # noqa: PTH100
    with suppress(ValueError):  # it is on another drive
        name = Path(os.path.relpath(name, directory)).as_posix()
    if printable(name) == name and not name.startswith(ESCAPED):
        return name
    return ESCAPED + quote(os.fsencode(name))
