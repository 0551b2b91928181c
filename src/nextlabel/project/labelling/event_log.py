"""The events of a log: by key and by image, and which of them undos take back."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from immutables import Map

from nextlabel.project.labelling.answer import Answer


@dataclass(frozen=True)
class EventLog:
    """All events: by key, by image, and how many undos that count take back each of them."""

    by_key: Map[str, Answer] = field(default_factory=Map)
    by_image: Map[int, tuple[Answer, ...]] = field(default_factory=Map)
    undone: Map[str, int] = field(default_factory=Map)

    def counts(self, answer: Answer) -> bool:
        """Return whether no undo that counts takes an event back."""
        return self.undone.get(answer.key, 0) == 0

    def appended(self, answers: Sequence[Answer]) -> tuple["EventLog", list[Answer], set[int]]:
        """Return the log with more events, those that were added, and the images they concern."""
        by_key, by_image, undone = (
            self.by_key.mutate(),
            self.by_image.mutate(),
            self.undone.mutate(),
        )
        added: list[Answer] = []
        touched: set[int] = set()
        for answer in answers:
            if answer.key in by_key:
                continue
            by_key[answer.key] = answer
            added.append(answer)
            if answer.kind != "undo":
                by_image[answer.image] = (*by_image.get(answer.image, ()), answer)
                touched.add(answer.image)
                continue
            step, target = 1, by_key.get(answer.undoes or "")
            while target is not None and target.key != answer.key:
                before = undone.get(target.key, 0)
                undone[target.key] = before + step
                touched.add(target.image)
                counted, counts = before == 0, before + step == 0
                if target.kind != "undo" or counted == counts:
                    break
                # An undo that no longer counts gives its event back, and the other way round.
                step = 1 if counts else -1
                target = by_key.get(target.undoes or "")
        return EventLog(by_key.finish(), by_image.finish(), undone.finish()), added, touched
