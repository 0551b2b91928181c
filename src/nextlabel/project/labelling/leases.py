"""Leases: while one tab shows an image, no other one is asked it."""

import threading
import time
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, insert, select

from nextlabel.project.store.database import Database
from nextlabel.project.store.schema import LEASES

AT_A_TIME = 500
"""Values in one statement: databases have a limit."""
SECONDS = 120.0
"""Seconds for which an image belongs to a tab, unless that renews it."""


class Lease(NamedTuple):
    """The person and the tab that show an image, until a time in seconds since 1970."""

    person: str
    tab: str
    until: float


@dataclass(frozen=True)
class LeasedToOthers(Container[int]):
    """The images that other tabs show than one of a person."""

    leases: dict[int, Lease]
    person: str
    tab: str

    def __contains__(self, image: object) -> bool:
        lease = self.leases.get(image)  # type: ignore[call-overload]
        if lease is None or lease[:2] == (self.person, self.tab):
            return False
        return bool(lease.until > time.time())


class Leases:
    """The leases of a project, kept in the memory of its server; safe for threads.

    One server at a time serves a project. The database gets the changes by `save`, so that the next
    server has the leases of the last one.

    Parameters
    ----------
    database : Database
        The database of the project.
    """

    def __init__(self, database: Database) -> None:
        self._database, self._lock = database, threading.Lock()
        with database.reading() as connection:
            self._leases = _read(connection)
        self._changed: set[int] = set()
        self._closed: dict[tuple[str, str], float] = {}  # tabs that are gone, kept until a time

    def take(
        self, images: Iterable[int], person: str, tab: str, seconds: float = SECONDS
    ) -> list[int]:
        """Lease images to a tab, or renew that; return those that no other tab has.

        A tab that was closed gets none.
        """
        now = time.time()
        lease = Lease(person, tab, now + seconds)
        with self._lock:
            if self._closed.get((person, tab), 0.0) > now:
                return []
            others = self.of_others(person, tab)
            got = [image for image in dict.fromkeys(images) if image not in others]
            self._leases |= dict.fromkeys(got, lease)
            self._changed.update(got)
        return got

    def give_back(self, images: Iterable[int], person: str, tab: str) -> None:
        """End the leases of a tab on some images."""
        with self._lock:
            for image in images:
                lease = self._leases.get(image)
                if lease is not None and lease[:2] == (person, tab):
                    del self._leases[image]
                    self._changed.add(image)

    def close(self, person: str, tab: str) -> int:
        """End all leases of a tab that is gone, also those that a request under way would begin.

        Returns
        -------
        int
            How many images it had.
        """
        now = time.time()
        with self._lock:
            kept = {name: until for name, until in self._closed.items() if until > now}
            self._closed = kept | {(person, tab): now + SECONDS}
            had = [i for i, lease in self._leases.items() if lease[:2] == (person, tab)]
            for image in had:
                del self._leases[image]
            self._changed.update(had)
        return len(had)

    def of_others(self, person: str, tab: str) -> LeasedToOthers:
        """Return the images that other tabs show, as they are at each look."""
        return LeasedToOthers(self._leases, person, tab)

    def save(self) -> None:
        """Bring the database up to date; a power cut may undo it.

        Raises
        ------
        StoreError
            The database cannot be written; the next call tries it again.
        """
        now = time.time()
        with self._lock:
            for image in [i for i, lease in self._leases.items() if lease.until <= now]:
                del self._leases[image]
            changed, self._changed = self._changed, set()
            rows = [
                {"image": image} | self._leases[image]._asdict()
                for image in changed
                if image in self._leases
            ]
        if not changed:
            return
        try:
            with self._database.writing(brief=True) as connection:
                _write(connection, sorted(changed), rows, now)
        except BaseException:
            with self._lock:
                self._changed |= changed
            raise


def _read(connection: Connection) -> dict[int, Lease]:
    rows = connection.execute(select(LEASES).where(LEASES.c.until > time.time()))
    return {row.image: Lease(row.person, row.tab, row.until) for row in rows}


def _write(
    connection: Connection, changed: list[int], rows: Sequence[Mapping[str, Any]], now: float
) -> None:
    connection.execute(delete(LEASES).where(LEASES.c.until <= now))
    for start in range(0, len(changed), AT_A_TIME):
        batch = changed[start : start + AT_A_TIME]
        connection.execute(delete(LEASES).where(LEASES.c.image.in_(batch)))
    if rows:
        connection.execute(insert(LEASES), list(rows))
