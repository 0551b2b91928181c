"""What tells a damaged store: a value that is not of the type its column declares."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, get_args, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError
from sqlalchemy import event, inspect

from nextlabel.core.errors import DataError, UsageError
from nextlabel.lab.schema import Base

GARBLED = (ValueError, TypeError, LookupError, AttributeError, OverflowError, UsageError, DataError)
"""What is raised on the way from a row to a value when the row is none that was ever written."""


class Damaged(Exception):
    """A value cannot have been written by a run; says which."""


@contextmanager
def garbled() -> Iterator[None]:
    """Take for damage whatever is raised in turning rows into values."""
    try:
        yield
    except ValidationError as error:
        raise Damaged(first_fault(error)) from error
    except GARBLED as error:
        said = " ".join(str(error).split())
        raise Damaged(f"{type(error).__name__}: {said}") from error


def first_fault(error: ValidationError) -> str:
    """Return where a value is not as it must be, and how it must be."""
    first = error.errors()[0]
    return ": ".join(filter(None, [".".join(map(str, first["loc"])), first["msg"]]))


@cache
def _types(kind: type[Base]) -> dict[str, TypeAdapter[Any]]:
    """Return by column what checks a value: strictly, as the schema says it, numbers finite."""
    hints = get_type_hints(kind)
    strict = ConfigDict(strict=True, allow_inf_nan=False)
    return {
        name: TypeAdapter(get_args(hints[name])[0], config=strict)
        for name in inspect(kind).columns.keys()
    }


@event.listens_for(Base, "load", propagate=True)
def _check(row: Base, _context: object) -> None:
    values = inspect(row).dict
    for name, type_ in _types(type(row)).items():
        if name in values:
            try:
                type_.validate_python(values[name])
            except ValidationError as error:
                place = f"{row.__tablename__}.{name} is {values[name]!r:.40}"
                raise Damaged(f"{place}: {first_fault(error)}") from error
