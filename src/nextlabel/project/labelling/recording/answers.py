"""The log of answers: read, and extended by batches of them."""

import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select

from nextlabel.core.types import Task
from nextlabel.project.labelling.answer import Answer, NewAnswer, Saved
from nextlabel.project.labelling.recording.answer_faults import answer_faults, undos_last
from nextlabel.project.labelling.recording.storable import storable
from nextlabel.project.labelling.state import State
from nextlabel.project.store.schema import ANSWERS, IMAGES, QUEUE


@dataclass(eq=False)
class Batch:
    """Answers of one person that are recorded together, all or none, and what became of them."""

    answers: Sequence[NewAnswer]
    person: str
    saved: list[Saved] | None = None
    error: Exception | None = None

    @property
    def is_done(self) -> bool:
        """True when the answers are recorded or refused."""
        return self.saved is not None or self.error is not None

    def result(self) -> list[Saved]:
        """Return the number of each answer; raise what refused them."""
        if self.error is not None:
            raise self.error
        return self.saved or []


@dataclass
class Facts:
    """Facts of images and queues by which answers are checked; they stay true."""

    images: int = 0
    drawn: OrderedDict[int, frozenset[int]] = field(default_factory=OrderedDict)

    def count(self, connection: Connection, answers: Collection[NewAnswer]) -> int:
        """Return the number of images, read again when an answer is of one that is not known."""
        if any(answer.image >= self.images for answer in answers):
            newest = connection.execute(select(func.max(IMAGES.c.id))).scalar()
            self.images = 0 if newest is None else newest + 1
        return self.images

    def is_drawn(self, connection: Connection, answer: NewAnswer) -> bool:
        """Return whether the queue that an answer's image came from had drawn it at random."""
        if answer.model is None:
            return False
        drawn = self.drawn.get(answer.model)
        if drawn is None:
            query = select(QUEUE.c.image).where(QUEUE.c.model == answer.model, QUEUE.c.audit)
            drawn = frozenset(connection.execute(query).scalars())
            if drawn:  # none may mean that there is no such model yet
                self.drawn[answer.model] = drawn
                if len(self.drawn) > KEPT:
                    self.drawn.popitem(last=False)
        return answer.image in drawn


KEPT = 32
"""Queues of which the images that were drawn at random are kept in memory."""


AFTER = select(ANSWERS).where(ANSWERS.c.seq > bindparam("after")).order_by(ANSWERS.c.seq)


def answers_after(connection: Connection, seq: int) -> list[Answer]:
    """Return the answers with a larger number than `seq`, in the order of the log."""
    rows = connection.execute(AFTER, {"after": seq})
    return [Answer(**(dict(row) | {"classes": tuple(row["classes"])})) for row in rows.mappings()]


def add_answers(
    connection: Connection,
    batches: Sequence[Batch],
    state: State,
    newest: int,
    facts: Facts,
    task: Task,
) -> list[Answer]:
    """Add batches of answers to the log, and return all answers that the state does not have.

    A batch with a wrong answer gets the error, and none of it is added. Keys that are in the log
    already change nothing.

    Parameters
    ----------
    connection : Connection
        A connection that writes.
    batches : sequence of Batch
        The batches.
    state : State
        A state of the project.
    newest : int
        The last number in the log.
    facts : Facts
        Facts of images and queues.
    task : str
        "multiclass" or "multilabel".
    """
    newer = answers_after(connection, state.seq) if newest > state.seq else []
    keys = {answer.key for answer in newer}

    def is_recorded(key: str) -> bool:
        return key in keys or state.answered(key) is not None

    received, rows = time.time(), []
    for batch in batches:
        fresh = _fresh(batch.answers, is_recorded)
        images = facts.count(connection, fresh)
        wrong = answer_faults(fresh, is_recorded, images, state.classes, task)
        if wrong:
            batch.error = next(iter(wrong.values()))
            continue
        for answer in undos_last(fresh):
            keys.add(answer.key)
            drawn = facts.is_drawn(connection, answer)
            of_batch = {"person": batch.person, "received_at": received, "audit": drawn}
            rows.append(_row(answer) | of_batch)
    if rows:
        connection.execute(insert(ANSWERS), rows)
        newer += answers_after(connection, newest)
    return newer


def _fresh(answers: Sequence[NewAnswer], is_recorded: Callable[[str], bool]) -> Sequence[NewAnswer]:
    """Return the answers that are not in the log, the first of each key."""
    fresh: dict[str, NewAnswer] = {}
    for answer in answers:
        if not is_recorded(answer.key):
            fresh.setdefault(answer.key, answer)
    return list(fresh.values())


def _row(answer: NewAnswer) -> dict[str, Any]:
    return vars(answer) | {"classes": sorted(set(answer.classes)), "note": storable(answer.note)}
