"""The board of a project: models, the queue, and what works in the background."""

import threading
from collections.abc import Sequence
from pathlib import Path

from nextlabel.project.labelling.activity import Activity, read_activities, write_activity
from nextlabel.project.labelling.models import (
    Model,
    NewModel,
    QueueItem,
    add_model,
    forget_arrays,
    next_version,
    read_asked,
    read_models,
    read_queue,
    write_model,
)
from nextlabel.project.store.database import Database


class Board:
    """The part of a project that programs write; safe for threads and processes.

    Parameters
    ----------
    database : Database
        The database of the project.
    cache : Path
        The folder for the arrays of models.
    """

    def __init__(self, database: Database, cache: Path) -> None:
        self._database, self.cache = database, cache
        self._newest: Model | None = None
        self._models: tuple[Model, ...] = ()
        self._queue: tuple[int, tuple[QueueItem, ...]] = (0, ())
        self._newest_lock = threading.Lock()

    def publish(self, model: NewModel, queue: Sequence[QueueItem]) -> int:
        """Store a model with its queue in one step, and return its version.

        One process at a time may publish. The arrays are written first; those of the newest few
        models are kept.
        """
        with self._database.reading() as connection:
            version = next_version(connection)
        path = write_model(self.cache, version, model.arrays)
        with self._database.writing(brief=True) as connection:
            add_model(connection, version, model, queue, path.name)
        forget_arrays(self.cache, version)
        return version

    def model(self) -> Model | None:
        """Return the newest model; None before the first one."""
        with self._newest_lock:
            version = self._database.newest().model
            if version and (self._newest is None or version != self._newest.version):
                with self._database.reading() as connection:
                    self._newest = read_models(connection, self.cache, newest=True)[0]
            return self._newest

    def models(self) -> tuple[Model, ...]:
        """Return all models by version; the older ones have no arrays any more."""
        with self._newest_lock:
            last = self._models[-1].version if self._models else 0
            if self._database.newest().model != last:
                with self._database.reading() as connection:
                    self._models += tuple(read_models(connection, self.cache, after=last))
            return self._models

    def asked(self, model: int, image: int | None = None) -> QueueItem | None:
        """Return an image as a model's queue has it, or its first; None when it is not there."""
        with self._database.reading() as connection:
            return read_asked(connection, model, image)

    def queue(self) -> tuple[QueueItem, ...]:
        """Return the queue of the newest model, in its order."""
        with self._newest_lock:
            version = self._database.newest().model
            if version != self._queue[0]:
                with self._database.reading() as connection:
                    self._queue = version, tuple(read_queue(connection))
            return self._queue[1]

    def activity(self) -> dict[str, Activity]:
        """Return what works in the background, by name."""
        with self._database.reading() as connection:
            return read_activities(connection)

    def set_activity(
        self,
        name: str,
        state: str,
        done: int | None = None,
        total: int | None = None,
        message: str = "",
    ) -> None:
        """Store how far a piece of work is."""
        with self._database.writing(brief=True) as connection:
            write_activity(connection, Activity(name, state, done, total, message))
