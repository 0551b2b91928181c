"""The log of a project: answers and changes of classes, and the state that follows from them."""

import gc
import threading
from abc import abstractmethod
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from nextlabel.core.errors import UsageError
from nextlabel.core.types import Ids, Task
from nextlabel.project.labelling.answer import Answer, NewAnswer, Saved
from nextlabel.project.labelling.classes import ClassChange, Classes, NewClassChange
from nextlabel.project.labelling.known_labels import known_labels
from nextlabel.project.labelling.recording.answer_faults import answer_faults
from nextlabel.project.labelling.recording.answers import Batch, Facts, add_answers, answers_after
from nextlabel.project.labelling.recording.class_changes import add_changes, changes_after
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
        self._waiting: deque[Batch] = deque()
        self._recording, self._facts = threading.Lock(), Facts()

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
        if not answers:
            return []
        batch = Batch(answers, person)
        self._waiting.append(batch)
        with self._recording:  # the first thread writes for all that wait, in one transaction
            if not batch.is_done:
                others = [self._waiting.popleft() for _ in range(len(self._waiting))]
                self._write([batch, *(one for one in others if one is not batch)])
        return batch.result()

    def _write(self, batches: Sequence[Batch]) -> None:
        """Record some batches in one transaction, each as a whole or not at all."""
        try:
            state, task = self.state(), self.task
            with self._database.writing() as connection:
                newest = self._database.newest().answer  # no other process writes now
                newer = add_answers(connection, batches, state, newest, self._facts, task)
            with self._lock:
                self._state = state = self._state.advance(newer)
        except Exception as error:  # each thread that waits raises it
            for batch in batches:
                batch.error = batch.error or error
            return
        for batch in batches:
            if batch.error is None:
                batch.saved = [
                    Saved(answer.key, recorded.seq)
                    for answer in batch.answers
                    if (recorded := state.answered(answer.key)) is not None
                ]

    def faults(self, answers: Sequence[NewAnswer]) -> Mapping[str, UsageError]:
        """Return why `record` would refuse some answers, by their keys."""
        state = self.state()
        with self._database.reading() as connection:
            images = self._facts.count(connection, answers)
        return answer_faults(
            answers,
            lambda key: state.answered(key) is not None,
            images,
            state.classes,
            self.task,
        )

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
            newest, state = self._database.newest(), self._state
            if (newest.answer, newest.class_change) != (state.seq, state.change_seq):
                with self._database.reading() as connection:
                    changes = changes_after(connection, state.change_seq)
                    with _uncollected(bool(changes) or not state.seq):
                        answers = answers_after(connection, state.seq)
                        self._state = state.advance(answers, changes)
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
