"""Sessions of people with passwords."""

from dataclasses import dataclass

from nextlabel.project.people.people import People, Person


@dataclass(frozen=True)
class PeopleSessions:
    """The sessions of a project's people, read at each request: who is shut out is out at once.

    Parameters
    ----------
    people : People
        The people, in the database of the project.
    """

    people: People

    def person(self, secret: str) -> Person | None:
        """Return the person of a session; None when it has ended."""
        return self.people.of_session(secret)

    def begin(self, name: str, password: str) -> str | None:
        """Return the secret of a new session; None when the password is not that of the name."""
        person = self.people.check(name, password)
        return None if person is None else self.people.begin_session(person.name)

    def end(self, secret: str) -> None:
        """End a session."""
        self.people.end_session(secret)
