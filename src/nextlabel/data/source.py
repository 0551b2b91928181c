"""Sources of images: their protocol, what they return, and facts about them."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, TypeVar, runtime_checkable

from nextlabel.core.dataset import Images, Originals
from nextlabel.core.types import Part, Task
from nextlabel.data.download import FileLocator, Where
from nextlabel.data.settings import DataSettings

T = TypeVar("T")
Availability = Where | Literal["embedded", "path"]


class Artefacts(Protocol):
    """A cache of artefacts; see `nextlabel.features.cache.Cache.get`."""

    def get(
        self,
        kind: str,
        identity: Mapping[str, Any],
        make: Callable[[], T],
        save: Callable[[T, Path], None],
        load: Callable[[Path], T],
        *,
        reload: bool = False,
    ) -> tuple[T, bool]:
        """Return the artefact of an identity, made or read from its file."""
        ...

    def path(self, kind: str, identity: Mapping[str, Any]) -> Path:
        """Return the file of an artefact, whether it is there or not."""
        ...

    def locked(self, path: Path) -> AbstractContextManager[None]:
        """Let no other process into a block of code that makes the file at `path`."""
        ...


@dataclass(frozen=True, eq=False)
class Raw:
    """All images of a source, before anything is drawn.

    `parts` are those that the source itself has, "train" at least; any other is drawn from the
    labelled images of "train", `drawn` of them when the settings do not say how many. `sources`
    holds the sha256 of each file by its name, `notes` facts about the reading.
    """

    name: str
    task: Task
    classes: tuple[str, ...]
    parts: Mapping[Part, Images]
    drawn: Mapping[Part, int] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SourceInfo:
    """Facts about a source, without reading it; `images` counts each part as it is by default.

    `classes` and `images` are empty and `shape` (channels, height, width) is None where they
    depend on the user's files. `where`: "embedded", "present" in a data folder, "cached" by an
    earlier download, "download" on first use, or "path" when the user gives one.
    """

    name: str
    task: Task | None
    classes: tuple[str, ...]
    images: Mapping[Part, int]
    shape: tuple[int, int, int] | None
    where: Availability


class Source(Protocol):
    """One kind of data; registered as a class, made from settings.

    A source that decodes files may also be a `DecodingSource`. `settings_class` is `DataSettings`,
    or a subclass of it whose fields are options of this source alone: keys of `[data]`.
    """

    settings_class: ClassVar[type[DataSettings]]

    def __init__(self, settings: Any) -> None: ...

    @classmethod
    def info(cls, name: str, locator: FileLocator) -> SourceInfo:
        """Return the facts about the source called `name`, without reading it."""
        ...

    def read(self, image_size: int | None, locator: FileLocator) -> Raw:
        """Return all images.

        Parameters
        ----------
        image_size
            The side of the square images in pixels, or None for the source's own size. A source
            whose images all have one size may ignore it; they are resized afterwards.
        locator
            The places where files are found, and the download.

        Returns
        -------
        Raw
            Images as uint8 (N, C, H, W), with labels where they are known.

        Raises
        ------
        DataError
            When files cannot be used.
        """
        ...


@runtime_checkable
class DecodingSource(Source, Protocol):
    """A source whose images take longer to decode than to read from a cached file."""

    def identity(self, image_size: int | None) -> Mapping[str, Any]:
        """Return what decides everything that `read` returns, as plain values.

        The content of files counts, not their place or time. Settings of the draws are included
        by the caller.
        """
        ...


@runtime_checkable
class FileSource(Source, Protocol):
    """A source whose images are files, called by the names of the images."""

    def originals(self, notes: Mapping[str, str]) -> Originals:
        """Return the files, to be decoded at their full size as `read` decoded them.

        Parameters
        ----------
        notes
            The facts that `read` gave.
        """
        ...


@runtime_checkable
class KeepingSource(Source, Protocol):
    """A source that keeps what it reads of each file, so that only what has changed is read."""

    def use(self, cache: Artefacts | None, progress: bool) -> None:
        """Take the cache, if any, and whether to show progress, before anything is read.

        Parameters
        ----------
        cache
            The cache to keep files in.
        progress
            Draw a progress bar on stderr.
        """
        ...
