"""Leases: while one tab shows an image, no other one is asked it."""

import time
from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select

from nextlabel.project.store.schema import LEASES


class Lease(NamedTuple):
    """The person and the tab that show an image, until a time in seconds since 1970."""

    person: str
    tab: str
    until: float


def read_leases(connection: Connection) -> dict[int, Lease]:
    """Return the leases that have not run out, by image."""
    rows = connection.execute(select(LEASES).where(LEASES.c.until > time.time()))
    return {row.image: Lease(row.person, row.tab, row.until) for row in rows}


def take_leases(
    connection: Connection, images: Iterable[int], person: str, tab: str, seconds: float
) -> list[int]:
    """Lease images to a tab, or renew that; return those that no other tab has."""
    taken = read_leases(connection)
    got = [
        image
        for image in dict.fromkeys(images)
        if image not in taken or taken[image][:2] == (person, tab)
    ]
    now = time.time()
    connection.execute(delete(LEASES).where((LEASES.c.until <= now) | LEASES.c.image.in_(got)))
    if got:
        rows = [{"image": i, "person": person, "tab": tab, "until": now + seconds} for i in got]
        connection.execute(insert(LEASES), rows)
    return got


def give_back(connection: Connection, images: Iterable[int], person: str, tab: str) -> None:
    """End the leases of a tab on some images."""
    connection.execute(
        delete(LEASES).where(
            LEASES.c.image.in_(list(images)), LEASES.c.person == person, LEASES.c.tab == tab
        )
    )
