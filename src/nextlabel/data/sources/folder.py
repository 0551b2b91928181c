"""A folder of the user's images, in class sub-folders or with a manifest."""

import warnings
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from nextlabel.core.dataset import Images
from nextlabel.core.errors import DataError, UsageError
from nextlabel.core.originals import Originals
from nextlabel.core.types import PARTS, Part
from nextlabel.data.class_labels import encode
from nextlabel.data.download import FileLocator
from nextlabel.data.formats.versions import decoder_versions
from nextlabel.data.lists.manifest import Entry
from nextlabel.data.originals import FolderOriginals
from nextlabel.data.pixels.grey_levels import GreyLevels
from nextlabel.data.registry import register
from nextlabel.data.source import Raw, SourceInfo
from nextlabel.data.sources.file_copies import copies_message, first_by_content
from nextlabel.data.sources.folder_listing import Listing, listing_of
from nextlabel.data.sources.folder_reading import FolderReading, contents, wanted
from nextlabel.data.sources.folder_settings import FolderSettings

SIZE = 64


@register("folder")
class Folder:
    """Images of any size; see `entries_of` and `read_manifest` for how labels are given.

    The manifest is `data.manifest`, or the folder's own manifest.csv; images that it does not
    name are left out, with a warning. Images become grey if all are, else RGB. Images of more
    than 8 bits are scaled together, by `data.range`: see `GreyLevels`. The order is
    that of the sorted names, which `Images.names` keeps.
    """

    settings_class = FolderSettings

    def __init__(self, settings: FolderSettings) -> None:
        self.settings, self.root = settings, settings.need_path()
        if not self.root.is_dir():
            raise UsageError(f"{self.root} is not a folder; correct data.path", code="not-a-folder")

    @cached_property
    def listing(self) -> Listing:
        """The images, their labels, and what is left out; found once, with warnings."""
        return listing_of(self.root, self.settings)

    @cached_property
    def contents(self) -> Sequence[str]:
        """The sha256 of each listed file; for one that cannot be read, the reason."""
        return contents(self.root, self.listing.entries)

    @cached_property
    def entries(self) -> Sequence[Entry]:
        """The images to read: those listed, with `unique` the first of each content."""
        listed = self.listing.entries
        if not self.settings.unique:
            return listed
        first = first_by_content(self.contents)
        different = [entry for row, entry in enumerate(listed) if first[row] == row]
        if len(different) < len(listed):
            warnings.warn(copies_message(listed, first, "they are left out"), stacklevel=2)
        return different

    @classmethod
    def info(cls, name: str, locator: FileLocator) -> SourceInfo:
        """Return that everything depends on the folder."""
        return SourceInfo(name, None, (), {}, None, "path")

    def identity(self, image_size: int | None) -> Mapping[str, Any]:
        """Return the digests of manifest and files, the settings, and the decoders' versions."""
        listing = self.listing
        options = (
            "unreadable",
            "validation_fraction",
            "test_fraction",
            "max_pixels",
            "classes",
            "task",
            "unique",
            "channels",
            "page",
            "project",
            "range",
        )
        return {
            "folder": self.root.resolve().name,
            "manifest": listing.manifest,
            "files": [[e.name, c] for e, c in zip(listing.entries, self.contents, strict=True)],
            "image_size": image_size or SIZE,
            "options": {name: getattr(self.settings, name) for name in options},
            "decoders": decoder_versions(),
        }

    def read(self, image_size: int | None, locator: FileLocator) -> Raw:
        """Return all images, resized to squares of `image_size` (64 when None)."""
        task, entries, sources = self.listing.task, self.entries, {**self.listing.manifest}
        reading = FolderReading(self.root, image_size or SIZE, self.settings)
        rows = reading.read(entries, locator.progress)
        self._report(reading.failures, len(entries))
        kept = [entries[row] for row in rows]
        classes, labels = encode(task, [entry.labels for entry in kept])
        images = Images(
            reading.stack(),
            labels,
            np.array(rows, np.int64),
            tuple(entry.name for entry in kept),
        )
        parts = _parts(images, kept)
        labelled = sum(e.labels is not None for e in kept if (e.part or "train") == "train")
        drawn: dict[Part, int] = {
            "validation": int(self.settings.validation_fraction * labelled),
            "test": int(self.settings.test_fraction * labelled),
        }
        name = self.root.resolve().name
        sources[name] = reading.digest.hexdigest()
        return Raw(name, task, classes, parts, drawn, sources, reading.notes)

    def originals(self, notes: Mapping[str, str]) -> Originals:
        """Return the files, whose values of more than 8 bits are scaled as `read` noted.

        Parameters
        ----------
        notes
            The facts that `read` gave.
        """
        return FolderOriginals(
            self.root,
            wanted(self.settings),
            GreyLevels.from_notes(notes),
            self.settings.channel_count,
        )

    def _report(self, failures: list[str], total: int) -> None:
        if not failures:
            return
        text = f"{len(failures)} of {total} images cannot be read: {'; '.join(failures)}"
        if self.settings.unreadable == "refuse":
            raise DataError(
                f"{text}; repair or remove them, or skip them by --unreadable skip, in experiments "
                'data.unreadable = "skip"',
                code="images-unreadable",
            )
        if len(failures) == total:
            raise DataError(
                f"{text}; give at least one image that can be read", code="images-unreadable"
            )
        warnings.warn(f"{text}; they are left out", stacklevel=4)


def _parts(images: Images, entries: list[Entry]) -> dict[Part, Images]:
    """Return the parts of the entries; an entry without a part belongs to train."""
    of = np.array([entry.part or "train" for entry in entries])
    named: set[Part] = {entry.part or "train" for entry in entries} | {"train"}
    if named == {"train"}:
        return {"train": images}
    return {part: images.take(np.flatnonzero(of == part)) for part in PARTS if part in named}
