"""The listing of a folder: its images with their labels, and what is left out."""

import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nextlabel.core.errors import DataError, UsageError
from nextlabel.core.types import Task
from nextlabel.data.folder.class_folders import entries_of
from nextlabel.data.folder.settings import FolderSettings
from nextlabel.data.folder.walk import Group, Walk, walk
from nextlabel.data.formats import FORMATS
from nextlabel.data.formats.kinds import kind_of
from nextlabel.data.lists.manifest import Entry, holds_project_labels, read_manifest
from nextlabel.files.digest import file_digest

MANIFEST = "manifest.csv"
IS_THE_MANIFEST = "the manifest"
COMPANIONS = frozenset(
    ".csv .db .html .ini .ipynb .json .log .md .npy .npz .parquet .pdf .pickle .pkl .pt .py .sh "
    ".sqlite .toml .tsv .txt .xls .xlsx .xml .yaml .yml .zip".split()
)
"""Suffixes of files that often lie next to images; if these alone are left, no warning is given."""


@dataclass(frozen=True)
class Listing:
    """The images of a folder to read, sorted by name, and what the walk has left out.

    `manifest` holds the sha256 of the manifest by its name; it is empty where there is none.
    `unlisted` are the images that the manifest does not name; `of_project` says that the manifest
    holds the labels of a project.
    """

    task: Task
    entries: tuple[Entry, ...]
    manifest: dict[str, str]
    walk: Walk
    unlisted: Group
    of_project: bool = False

    @property
    def left_out(self) -> dict[str, int]:
        """The numbers of files, links and folders that the listing does not take, by kind."""
        left = {
            "without a label" if self.of_project else "not in the manifest": self.unlisted.count,
            "link out of the folder": self.walk.outside.count,
            "link to a file that is read already": self.walk.repeated.count,
            "folder that a program has written": self.walk.outputs.count,
        }
        for (suffix, _), group in self.walk.unread.items():
            label = suffix or "file without a suffix"
            left[label] = left.get(label, 0) + group.count
        return left


def listing_of(root: Path, settings: FolderSettings) -> Listing:
    """Return the listing of a folder; warns of images that are left out.

    Raises
    ------
    UsageError
        The manifest that is named does not exist.
    DataError
        There is no image, the manifest is wrong, or images lie next to class folders.
    """
    path = _manifest(root, settings)

    def reason(file: Path) -> str | None:
        if path is not None and file.name == path.name and file.resolve() == path.resolve():
            return IS_THE_MANIFEST
        return kind_of(file).reason

    walked = walk(root, reason, settings.follow_links)
    for suffix in [suffix for suffix, why in walked.unread if why == IS_THE_MANIFEST]:
        del walked.unread[suffix, IS_THE_MANIFEST]  # it is read, though not as an image
    unlisted = Group()
    if path is None:
        task: Task = "multiclass"
        if not walked.names:
            raise _without_images(root, walked)
        entries = entries_of(root, walked.names, settings.classes)
        digests = {}
    else:
        manifest = read_manifest(path, root, settings.task)
        task, entries = manifest.task, sorted(manifest.entries, key=lambda entry: entry.name)
        if not settings.follow_links:
            entries = _inside(root, entries, walked.outside)
        digests = {path.name: file_digest(path)}
        for name in sorted({*walked.names} - {entry.name for entry in entries}):
            unlisted.add(name)
        if settings.classes == "none":
            task, entries = "multiclass", [Entry(e.name, None, e.part) for e in entries]
    of_project = path is not None and holds_project_labels(path)
    listing = Listing(task, tuple(entries), digests, walked, unlisted, of_project)
    for message in _warnings(root, listing):
        warnings.warn(message, stacklevel=2)
    return listing


def _inside(root: Path, entries: list[Entry], outside: Group) -> list[Entry]:
    """Return the entries that no link leads out of the folder; count the others."""
    real, kept = root.resolve(), []
    for entry in entries:
        path = root / entry.name
        if path.exists() and not path.resolve().is_relative_to(real):
            outside.add(entry.name)
        else:
            kept.append(entry)
    return kept


def _manifest(root: Path, settings: FolderSettings) -> Path | None:
    named = settings.manifest
    if named is None:
        manifest = root / MANIFEST
        return manifest if settings.with_own_manifest and os.path.lexists(manifest) else None
    for path in (root / named, named):
        if path.is_file():
            return path
    raise UsageError(
        f"manifest {named} is neither in {root} nor in the working directory; correct "
        "data.manifest, or --manifest",
        code="no-such-manifest",
    )


def _without_images(root: Path, walked: Walk) -> DataError:
    left = "".join(f"; {sentence}" for sentence in (*_kinds(walked), *_links(walked)))
    return DataError(
        f"{root} does not hold an image that is read ({', '.join(FORMATS)}){left}; "
        "give the folder that the images are in",
        code="folder-without-images",
    )


def _warnings(root: Path, listing: Listing) -> Iterator[str]:
    walked, name = listing.walk, root.resolve().name
    if listing.unlisted.count:
        lack = "have no label in the project" if listing.of_project else "are not in the manifest"
        yield (
            f"{listing.unlisted.count} image(s) of {name} ({listing.unlisted.first} first) {lack} "
            "and are left out"
        )
    kinds = _kinds(walked)
    if any(suffix not in COMPANIONS for suffix, _ in walked.unread):
        total = sum(group.count for group in walked.unread.values())
        yield f"{total} file(s) of {name} are left out: {'; '.join(kinds)}"
    for sentence in _links(walked):
        yield f"{name}: {sentence}"
    if walked.outputs.count:
        yield (
            f"{name}: {walked.outputs.count} folder(s) that a program has written "
            f"({walked.outputs.first} first) do not count as data and are left out"
        )


def _kinds(walked: Walk) -> list[str]:
    """Return how many files of each kind are not read, why, and the first of them."""
    ordered = sorted(walked.unread.items(), key=lambda item: (-item[1].count, item[0]))
    return [
        f"{group.count} {suffix or 'without a suffix'} ({group.first} first): {reason}"
        for (suffix, reason), group in ordered
    ]


def _links(walked: Walk) -> Iterator[str]:
    outside, repeated = walked.outside, walked.repeated
    if outside.count:
        yield (
            f"{outside.count} link(s) ({outside.first} first) lead out of the folder and are not "
            "followed; follow them by --follow-links, in experiments data.follow_links = true"
        )
    if repeated.count:
        yield (
            f"{repeated.count} link(s) ({repeated.first} first) lead to what is read already under "
            "another name, and are left out"
        )
