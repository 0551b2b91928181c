"""Sessions of people with passwords."""

import time
from dataclasses import dataclass, field

from nextlabel.project.people.people import People, Person

FRESH = 2.0
"""Seconds for which the person of a session is not read again."""


@dataclass
class PeopleSessions:
    """The sessions of a project's people.

    Parameters
    ----------
    people : People
        The people, in the database of the project.
    """

    people: People
    _read: dict[str, tuple[float, Person]] = field(default_factory=dict)

    def person(self, secret: str) -> Person | None:
        """Return the person of a session; None when it has ended."""
        now = time.monotonic()
        read_at, person = self._read.get(secret, (0.0, None))
        if person is None or now > read_at + FRESH:
            person = self.people.of_session(secret)
            self._read = {one: of for one, of in self._read.items() if of[0] + FRESH > now}
            if person is not None:
                self._read[secret] = now, person
        return person

    def begin(self, name: str, password: str) -> str | None:
        """Return the secret of a new session; None when the password is not that of the name."""
        person = self.people.check(name, password)
        return None if person is None else self.people.begin_session(person.name)

    def end(self, secret: str) -> None:
        """End a session."""
        self._read.pop(secret, None)
        self.people.end_session(secret)
