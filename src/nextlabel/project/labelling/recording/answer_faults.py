"""Faults of answers: why some of them cannot be recorded; and the order in which they are."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import get_args

from nextlabel.core.errors import UsageError
from nextlabel.core.types import Task
from nextlabel.project.labelling.answer import Kind, NewAnswer
from nextlabel.project.labelling.classes import Classes
from nextlabel.project.labelling.recording.storable import key_fault, storable

KINDS = frozenset(get_args(Kind))
LONGEST_NOTE = 10_000
LONGEST_VIEW = 16


def answer_faults(
    answers: Sequence[NewAnswer],
    is_recorded: Callable[[str], bool],
    images: int,
    classes: Classes,
    task: Task,
) -> Mapping[str, UsageError]:
    """Return what is wrong with some answers, by their keys; nothing for those that are right.

    Parameters
    ----------
    answers : sequence of NewAnswer
        The answers.
    is_recorded : callable
        Returns whether the answer of a key is in the log.
    images : int
        The number of images.
    classes : tuple of ClassOf
        All classes.
    task : str
        "multiclass" or "multilabel".
    """
    right: set[str | None] = set()
    wrong: dict[str, UsageError] = {}
    for answer in undos_last(answers):
        fault = key_fault(answer.key) or _fault(answer, images, classes, task)
        if fault is None and answer.kind == "undo" and answer.undoes not in right:
            there = answer.undoes is not None and is_recorded(answer.undoes)
            fault = None if there else _undo_fault(answer)
        if fault is None:
            right.add(answer.key)
        else:
            wrong[answer.key] = fault
    circular = [one for one in answers if one.key not in right and one.key not in wrong]
    return wrong | {answer.key: _undo_fault(answer) for answer in circular}


def undos_last(answers: Iterable[NewAnswer]) -> list[NewAnswer]:
    """Return answers in their order, but each undo after the event that it takes back.

    Undos that take back each other in a circle are left out.
    """
    answers = list(answers)
    keys = {answer.key for answer in answers}
    waiting: dict[str | None, list[NewAnswer]] = defaultdict(list)
    ordered: dict[str, NewAnswer] = {}
    for answer in answers:
        if answer.kind == "undo" and answer.undoes in keys and answer.undoes not in ordered:
            waiting[answer.undoes].append(answer)
            continue
        due = [answer]
        while due:
            one = due.pop()
            ordered[one.key] = one
            due += reversed(waiting.pop(one.key, []))
    return list(ordered.values())


def _fault(answer: NewAnswer, images: int, classes: Classes, task: Task) -> UsageError | None:
    if answer.kind not in KINDS:
        return UsageError(
            f"{answer.kind!r:.60} is not a sort of answer; give one of {', '.join(sorted(KINDS))}",
            code="unknown-answer-kind",
        )
    if not 0 <= answer.image < images:
        return UsageError(
            f"there is no image {answer.image}; the project has {images} images, from 0",
            code="unknown-image",
        )
    if len(answer.note) > LONGEST_NOTE:
        return UsageError(
            f"the note has {len(answer.note)} characters; {LONGEST_NOTE} are the most",
            code="note-too-long",
        )
    if not 0 < len(answer.view) <= LONGEST_VIEW or storable(answer.view) != answer.view:
        return UsageError(
            f"{answer.view!r:.60} is not the name of a page; give up to {LONGEST_VIEW} letters",
            code="bad-view",
        )
    whole = [v for v in (answer.model, answer.position) if v is not None]
    times = [v for v in (answer.shown_at, answer.answered_at) if v is not None]
    wrong: list[float] = [v for v in whole if not 0 <= v < 2**31]
    wrong += [v for v in times if not math.isfinite(v)]
    if wrong:
        return UsageError(
            f"{wrong[0]} is not a number of a model, a position or a time; leave it out",
            code="bad-number",
        )
    if answer.kind != "label":
        return None
    unknown = [one for one in answer.classes if not 0 <= one < len(classes)]
    if unknown:
        return UsageError(f"there is no class {unknown[0]}; add it first", code="unknown-class")
    if task == "multiclass" and len(set(answer.classes)) != 1:
        return UsageError(
            f"a label of {len(set(answer.classes))} classes was given where an image has one; "
            "give one class, or make a multi-label project",
            code="one-class-an-image",
        )
    return None


def _undo_fault(answer: NewAnswer) -> UsageError:
    return UsageError(
        f"there is no answer {answer.undoes!r:.60} to undo; send it first, or give its key",
        code="nothing-to-undo",
    )
