"""Finding what is there: one file each in a package, and third parties' entry points."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

from nextlabel.core.errors import UsageError, nearest

T = TypeVar("T")


class Registry(Generic[T]):
    """Names to things of one kind, found by importing every module of `package`.

    A third party adds to it by an entry point in `group`, whose value is the registered thing. The
    group's name is public and stays the same wherever the package moves. A name stands for one
    thing only.
    """

    def __init__(self, kind: str, package: str, group: str) -> None:
        self.kind, self.package, self.group = kind, package, group
        self._found: dict[str, T] = {}
        self._complete = False

    def register(self, name: str) -> Callable[[Any], Any]:
        """Return a decorator that registers a class or function as `name`."""

        def add(thing: Any) -> Any:
            self._add(name, thing)
            return thing

        return add

    def _add(self, name: str, thing: Any) -> None:
        known = self._found.get(name)
        if known is not None and _place(known) != _place(thing):
            raise UsageError(f"a second {self.kind} is called {name!r}; rename one of them")
        self._found[name] = thing

    def _discover(self) -> None:
        if self._complete:
            return
        package = importlib.import_module(self.package)
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{self.package}.{module.name}")
        for point in entry_points(group=self.group):
            try:
                thing = point.load()
            except (ImportError, AttributeError) as error:
                raise UsageError(
                    f"the plug-in {point.name!r} ({point.value}) does not load: {error}; "
                    "repair or uninstall it"
                ) from error
            self._add(point.name, thing)
        self._complete = True

    def __iter__(self) -> Iterator[str]:
        self._discover()
        return iter(sorted(self._found))

    def __contains__(self, name: object) -> bool:
        self._discover()
        return name in self._found

    def __getitem__(self, name: str) -> T:
        """Return the thing called `name`; UsageError with the nearest name when there is none."""
        self._discover()
        if name not in self._found:
            raise UsageError(f"unknown {self.kind} {name!r}; {nearest(name, self._found)}")
        return self._found[name]


def _place(thing: Any) -> tuple[str, str]:
    return thing.__module__, thing.__qualname__
