"""Registries: things of one kind by name, from one file each and from other packages."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

from nextlabel.core.errors import UsageError, nearest

T = TypeVar("T")


class Registry(Generic[T]):
    """Things of one kind by name: those that the modules of a package register, and plug-ins.

    Parameters
    ----------
    kind
        The kind of thing, for messages: "strategy".
    package
        The package whose modules are imported at the first look-up; each registers its things.
    group
        The entry-point group of other packages. An entry point has the name of the thing, and its
        value is the thing itself. The group is public and does not change when the package moves.
    """

    def __init__(self, kind: str, package: str, group: str) -> None:
        self.kind, self.package, self.group = kind, package, group
        self._things: dict[str, T] = {}
        self._complete = False

    def register(self, name: str) -> Callable[[Any], Any]:
        """Return a decorator that registers a class or function as `name`."""

        def add(thing: Any) -> Any:
            self._add(name, thing)
            return thing

        return add

    def _add(self, name: str, thing: Any) -> None:
        present = self._things.get(name)
        if present is not None and _definition(present) != _definition(thing):
            raise UsageError(
                f"a second {self.kind} is called {name!r}; rename one of them",
                code="duplicate-name",
            )
        self._things[name] = thing

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
                    "repair or uninstall it",
                    code="plug-in-does-not-load",
                ) from error
            self._add(point.name, thing)
        self._complete = True

    def __iter__(self) -> Iterator[str]:
        self._discover()
        return iter(sorted(self._things))

    def __contains__(self, name: object) -> bool:
        self._discover()
        return isinstance(name, str) and name in self._things

    def __getitem__(self, name: str) -> T:
        """Return the thing called `name`.

        Raises
        ------
        UsageError
            When there is no such thing; the message gives the nearest name.
        """
        if name not in self:
            raise UsageError(
                f"unknown {self.kind} {name!r}; {nearest(name, self._things)}", code="unknown-name"
            )
        return self._things[name]


def _definition(thing: Any) -> tuple[str, str]:
    return thing.__module__, thing.__qualname__
