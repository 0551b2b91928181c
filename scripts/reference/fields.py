"""Types, defaults and meanings of fields, in words."""

import json
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

NAMES = {int: "whole number", float: "number", str: "text", bool: "`true` or `false`", Path: "path"}


def attribute_docstrings(cls: Any) -> dict[str, str]:
    """Return the string below each field of a class and of its bases, in one line each."""
    from nextlabel.strategies import descriptions

    meanings: dict[str, str] = {}
    for parent in reversed(cls.__mro__):
        if not parent.__module__.startswith("nextlabel"):
            continue
        meanings |= descriptions.attribute_docstrings(parent)
        described = getattr(parent, "__pydantic_fields__", {})
        for name, field in described.items():
            if getattr(field, "description", None):
                meanings[name] = " ".join(field.description.split())
    return meanings


def type_name(annotation: Any) -> str:
    """Return a type in words."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if annotation in NAMES:
        return NAMES[annotation]
    if origin is Literal:
        return " or ".join(f"`{json.dumps(value)}`" for value in inner)
    if origin in (Union, types.UnionType):
        return " or ".join(type_name(part) for part in inner if part is not type(None))
    if hasattr(annotation, "__metadata__"):
        return type_name(inner[0])
    if origin in (tuple, list):
        return f"list of {NAMES.get(inner[0], 'values')}s".replace("texts", "text")
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return "table"
    name = str(getattr(annotation, "__name__", annotation))
    return {"NoneType": "–", "Any": "any value"}.get(name, name)


def value_name(value: Any) -> str:
    """Return a default as the experiment file spells it."""
    if value is None:
        return "not set"
    if isinstance(value, Mapping):
        inside = ", ".join(f"{k} = {json.dumps(v)}" for k, v in value.items())
        return f"`{{ {inside} }}`" if inside else "`{}`"
    if isinstance(value, tuple):
        value = list(value)
    try:
        return f"`{json.dumps(value, ensure_ascii=False)}`"
    except TypeError:
        return f"`{value}`"
