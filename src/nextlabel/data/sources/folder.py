"""A folder of the user's images, in class sub-folders or with a manifest."""

import warnings
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from nextlabel.core.dataset import Images, Originals
from nextlabel.core.errors import DataError, UsageError
from nextlabel.core.types import PARTS, Part
from nextlabel.data.class_labels import encode
from nextlabel.data.decoding.versions import decoder_versions
from nextlabel.data.download import FileLocator
from nextlabel.data.folder.copies import copies_message, first_by_content
from nextlabel.data.folder.failures import failure_groups
from nextlabel.data.folder.index import FolderIndex
from nextlabel.data.folder.listing import Listing, listing_of
from nextlabel.data.folder.originals import FolderOriginals
from nextlabel.data.folder.reading import FolderReading, printable, wanted
from nextlabel.data.folder.settings import FolderSettings
from nextlabel.data.folder.summary import FolderSummary
from nextlabel.data.lists.manifest import Entry
from nextlabel.data.pixels.grey_levels import GreyLevels
from nextlabel.data.pixels.small_image_store import SmallImageStore
from nextlabel.data.registry import register
from nextlabel.data.settings import DataSettings
from nextlabel.data.source import Artefacts, Raw, SourceInfo

SIZE = 64
VERSION = 2
"""To be raised when a file gives another small image than before."""
IN_PARTS = (
    "a copy in train of an image in test makes a model look better than it is; data.unique = true "
    "leaves copies out"
)


