"""Settings that nobody knows: found before they are read, and the nearest known one named."""

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import BaseModel

from nextlabel.core.errors import UsageError, nearest


def check_keys(kind: type[BaseModel], raw: object, prefix: str) -> None:
    """Raise UsageError for the first key that `kind` does not know, and name the nearest."""
    if not isinstance(raw, Mapping):
        return
    for key, value in raw.items():
        if key not in kind.model_fields:
            raise UsageError(f"unknown key {prefix}{key}; {nearest(key, kind.model_fields)}")
        inner = _settings_in(kind.model_fields[key].annotation)
        if inner is not None:
            many = value if isinstance(value, list | tuple) else [value]
            for i, item in enumerate(many):
                place = f"{prefix}{key}." + (f"{i}." if value is many else "")
                check_keys(inner, item, place)


def _settings_in(annotation: Any) -> type[BaseModel] | None:
    """Return the settings class in an annotation such as `X`, `X | None` or `tuple[X, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_settings_in, get_args(annotation))), None)
