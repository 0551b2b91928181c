"""A labelling project: the images of a folder, the log of answers, models and the queue."""

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from nextlabel.core.errors import UsageError
from nextlabel.core.types import Task, as_names
from nextlabel.project.labelling.answer_log import ME, AnswerLog
from nextlabel.project.labelling.board import Board
from nextlabel.project.labelling.classes import NewClassChange, check_name, live
from nextlabel.project.labelling.layout import (
    CACHE,
    DATABASE,
    database_url,
    directory_of,
    images_folder,
    is_project,
    make_directory,
    open_directory,
)
from nextlabel.project.labelling.settings import (
    FILE,
    ProjectSettings,
    changed_settings,
    read_settings,
    write_settings,
)
from nextlabel.project.scanning.image_facts import ImageFacts
from nextlabel.project.scanning.images import (
    ProjectImages,
    note_images,
    read_files,
    read_images,
    read_problems,
)
from nextlabel.project.scanning.scan import Scanned, scan
from nextlabel.project.store.database import Database


class Project(AnswerLog, Board):
    """A folder of images with all that people and models say of them.

    Threads and processes may use the same project at once. What `record` returns is on the disk.

    Examples
    --------
    >>> project = Project.open_or_create("photos", classes=["cell", "debris"])  # doctest: +SKIP
    >>> project.scan().total  # doctest: +SKIP
    20000
    """

    def __init__(self, directory: Path, settings: ProjectSettings, database: Database) -> None:
        self.directory = directory
        self.folder = images_folder(directory, settings)
        AnswerLog.__init__(self, database)
        Board.__init__(self, database, directory / CACHE)
        self._settings, self._settings_at = settings, 0
        self._images: ProjectImages | None = None
        self._images_lock = threading.Lock()

    @classmethod
    def create(
        cls,
        folder: str | os.PathLike[str],
        *,
        directory: str | os.PathLike[str] | None = None,
        store: str | None = None,
        classes: Sequence[str] = (),
        task: Task = "multiclass",
        person: str = ME,
    ) -> "Project":
        """Make a project for a folder of images; the images are not read yet.

        Parameters
        ----------
        folder
            The folder of the images, which is never changed.
        directory
            The folder of the project; by default `FOLDER.nextlabel`, next to that of the images.
        store
            The URL of an empty PostgreSQL database; by default a file of the project.
        classes
            The names of the classes; more can be added later.
        task
            "multiclass" or "multilabel".
        person
            Who adds the classes.

        Raises
        ------
        UsageError
            There is no such folder, or a project of it exists.
        StoreError
            The project cannot be written.
        """
        images, target = Path(folder), directory_of(folder, directory)
        classes = as_names(classes, "classes")
        for name in classes:
            check_name(name)
        settings = make_directory(images, target, task, store)
        database = Database(store or target / DATABASE, create=True)
        write_settings(target, settings)  # last: a folder with this file is a whole project
        project = cls(target, settings, database)
        project.change_classes(
            [NewClassChange(f"create-{n}", "add", value=name) for n, name in enumerate(classes)],
            person,
        )
        return project

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, store: str | None = None) -> "Project":
        """Open the project in a folder, or that of a folder of images.

        Raises
        ------
        UsageError
            There is no project.
        DataError
            Its settings are wrong.
        StoreError
            Its database cannot be used, or is of a newer nextlabel.
        """
        directory = open_directory(path)
        settings = read_settings(directory)
        database = Database(store or database_url(directory, settings), create=False)
        return cls(directory, settings, database)

    @classmethod
    def open_or_create(
        cls,
        folder: str | os.PathLike[str],
        *,
        directory: str | os.PathLike[str] | None = None,
        store: str | None = None,
        classes: Sequence[str] = (),
        task: Task | None = None,
    ) -> "Project":
        """Open the project of a folder and add `classes`; make one where there is none.

        Parameters
        ----------
        folder, directory, store, classes
            As for `create`.
        task
            "multiclass" or "multilabel"; by default that of the project, "multiclass" of a new one.

        Raises
        ------
        UsageError
            The project has another task, or what `create` refuses.
        DataError, StoreError
            What `open` refuses.
        """
        classes = as_names(classes, "classes")
        if directory is None and is_project(folder):
            directory = folder
        target = directory_of(folder, directory)
        if not is_project(target):
            of_new: Task = task or "multiclass"
            return cls.create(folder, directory=target, store=store, classes=classes, task=of_new)
        project = cls.open(target, store=store)
        if task not in (None, project.task):
            project.close()
            raise UsageError(
                f"the project in {target} is {project.task}, and {task} is asked for; leave that "
                "out, or give another folder for the project",
                code="task-differs",
            )
        there = {one.name for one in live(project.state().classes)}
        project.change_classes(
            [
                NewClassChange(f"open-{uuid4()}", "add", value=name)
                for name in classes
                if name not in there
            ]
        )
        return project

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        of: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    @property
    def settings(self) -> ProjectSettings:
        """The settings; another process may change them."""
        with self._lock:
            stamp = (self.directory / FILE).stat().st_mtime_ns
            if stamp != self._settings_at:
                self._settings, self._settings_at = read_settings(self.directory), stamp
            return self._settings

    def configure(self, **changes: Any) -> ProjectSettings:
        """Change settings, and return them all; UsageError or DataError when one is wrong."""
        with self._lock:
            write_settings(self.directory, changed_settings(self.settings, changes))
            return self.settings

    @property
    def task(self) -> Task:
        """The task: "multiclass" is one class per image, "multilabel" any number."""
        return self.settings.task

    @property
    def database(self) -> Database:
        """The database, for `People`."""
        return self._database

    def scan(self, progress: Callable[[int, int], None] | None = None) -> Scanned:
        """Bring the images up to date with the folder; see `scan`."""
        return scan(self.folder, self._database, progress)

    def images(self) -> ProjectImages:
        """Return all images as of now; the same object as before when nothing has changed."""
        with self._images_lock:
            version = self._database.newest().images
            if self._images is None or version != self._images.version:
                with self._database.reading() as connection:
                    self._images = read_images(connection, self._images)
            return self._images

    def files(self, *, gone: bool = False) -> dict[str, int]:
        """Return the image of each file that is there; with `gone`, also of former ones."""
        with self._database.reading() as connection:
            return read_files(connection, gone)

    def problems(self) -> dict[str, str]:
        """Return the files that cannot be read as images, with the reasons."""
        with self._database.reading() as connection:
            return read_problems(connection)

    def note_images(self, notes: Mapping[int, ImageFacts]) -> None:
        """Store the facts of images that were decoded, or the problem of each that was not."""
        with self._database.writing() as connection:
            note_images(connection, notes)
