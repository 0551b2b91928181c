"""Events of another log, of which those that count become answers here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from nextlabel.project.exchange.given_answers import Given, Reading, in_order
from nextlabel.project.labelling.answer import RESPONSES, Answer
from nextlabel.project.labelling.state import fold


@dataclass(frozen=True)
class LoggedAnswer:
    """An event of another log, the names of its classes, and the image here if it is another id."""

    event: Answer
    classes: tuple[str, ...]
    image: int | None = None

    @property
    def here(self) -> int:
        """The image in the project that reads the log."""
        return self.event.image if self.image is None else self.image


def counting(logged: Sequence[LoggedAnswer]) -> list[LoggedAnswer]:
    """Return the events that no undo takes back, of each person and image the newest response."""
    numbered = [replace(one.event, seq=n, classes=()) for n, one in enumerate(logged, 1)]
    state = fold(numbered)
    last: dict[tuple[str, int], int] = {}
    for event in numbered:
        if event.kind in RESPONSES and state.counts(event):
            last[event.person, event.image] = event.seq
    kept = []
    for one, event in zip(logged, numbered, strict=True):
        newest = event.kind not in RESPONSES or last.get((event.person, event.image)) == event.seq
        if newest and event.kind not in ("undo", "clear") and state.counts(event):
            kept.append(one)
    return kept


def given_of(logged: Iterable[LoggedAnswer], unknown: tuple[str, ...]) -> Reading:
    """Return the events as answers that are to be recorded here."""
    given = [
        Given(
            one.here,
            one.event.kind,
            one.classes,
            one.event.note,
            one.event.person,
            one.event.answered_at or one.event.received_at,
            one.event.key,
        )
        for one in logged
    ]
    return Reading(given, in_order(name for one in given for name in one.labels), unknown)
