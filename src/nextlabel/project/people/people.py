"""The people who may log in to a project, and their sessions."""

import re
import secrets
import time
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal, TypeAlias

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from nextlabel.core.errors import UsageError
from nextlabel.files.digest import content_digest
from nextlabel.project.store.database import Database
from nextlabel.project.store.schema import PEOPLE, SESSIONS

if TYPE_CHECKING:
    from argon2 import PasswordHasher

Role: TypeAlias = Literal["labeller", "owner"]
ROLES = ("labeller", "owner")
NAME = re.compile(r"[^\W_][\w.@+-]{0,63}")
SHORTEST = 8
LONGEST = 1024
"""Characters of a password; a longer one would keep the hashing busy."""
LIFETIME = 30 * 24 * 3600.0
"""Seconds after which a session ends."""


@dataclass(frozen=True)
class Person:
    """A person: the name, the role, and False for one who may not log in any more."""

    name: str
    role: Role
    active: bool = True


OF_SESSION = (
    select(PEOPLE.c.name, PEOPLE.c.role, PEOPLE.c.active)
    .join(SESSIONS, SESSIONS.c.person == PEOPLE.c.name)
    .where(SESSIONS.c.digest == bindparam("digest"), SESSIONS.c.created_at > bindparam("begun"))
    .where(PEOPLE.c.active)
)
"""Made once, since it is read at each request."""


class People:
    """The people of a project, in its database; passwords are stored as argon2 hashes alone.

    Parameters
    ----------
    database : Database
        The database of the project.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Person]:
        """Return all people by name."""
        with self._database.reading() as connection:
            return list(_people(connection).values())

    def add(self, name: str, password: str, role: Role = "labeller") -> Person:
        """Add a person; UsageError for a name that is taken, or a bad name, password or role."""
        if not NAME.fullmatch(name):
            raise UsageError(
                f"{name!r:.80} cannot be the name of a person; give up to 64 letters, digits and "
                "any of . _ @ + -",
                code="bad-person-name",
            )
        hashed = _hashed(password)
        with self._database.writing() as connection:
            if name in _people(connection):
                raise UsageError(
                    f"there is a person {name!r} already; give another name", code="person-exists"
                )
            row = {"name": name, "password": hashed, "role": _role(role), "active": True}
            connection.execute(insert(PEOPLE), row)
        return Person(name, role)

    def change(
        self,
        name: str,
        *,
        password: str | None = None,
        role: Role | None = None,
        active: bool | None = None,
    ) -> Person:
        """Change the password or the role of a person, or shut the person out; ends the sessions.

        Raises
        ------
        UsageError
            There is no such person, or no owner would be left.
        """
        values: dict[str, object] = {}
        if password is not None:
            values["password"] = _hashed(password)
        if role is not None:
            values["role"] = _role(role)
        if active is not None:
            values["active"] = active
        with self._database.writing() as connection:
            before = _people(connection).get(name)
            if before is None:
                raise UsageError(
                    f"there is no person {name!r:.80}; add one first", code="no-such-person"
                )
            if values:
                connection.execute(update(PEOPLE).where(PEOPLE.c.name == name).values(values))
            people = _people(connection)
            if _is_owner(before) and not any(map(_is_owner, people.values())):
                raise UsageError(
                    f"{name} is the only owner; make another person an owner first",
                    code="last-owner",
                )
            connection.execute(delete(SESSIONS).where(SESSIONS.c.person == name))
        return people[name]

    def check(self, name: str, password: str) -> Person | None:
        """Return the person of a name and a password; None when they do not fit.

        It takes as long for a name that there is not.
        """
        from argon2.exceptions import InvalidHashError, VerificationError

        with self._database.reading() as connection:
            person = _people(connection).get(name)
            query = select(PEOPLE.c.password).where(PEOPLE.c.name == name)
            stored = connection.execute(query).scalar()
        try:
            _hasher().verify(stored or _no_password(), password[:LONGEST])
        except (VerificationError, InvalidHashError):
            return None
        return person if person is not None and person.active else None

    def begin_session(self, name: str) -> str:
        """Begin a session of a person, and return its secret, of which the digest is stored."""
        secret, now = secrets.token_urlsafe(32), time.time()
        with self._database.writing() as connection:
            connection.execute(delete(SESSIONS).where(SESSIONS.c.created_at < now - LIFETIME))
            row = {"digest": _digest(secret), "person": name, "created_at": now, "seen_at": now}
            connection.execute(insert(SESSIONS), row)
        return secret

    def of_session(self, secret: str) -> Person | None:
        """Return the person of a session; None when it has ended."""
        values = {"digest": _digest(secret), "begun": time.time() - LIFETIME}
        with self._database.reading() as connection:
            row = connection.execute(OF_SESSION, values).one_or_none()
        return None if row is None else Person(*row)

    def end_session(self, secret: str) -> None:
        """End a session."""
        with self._database.writing() as connection:
            connection.execute(delete(SESSIONS).where(SESSIONS.c.digest == _digest(secret)))


def _people(connection: Connection) -> dict[str, Person]:
    query = select(PEOPLE.c.name, PEOPLE.c.role, PEOPLE.c.active).order_by(PEOPLE.c.name)
    return {name: Person(name, role, active) for name, role, active in connection.execute(query)}


def _is_owner(person: Person) -> bool:
    return person.role == "owner" and person.active


def _digest(secret: str) -> str:
    return content_digest(secret.encode("utf-8", "replace"))


def _role(role: str) -> str:
    if role not in ROLES:
        raise UsageError(f"{role!r:.60} is not a role; give labeller or owner", code="bad-role")
    return role


def _hashed(password: str) -> str:
    if not SHORTEST <= len(password) <= LONGEST:
        raise UsageError(
            f"the password has {len(password)} characters; give {SHORTEST} to {LONGEST}",
            code="bad-password",
        )
    return _hasher().hash(password)


@cache
def _hasher() -> "PasswordHasher":
    try:
        from argon2 import PasswordHasher
    except ModuleNotFoundError as error:
        raise UsageError(
            "passwords need the package argon2-cffi; pip install 'nextlabel[label]'",
            code="package-missing",
        ) from error
    return PasswordHasher()


@cache
def _no_password() -> str:
    """Return the hash of a password that is not known, to compare with where there is no person."""
    return _hasher().hash(secrets.token_urlsafe(32))
