"""Transactions that write: begun again when another one has stopped them by chance."""

import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

T = TypeVar("T")

PASSING = ("40001", "40P01")
"""SQLSTATE of a transaction that another one has stopped: a serialisation failure, a deadlock."""

TRIES = 6
FIRST_PAUSE = 0.05
"""Seconds to wait at most before the second try; each next wait is twice as long."""


def write(engine: Engine, function: Callable[..., T], *arguments: Any) -> T:
    """Call a function with a session and these arguments in one transaction; return its result.

    A deadlock or a serialisation failure rolls all back and begins again after a random pause, a
    few times: two transactions that met then no longer meet.
    """
    for number in range(TRIES):
        try:
            with Session(engine) as session, session.begin():
                return function(session, *arguments)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in PASSING or number == TRIES - 1:
                raise
        time.sleep(random.uniform(0, FIRST_PAUSE * 2**number))
    raise AssertionError("the last try returns or raises")
