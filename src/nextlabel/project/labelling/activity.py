"""Activities: what works in the background of a project, and how far it is."""

import time
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select

from nextlabel.project.store.schema import ACTIVITY


class Activity(NamedTuple):
    """The state of a piece of work.

    `state` is a word such as "running", "done" or "failed"; `at` is the time of the report, in
    seconds since 1970.
    """

    name: str
    state: str
    done: int | None = None
    total: int | None = None
    message: str = ""
    at: float = 0.0


def read_activities(connection: Connection) -> dict[str, Activity]:
    """Return the activities by name."""
    return {row.name: Activity(*row) for row in connection.execute(select(ACTIVITY))}


def write_activity(connection: Connection, activity: Activity) -> None:
    """Store the state of an activity in the place of its former one."""
    connection.execute(delete(ACTIVITY).where(ACTIVITY.c.name == activity.name))
    connection.execute(insert(ACTIVITY).values(activity._asdict() | {"at": time.time()}))
