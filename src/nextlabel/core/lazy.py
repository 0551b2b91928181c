"""Names that a package loads when they are first used (PEP 562)."""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy_names(
    package: str, modules: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return `__getattr__` and `__dir__` of a package.

    Parameters
    ----------
    package
        The name of the package, `__name__` there.
    modules
        The module of each public name, as a path from the package: "core.pool". A path with a
        colon ends in the name that the thing has in its module.
    """

    def get(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        path, _, original = modules[name].partition(":")
        value = getattr(import_module(f"{package}.{path}"), original or name)
        setattr(sys.modules[package], name, value)
        return value

    def names() -> list[str]:
        there = vars(sys.modules[package])
        return sorted({*there, *there.get("__all__", ()), *modules})

    return get, names
