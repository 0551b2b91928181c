"""Folders of images whose sub-folders are parts or classes."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

from nextlabel.core.errors import DataError
from nextlabel.data.formats import FORMATS
from nextlabel.data.formats.kinds import kind_of
from nextlabel.data.lists.manifest import PART_NAMES, Entry


def image_files(root: Path) -> list[str]:
    """Return the images below `root` as sorted posix paths relative to it.

    Hidden files and folders and other kinds of file are left out. Links are followed, but never
    into a folder that is being read already.
    """
    return sorted(path.relative_to(root).as_posix() for path in _walk(root, frozenset()))


def _walk(folder: Path, above: frozenset[tuple[int, int]]) -> Iterator[Path]:
    try:
        status = folder.stat()
        here = (status.st_dev, status.st_ino)
        if here in above:
            return
        inside = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise DataError(
            f"{folder} cannot be read ({error.strerror}); make it readable",
            code="folder-unreadable",
        ) from error
    for entry in inside:
        if entry.name.startswith((".", "__MACOSX")):
            continue
        if _is_folder(entry):
            yield from _walk(Path(entry.path), above | {here})
        elif kind_of(Path(entry.path)).format is not None:
            yield Path(entry.path)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a folder; a broken or circular link is not one."""
    try:
        return entry.is_dir()
    except OSError as error:
        if error.errno == errno.ELOOP:
            return False
        raise DataError(
            f"{entry.path} cannot be read ({error.strerror}); make it readable or remove it",
            code="folder-unreadable",
        ) from error


def entries_of(root: Path) -> list[Entry]:
    """Return an entry for each image below `root`.

    Sub-folders called train, validation (val, valid) and test, with train among them and nothing
    else next to them, are parts. Within a part, or at once, sub-folders are classes, to any
    depth, and images in no sub-folder have no label. Raises DataError when there is no image,
    and when unlabelled images are next to class folders.
    """
    names = image_files(root)
    if not names:
        raise DataError(
            f"{root} does not hold an image; give a folder of {', '.join(FORMATS)} files",
            code="folder-without-images",
        )
    tops = {name.split("/")[0] for name in names}
    parts = {top: PART_NAMES.get(top.lower()) for top in tops}
    if all("/" in name for name in names) and None not in parts.values():
        if "train" in parts.values():
            entries = [
                Entry(name, _class(name.split("/")[1:]), parts[name.split("/")[0]])
                for name in names
            ]
            for part in sorted(tops):
                _check_mixed(root / part, [e for e in entries if e.name.startswith(f"{part}/")])
            return entries
    entries = [Entry(name, _class(name.split("/")), None) for name in names]
    _check_mixed(root, entries)
    return entries


def _class(pieces: list[str]) -> tuple[str, ...] | None:
    return (pieces[0],) if len(pieces) > 1 else None


def _check_mixed(folder: Path, entries: list[Entry]) -> None:
    loose = [entry.name for entry in entries if entry.labels is None]
    if loose and len(loose) < len(entries):
        raise DataError(
            f"{len(loose)} image(s) ({loose[0]} first) are next to the class folders of {folder}; "
            "move them into one, or give a manifest with their labels left empty",
            code="images-next-to-classes",
        )
