"""Detection of damaged stores: values that no run has written."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from nextlabel.core.errors import DataError, StoreError, UsageError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

UNREADABLE = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    OverflowError,
    UsageError,
    DataError,
)
"""Raised between a row and its value only when no run has written the row."""


class Damaged(Exception):
    """A value in the store cannot have been written by a run; the message names it."""


def damaged(location: str, said: object) -> StoreError:
    """Return the error for a damaged store, with what is wrong in it."""
    return StoreError(
        f"{location} is damaged ({said}); restore it from a copy, or give another store",
        code="store-damaged",
    )


@contextmanager
def damage(check: Callable[[], str | None]) -> Iterator[None]:
    """Turn errors that are raised while rows become values into Damaged.

    `check` runs once in that case. What it returns is the message, unless it finds nothing.
    """
    try:
        yield
    except Damaged as error:
        raise Damaged(check() or str(error)) from error
    except UNREADABLE as error:
        said = " ".join(str(error).split())
        raise Damaged(check() or f"{type(error).__name__}: {said}") from error


def check_indexes(session: "Session", table: str) -> None:
    """Raise Damaged when the rows of a table in SQLite and its indexes differ.

    A look-up by an index that has lost an entry finds nothing, though the row is there.
    """
    if session.get_bind().dialect.name == "sqlite":
        query = f"PRAGMA integrity_check('{table}')"
        fault = str(session.connection().exec_driver_sql(query).scalar())
        if fault != "ok":
            raise Damaged(" ".join(fault.split()))


def finite(name: str, value: object) -> float:
    """Return a finite number; Damaged for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Damaged(f"{name} is {value!r:.40}, not a finite number")
    return value


def whole(name: str, value: object) -> int:
    """Return a whole number; Damaged for anything else."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise Damaged(f"{name} is {value!r:.40}, not a whole number")
    return value


def text(name: str, value: object) -> str:
    """Return text; Damaged for anything else."""
    if not isinstance(value, str):
        raise Damaged(f"{name} is {value!r:.40}, not text")
    return value


def table(name: str, value: object) -> Mapping[str, Any]:
    """Return a mapping; Damaged for anything else."""
    if not isinstance(value, dict):
        raise Damaged(f"{name} is {value!r:.40}, not a table")
    return value


def numbers(name: str, value: object) -> dict[str, float]:
    """Return a mapping to finite numbers; Damaged for anything else."""
    return {key: finite(f"{name}.{key}", number) for key, number in table(name, value).items()}