@register("folder")
class Folder:
    """Images of any size; see `entries_of` and `read_manifest` for how labels are given.

    The manifest is `data.manifest`, or the folder's own manifest.csv; images that it does not
    name are left out, with a warning. Images become grey if all are, else RGB. Images of more
    than 8 bits are scaled together, by `data.range`: see `GreyLevels`. The order is
    that of the sorted names, which `Images.names` keeps.
    """

    settings_class: ClassVar[type[DataSettings]] = FolderSettings

    def __init__(self, settings: FolderSettings) -> None:
        self.settings, self.root = settings, settings.need_path()
        if not self.root.is_dir():
            raise UsageError(f"{self.root} is not a folder; correct data.path", code="not-a-folder")
        self._cache: Artefacts | None = None
        self._progress = False
        self._readings: dict[int, FolderReading] = {}

    @cached_property
    def listing(self) -> Listing:
        """The images, their labels, and what is left out; found once, with warnings."""
        return listing_of(self.root, self.settings)

    def use(self, cache: Artefacts | None, progress: bool) -> None:
        """Keep what is read of each file in a cache, and show the progress of reading."""
        self._cache, self._progress = cache, progress

    def reading(self, image_size: int | None) -> FolderReading:
        """Return the listed files, taken in: what is new or has changed is read now."""
        size = image_size or SIZE
        if size not in self._readings:
            index, store = self._kept(size)
            made = FolderReading(self.root, size, self.settings, index, store)
            made.take_in([entry.name for entry in self.listing.entries], self._progress)
            self._readings[size] = made
        return self._readings[size]

    def _kept(self, size: int) -> tuple[FolderIndex, SmallImageStore]:
        """Return what the cache keeps of this folder, and of images of this size."""
        if self._cache is None:
            return FolderIndex(self.root), SmallImageStore()
        root = self._cache.path("folders", {"version": VERSION, "root": self.root.resolve()})
        how = vars(wanted(self.settings)) | {"claim": None}
        decoding = {"version": VERSION, "size": size, "wanted": how, "decoders": decoder_versions()}
        images = self._cache.path("small-images", decoding)
        with self._cache.locked(root):
            index = FolderIndex(self.root, root)
        with self._cache.locked(images):
            return index, SmallImageStore(images)

    def entries(self, reading: FolderReading) -> list[Entry]:
        """Return the images to read: those listed, with `unique` the first of each content."""
        listed = self.listing.entries
        if not self.settings.unique:
            return list(listed)
        first = first_by_content([reading.contents.get(e.name) for e in listed])
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
            "version": VERSION,
            "folder": self.root.resolve().name,
            "manifest": listing.manifest,
            "files": self.reading(image_size).digest([entry.name for entry in listing.entries]),
            "image_size": image_size or SIZE,
            "options": {name: getattr(self.settings, name) for name in options},
            "decoders": decoder_versions(),
        }

    def read(self, image_size: int | None, locator: FileLocator) -> Raw:
        """Return all images, resized to squares of `image_size` (64 when None)."""
        listing, reading = self.listing, self.reading(image_size)
        entries = self.entries(reading)
        rows = reading.usable([entry.name for entry in entries])
        notes = self._report(reading, entries)
        kept = [entries[row] for row in rows]
        names = tuple(entry.name for entry in kept)
        pixels, of_pixels = reading.stack(names)
        classes, labels = encode(listing.task, [entry.labels for entry in kept])
        contents = tuple(reading.contents[name] for name in names)
        images = Images(pixels, labels, np.array(rows, np.int64), names, contents=contents)
        first = first_by_content(contents)
        copies = sum(row != k for row, k in enumerate(first))
        if copies and labels is not None:
            warnings.warn(copies_message(kept, first, IN_PARTS), stacklevel=3)
        parts = _parts(images, kept)
        labelled = sum(e.labels is not None for e in kept if (e.part or "train") == "train")
        drawn: dict[Part, int] = {
            "validation": int(self.settings.validation_fraction * labelled),
            "test": int(self.settings.test_fraction * labelled),
        }
        name = self.root.resolve().name
        sources = {**listing.manifest, name: reading.digest([entry.name for entry in entries])}
        if copies:
            notes["copies"] = str(copies)
        return Raw(name, listing.task, classes, parts, drawn, sources, notes | of_pixels)

    def summary(self, image_size: int | None) -> FolderSummary:
        """Return how many images are used, read now and left out."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # all of it was said when the images were read
            listing, reading = self.listing, self.reading(image_size)
            entries = self.entries(reading)
        rows = reading.usable([entry.name for entry in entries])
        contents = [reading.contents[entries[row].name] for row in rows]
        copies = len(listing.entries) - len(entries)
        left = listing.left_out | {"exact copy": copies}
        for group in failure_groups(self._failures(reading, entries)):
            label = f"unreadable: {group.fault}"
            left[label] = left.get(label, 0) + group.count
        ordered = sorted(left.items(), key=lambda item: (-item[1], item[0]))
        return FolderSummary(
            images=len(rows),
            read=reading.decoded + reading.hashed,
            decoded=reading.decoded,
            unchanged=reading.unchanged,
            copies=len(contents) - len(set(contents)),
            left_out={label: count for label, count in ordered if count},
        )

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

    def _report(self, reading: FolderReading, entries: Sequence[Entry]) -> dict[str, str]:
        """Return a note on the images that cannot be read, with a warning; or refuse them."""
        total = len(entries)
        failures = self._failures(reading, entries)
        if not failures:
            return {}
        groups = "; ".join(map(str, failure_groups(failures)))
        text = f"{len(failures)} of {total} images cannot be read: {groups}"
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
        return {"skipped": "\n".join(f"{name}: {why}" for name, why in failures.items())}

    @staticmethod
    def _failures(reading: FolderReading, entries: Sequence[Entry]) -> dict[str, str]:
        """Return the reason of each entry that cannot be read, by its printable name."""
        return {
            printable(entry.name): reading.failures[entry.name]
            for entry in entries
            if entry.name in reading.failures
        }


def _parts(images: Images, entries: list[Entry]) -> dict[Part, Images]:
    """Return the parts of the entries; an entry without a part belongs to train."""
    of = np.array([entry.part or "train" for entry in entries])
    named: set[Part] = {entry.part or "train" for entry in entries} | {"train"}
    if named == {"train"}:
        return {"train": images}
    return {part: images.take(np.flatnonzero(of == part)) for part in PARTS if part in named}
