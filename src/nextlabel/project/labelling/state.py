"""The state of a project, which follows from its log of answers and of changes of classes.

`fold` defines it. `advance` gives the same from an earlier state and what came since, in time that
does not grow with the log. A state never changes: threads may share it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any

from immutables import Map, MapMutation

from nextlabel.project.labelling.answer import Answer
from nextlabel.project.labelling.classes import ClassChange, Classes, changed, followed
from nextlabel.project.labelling.event_log import EventLog
from nextlabel.project.labelling.image_state import NOTHING, ClassIds, ImageState, image_state


class Keys(Set[int]):
    """The keys of a mapping as a set, without a copy."""

    def __init__(self, mapping: Mapping[int, object]) -> None:
        self._mapping = mapping

    def __contains__(self, value: object) -> bool:
        return value in self._mapping

    def __iter__(self) -> Iterator[int]:
        return iter(self._mapping)

    def __len__(self) -> int:
        return len(self._mapping)

    @classmethod
    def _from_iterable(cls, it: Iterable[int]) -> frozenset[int]:  # type: ignore[override]
        return frozenset(it)


@dataclass(frozen=True)
class State:
    """The state of a project after the first `seq` answers and `change_seq` changes of classes.

    Parameters
    ----------
    classes : tuple of ClassOf
        All classes by id, also merged and removed ones.
    labels : mapping of int to tuple of int
        The classes of each labelled image, ascending; merges are followed.
    skipped, unsure, flagged : set of int
        Images without a label whose newest answer is a skip or unsure; images with a flag.
    notes : mapping of int to str
        The note of each image that has one.
    conflicts : set of int
        Images on which people disagree.
    last : mapping of int to Answer
        The answer that each image's label, skip or unsure comes from.
    seq, change_seq : int
        The last number of each log; 0 before any.
    class_counts : mapping of int to int
        The number of labelled images of each class that has some.
    """

    classes: Classes = ()
    labels: Map[int, ClassIds] = field(default_factory=Map)
    notes: Map[int, str] = field(default_factory=Map)
    last: Map[int, Answer] = field(default_factory=Map)
    seq: int = 0
    change_seq: int = 0
    class_counts: Map[int, int] = field(default_factory=Map)
    _skipped: Map[int, bool] = field(default_factory=Map)
    _unsure: Map[int, bool] = field(default_factory=Map)
    _flagged: Map[int, bool] = field(default_factory=Map)
    _conflicts: Map[int, bool] = field(default_factory=Map)
    _settled: Map[int, bool] = field(default_factory=Map)
    _images: Map[int, ImageState] = field(default_factory=Map)
    _log: EventLog = field(default_factory=EventLog)
    _events: tuple[list[Answer], int] = field(default_factory=lambda: ([], 0), compare=False)

    @property
    def skipped(self) -> Set[int]:
        """The images without a label whose newest answer is a skip."""
        return Keys(self._skipped)

    @property
    def unsure(self) -> Set[int]:
        """The images without a label whose newest answer is that a person is unsure."""
        return Keys(self._unsure)

    @property
    def flagged(self) -> Set[int]:
        """The images with a flag."""
        return Keys(self._flagged)

    @property
    def settled(self) -> Set[int]:
        """The images that need no answer: labelled, skipped, unsure or flagged."""
        return Keys(self._settled)

    @property
    def conflicts(self) -> Set[int]:
        """The images on which people disagree."""
        return Keys(self._conflicts)

    @property
    def images(self) -> Mapping[int, ImageState]:
        """The state of each image that has one."""
        return self._images

    def image(self, image: int) -> ImageState:
        """Return what is said of an image."""
        return self._images.get(image, NOTHING)

    @property
    def by_person(self) -> Mapping[int, Mapping[str, ClassIds]]:
        """The label of each person, by image; a dictionary is made at each use."""
        return {i: one.by_person for i, one in self._images.items() if one.by_person}

    def answered(self, key: str) -> Answer | None:
        """Return the event of a key, whether it counts or not."""
        return self._log.by_key.get(key)

    def counts(self, answer: Answer) -> bool:
        """Return whether an event counts: no undo that counts takes it back."""
        return self._log.counts(answer)

    def events(self, image: int) -> Sequence[Answer]:
        """Return all events of an image but undos, oldest first, also those that are undone."""
        return self._log.by_image.get(image, ())

    def newest(self, person: str | None = None) -> Iterator[Answer]:
        """Yield the events that count but undos, newest first, of one person or of all."""
        events, length = self._events
        for at in range(length - 1, -1, -1):
            event = events[at]
            if event.kind != "undo" and person in (None, event.person) and self._log.counts(event):
                yield event

    def history(self, person: str | None = None) -> Sequence[Answer]:
        """Return the events that count but undos, oldest first, of one person or of all."""
        return list(self.newest(person))[::-1]

    def advance(self, answers: Iterable[Answer], changes: Iterable[ClassChange] = ()) -> "State":
        """Return the state after more events.

        Parameters
        ----------
        answers : iterable of Answer
            In the order of the log. Those up to `seq`, and keys that are there already, change
            nothing.
        changes : iterable of ClassChange
            In the order of their log.
        """
        new_changes = [change for change in changes if change.seq > self.change_seq]
        fresh = [answer for answer in answers if answer.seq > self.seq]
        if not new_changes and not fresh:
            return self
        base = self._with_classes(new_changes) if new_changes else self
        return base._with_answers(fresh) if fresh else base

    def _with_classes(self, changes: list[ClassChange]) -> "State":
        classes = changed(self.classes, changes)
        base = replace(self, classes=classes, change_seq=changes[-1].seq)
        if followed(classes) == followed(self.classes):
            return base
        return base._renewed(self._log, self._log.by_image)

    def _with_answers(self, answers: list[Answer]) -> "State":
        log, added, touched = self._log.appended(answers)
        events, length = self._events
        if len(events) != length:  # another state has gone on from here
            events = events[:length]
        events.extend(added)
        base = replace(self, seq=answers[-1].seq, _events=(events, length + len(added)))
        return base._renewed(log, touched)

    def _renewed(self, log: EventLog, touched: Iterable[int]) -> "State":
        """Return the state in which some images are derived from the log again."""
        ends = followed(self.classes)
        images, labels, last = self._images.mutate(), self.labels.mutate(), self.last.mutate()
        notes, counts = self.notes.mutate(), Counter(dict(self.class_counts))
        of_skip, of_unsure = self._skipped.mutate(), self._unsure.mutate()
        of_flag, of_conflict = self._flagged.mutate(), self._conflicts.mutate()
        of_settled = self._settled.mutate()
        for image in touched:
            before = images.get(image, NOTHING)
            now = image_state(log, image, ends)
            counts.subtract(before.label or ())
            counts.update(now.label or ())
            response = None if now.response is None else now.response.kind
            settled = now.label is not None or response in ("skip", "unsure") or bool(now.flags)
            derived: tuple[tuple[MapMutation[int, Any], object], ...] = (
                (images, None if now == NOTHING else now),
                (labels, now.label),
                (last, now.response),
                (notes, now.note or None),
                (of_skip, response == "skip" or None),
                (of_unsure, response == "unsure" or None),
                (of_flag, bool(now.flags) or None),
                (of_conflict, now.conflict or None),
                (of_settled, settled or None),
            )
            for mapping, value in derived:
                if value is not None:
                    mapping[image] = value
                else:
                    mapping.pop(image, None)
        return replace(
            self,
            labels=labels.finish(),
            notes=notes.finish(),
            last=last.finish(),
            class_counts=Map({one: count for one, count in counts.items() if count}),
            _skipped=of_skip.finish(),
            _unsure=of_unsure.finish(),
            _flagged=of_flag.finish(),
            _conflicts=of_conflict.finish(),
            _settled=of_settled.finish(),
            _images=images.finish(),
            _log=log,
        )


def fold(answers: Iterable[Answer], changes: Iterable[ClassChange] = ()) -> State:
    """Return the state after all answers and all changes of classes, in the order of their logs.

    An undo takes back one earlier event, also another undo, whose event counts again then. Of a
    person's events of an image that label, skip, are unsure or clear, the newest that counts holds.
    An image has the label that all its people gave; where they differ, the newest one, and it is a
    conflict until an answer of the view "resolve". Labels of a merged class count for the other
    one; those of a removed class do not count.
    """
    return State().advance(answers, changes)
