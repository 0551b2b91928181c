"""Settings: frozen groups of hyper-parameters, and a fault in them as one sentence."""

import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, get_args

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from nextlabel.core.errors import NextlabelError, UsageError, nearest

LONGEST = 60
"""Characters of a value that are shown."""

BOUNDS = {
    "greater_than": "must be greater than {gt}; raise it",
    "greater_than_equal": "must be at least {ge}; raise it",
    "less_than": "must be less than {lt}; lower it",
    "less_than_equal": "must be at most {le}; lower it",
    "finite_number": "must be finite; give another number",
    "literal_error": "must be {expected}; choose one of them",
    "string_pattern_mismatch": "must match {pattern}; give another name",
    "string_too_short": "must have at least {min_length} character; write some",
    "too_short": "must have at least {min_length} item; add one",
    "too_long": "must have at most {max_length} items; leave some out",
    "extra_forbidden": "is unknown here; leave it out",
}
"""The rest of the message for each kind of limit, by pydantic's names of kinds and limits."""

TYPES = {
    "int": "must be a whole number",
    "float": "must be a number",
    "bool": "must be true or false",
    "string": "must be text",
    "path": "must be a path",
    "tuple": "must be a list",
    "list": "must be a list",
    "dict": "must be a table",
    "mapping": "must be a table",
    "model": "must be a table",
}
"""The name in TOML of each kind of value."""

WRITTEN = {
    "a whole number": "write it without quotes and decimals",
    "a number": "write it without quotes",
    "true or false": "write one of them without quotes",
    "text": "put it in quotes",
    "a path": "put it in quotes",
    "a list": "put it in brackets, as [1, 2]",
    "a table": "put it in braces, as { key = value }",
}
"""The spelling in TOML of each kind of value."""


class Settings(BaseModel):
    """Base of all settings: immutable, strict about names and types, with finite numbers.

    A type is as TOML has it: true is not a number, "5" is text, and 5.0 is not a whole number,
    though 5 is a number of any kind. A numpy number counts as the Python number. A field
    without a TOML spelling, such as a tuple or a path, says `strict=False`.

    `later` names the fields of a class that came after the first stores were written: at their
    default they decide nothing new, and so stay out of `decisive`. A subclass names its own alone.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, protected_namespaces=()
    )
    later: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _numpy_numbers(cls, values: Any) -> Any:
        return python_numbers(values)

    def decisive(self) -> dict[str, Any]:
        """Return all settings as JSON values, for keys that outlive new settings."""
        fields = type(self).model_fields
        values = self.model_dump(mode="json")
        later = frozenset().union(*(vars(c).get("later", ()) for c in type(self).__mro__))
        for name in later:
            if getattr(self, name) == fields[name].get_default(call_default_factory=True):
                del values[name]
        return values


def python_numbers(value: Any) -> Any:
    """Return a value with Python numbers in the place of numpy's, also within lists and tables."""
    if isinstance(value, np.generic):
        return value.item()
    if type(value) is dict:
        return {key: python_numbers(inner) for key, inner in value.items()}
    if type(value) in (list, tuple):
        return type(value)(python_numbers(inner) for inner in value)
    return value


def as_options(options: object, example: Mapping[str, Any]) -> dict[str, Any]:
    """Return options by name, none for None; UsageError, with the example, for no mapping."""
    if options is None:
        return {}
    if not isinstance(options, Mapping):
        raise UsageError(
            f"options {options!r} are not a mapping; give names and values, {dict(example)}",
            code="options-not-a-mapping",
        )
    return dict(options)


def refusal(error: ValidationError, prefix: str = "", values: object = None) -> str:
    """Return the first fault as "key: value must …; remedy", with `prefix` before the key.

    An item of a list is named by its `name`, where `values`, the settings as given, have one.
    """
    first = error.errors()[0]
    dotted_key = ".".join(filter(None, [prefix, *_steps(first["loc"], values)]))
    return ": ".join(filter(None, [dotted_key, _sentence(first)]))


def refusal_code(error: ValidationError) -> str:
    """Return the code of the first fault: that of the error that a validator raised, if any."""
    raised = error.errors()[0].get("ctx", {}).get("error")
    return raised.code if isinstance(raised, NextlabelError) else "invalid-setting"


def _steps(path: Iterable[int | str], values: Any) -> Iterator[str]:
    """Yield the steps of a path as a file or an override names them."""
    for step in path:
        try:
            values = values[step]
        except (TypeError, KeyError, IndexError):
            values = None
        yield _step(step, values)


def _step(step: int | str, value: object) -> str:
    name = value.get("name") if isinstance(step, int) and isinstance(value, Mapping) else None
    if not isinstance(name, str) or not name:
        return str(step)
    return name if re.fullmatch(r"[\w-]+", name) else repr(name)


def _sentence(fault: Mapping[str, Any]) -> str:
    fault_type, value = fault["type"], _shown(fault["input"])
    if fault_type == "missing":
        return "is missing; add it"
    if fault_type == "value_error":  # our own words
        return str(fault["msg"]).removeprefix("Value error, ")
    if fault_type in BOUNDS:
        limits = {
            name: f"{limit:g}" if isinstance(limit, float) else limit
            for name, limit in fault.get("ctx", {}).items()
        }
        return f"{value} {BOUNDS[fault_type].format(**limits)}"
    what = TYPES.get(fault_type.partition("_")[0])
    if what is not None:
        return f"{value} {what}; {WRITTEN[what.removeprefix('must be ')]}"
    said = " ".join(str(fault["msg"]).split())
    return f"{value} is refused ({said}); give another value"


def _shown(value: Any) -> str:
    """Return a value as a file has it; a table or a list by its kind."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list | tuple):
        return "a list" if value else "an empty list"
    if value is None:
        return "nothing"
    shown = repr(value)
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…"


def check_keys(
    settings_class: type[BaseModel],
    raw: object,
    prefix: str,
    tables: Mapping[str, type[BaseModel]] = MappingProxyType({}),
    *,
    file: object = None,
) -> None:
    """Raise UsageError for the first key that `settings_class` does not have, and name the nearest.

    `tables` gives the classes of tables that have another class than the field says, and `file`
    the file that the keys come from.
    """
    if not isinstance(raw, Mapping):
        return
    for key, value in raw.items():
        if key not in settings_class.model_fields:
            raise UsageError(
                f"{'' if file is None else f'{file}: '}unknown key {prefix}{key}; "
                f"{nearest(key, settings_class.model_fields)}",
                code="unknown-key",
            )
        inner = tables.get(key) or _settings_in(settings_class.model_fields[key].annotation)
        if inner is not None:
            many = value if isinstance(value, list | tuple) else [value]
            for i, item in enumerate(many):
                inner_prefix = f"{prefix}{key}." + (f"{_step(i, item)}." if value is many else "")
                check_keys(inner, item, inner_prefix, file=file)


def _settings_in(annotation: Any) -> type[BaseModel] | None:
    """Return the settings class in an annotation such as `X`, `X | None` or `tuple[X, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_settings_in, get_args(annotation))), None)
