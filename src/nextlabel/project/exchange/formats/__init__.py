"""Registry of the formats in which labels leave a project and come into one.

A format is a class with the suffix of its files and `write`, and `read` where it can be read. A new
file in this package adds a format.
"""

from pathlib import Path
from typing import ClassVar, Protocol, runtime_checkable

from nextlabel.core.registry import Registry
from nextlabel.project.exchange.content import Content
from nextlabel.project.exchange.given_answers import Reading
from nextlabel.project.labelling.project import Project


class Format(Protocol):
    """A format that is written; a class that is made without arguments."""

    title: ClassVar[str]
    """The name for people: "CSV"."""
    suffix: ClassVar[str]
    """The end of file names; "" for a folder."""

    def write(self, content: Content, target: Path, link: bool) -> None:
        """Write a project to `target`, which is not there yet, or is an empty folder.

        With `link` it makes links in the place of copies, if it copies files.
        """
        ...


@runtime_checkable
class ReadableFormat(Protocol):
    """A format that is read as well."""

    def fits(self, path: Path) -> bool:
        """Return whether a file or folder looks like one of this format."""
        ...

    def read(self, path: Path, project: Project) -> Reading:
        """Return the answers in a file; DataError when it cannot be read."""
        ...


@runtime_checkable
class FormatOfPackage(Protocol):
    """A format that takes a package which may be missing."""

    def lack(self) -> str | None:
        """Return what is missing and how it comes here; None when nothing is."""
        ...


FORMATS: Registry[type[Format]] = Registry("exchange format", __name__, "nextlabel.exchange")
register = FORMATS.register
