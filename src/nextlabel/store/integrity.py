"""What tells a damaged store: a value that is not of the type its column declares."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from sqlalchemy import event, inspect

from nextlabel.core.errors import DataError, UsageError
from nextlabel.statistics.point_cloud import Shape
from nextlabel.store.schema import Base, MapRow

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


class _Part(BaseModel):
    model_config = ConfigDict(allow_inf_nan=False)


class _Arm(_Part):
    name: str
    strategy: str


class _Spec(_Part):
    arms: list[_Arm]


class _Settings(_Part):
    perplexity: float
    picked: int


class _Space(_Part):
    name: str
    weights: dict[str, float]
    scale: str
    dimensions: int
    picked: list[int]
    points: list[tuple[float, float]]
    in_space: Shape
    in_map: Shape


class _Content(_Part):
    ids: list[int]
    labelled: int
    spaces: list[_Space]
    facts: dict[str, Any]
    seconds: dict[str, float]
    notes: list[str]


def check_map(row: MapRow) -> None:
    """Raise ValueError unless a map has its numbers, its arms, and a point for each image."""
    _Spec.model_validate(row.spec, strict=True)
    _Settings.model_validate(row.settings, strict=True)
    content = _Content.model_validate(row.content)
    if any(len(space.points) != len(content.ids) for space in content.spaces):
        raise ValueError("a map with more or fewer points than images")
