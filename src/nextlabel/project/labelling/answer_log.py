"""The log of a project: answers and changes of classes, and the state that follows from them."""

import gc
import threading
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from nextlabel.core.errors import UsageError
from nextlabel.core.types import Ids, Task
from nextlabel.project.labelling.answer import Answer, NewAnswer, Saved
from nextlabel.project.labelling.classes import ClassChange, Classes, NewClassChange
from nextlabel.project.labelling.known import known_labels
from nextlabel.project.labelling.records import (
    add_answers,
    add_changes,
    answer_faults,
    answers_after,
    changes_after,
)
from nextlabel.project.labelling.state import State
from nextlabel.project.labels import KnownLabels
from nextlabel.project.store.database import Database

ME = "me"
"""The person of a project without log-in."""


class AnswerLog:
    """The part of a project that comes from people; safe for threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database, self._lock = database, threading.RLock()
        self._state = State()

    @property
    @abstractmethod
    def task(self) -> Task:
        """The task: "multiclass" is one class per image, "multilabel" any number."""

    def record(self, answers: Sequence[NewAnswer], person: str = ME) -> list[Saved]:
        """Add answers to the log, all or none, and return the number of each.

        They are on the disk when this returns. A key that was recorded before gets its number of
        then, and changes nothing.

        Raises
        ------
        UsageError
            An answer is wrong, such as one of an unknown image; `faults` says which.
        StoreError
            They cannot be stored; code "disk-full" on a full disk.
        """
        state = self.state()
        with self._database.writing() as connection:
            return add_answers(connection, answers, person, state.classes, self.task)

    def faults(self, answers: Sequence[NewAnswer]) -> Mapping[str, UsageError]:
        """Return why `record` would refuse some answers, by their keys."""
        state = self.state()
        with self._database.reading() as connection:
            return answer_faults(connection, answers, state.classes, self.task)

    def change_classes(self, changes: Sequence[NewClassChange], person: str = ME) -> Classes:
        """Change the classes, all changes or none, and return them; UsageError if one is wrong."""
        if changes:
            with self._database.writing() as connection:
                fresh = changes_after(connection, self._state.change_seq)
                classes = self._state.advance((), fresh).classes
                add_changes(connection, changes, person, classes)
        return self.state().classes

    def state(self) -> State:
        """Return the state after all that is recorded by now; cheap when nothing is new."""
        with self._lock:
            with self._database.reading() as connection:
                changes = changes_after(connection, self._state.change_seq)
                with _uncollected(bool(changes) or not self._state.seq):
                    answers = answers_after(connection, self._state.seq)
                    self._state = self._state.advance(answers, changes)
            return self._state

    def answers(self, after: int = 0) -> list[Answer]:
        """Return the answers with a larger number than `after`, in the order of the log."""
        with self._database.reading() as connection:
            return answers_after(connection, after)

    def class_changes(self, after: int = 0) -> list[ClassChange]:
        """Return the changes of classes after one of them, in the order of their log."""
        with self._database.reading() as connection:
            return changes_after(connection, after)

    def known_labels(self, among: Ids | None = None) -> KnownLabels:
        """Return the labels as a model takes them: rows are ids of images, of those in `among`."""
        return known_labels(self.state(), self.task, among)


@contextmanager
def _uncollected(pause: bool) -> Iterator[None]:
    """Pause the search for cyclic garbage, which takes most of the time of a long log."""
    pause = pause and gc.isenabled()
    if pause:
        gc.disable()
    try:
        yield
    finally:
        if pause:
            gc.enable()
