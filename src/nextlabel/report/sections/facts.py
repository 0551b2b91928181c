"""Nested settings as names and values."""

from collections.abc import Iterable, Mapping
from typing import Any

from nextlabel.report.sections.section import Facts


def flatten(settings: Mapping[str, Any], prefix: str = "") -> Facts:
    """Return nested settings as dotted names and text, without those that are not set."""
    facts: list[tuple[str, str]] = []
    for name, value in settings.items():
        if isinstance(value, Mapping):
            facts += flatten(value, f"{prefix}{name}.")
        elif isinstance(value, list | tuple):
            if value:
                facts.append((prefix + name, ", ".join(map(str, value))))
        elif value is not None:
            facts.append((prefix + name, str(value)))
    return tuple(facts)


def merge(settings: Iterable[Mapping[str, Any]]) -> Facts:
    """Return each name once, with all the values that it has in several settings."""
    values: dict[str, dict[str, None]] = {}
    for mapping in settings:
        for name, value in flatten(mapping):
            values.setdefault(name, {})[value] = None
    return tuple((name, " · ".join(texts)) for name, texts in values.items())
