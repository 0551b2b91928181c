"""Folders of images whose sub-folders are parts or classes."""

import warnings
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from nextlabel.core.errors import DataError
from nextlabel.data.lists.image_names import composed
from nextlabel.data.lists.manifest import PART_NAMES, Entry

Classes = Literal["folders", "none"]


def entries_of(root: Path, names: Sequence[str], classes: Classes | None = None) -> list[Entry]:
    """Return an entry for each image of a folder, with the part and the label that its place says.

    Sub-folders called train, validation (val, valid) and test, with train among them and nothing
    else next to them, are parts. Within a part, or at once, sub-folders are classes, to any
    depth, and images in no sub-folder have no label. Warns of classes whose names differ in
    capitals, spaces or the form of their characters only.

    Parameters
    ----------
    root : Path
        The folder, for messages.
    names : sequence of str
        The images below it, sorted.
    classes : str, optional
        "none" takes no labels from folders. None and "folders" do; where images lie next to class
        folders, "folders" takes these for images without a label.

    Raises
    ------
    DataError
        Images lie next to class folders, and `classes` is None (code "images-next-to-classes").
    """
    tops = {name.split("/")[0] for name in names}
    parts = {top: PART_NAMES.get(top.lower()) for top in tops}
    split = (
        all("/" in name for name in names)
        and None not in parts.values()
        and "train" in parts.values()
    )
    entries = []
    for name in names:
        top, *below = name.split("/") if split else ("", *name.split("/"))
        label = (below[0],) if len(below) > 1 and classes != "none" else None
        entries.append(Entry(name, label, parts[top] if split else None))
    if classes is None:
        for part in sorted(tops) if split else [""]:
            _check_mixed(root / part, [e for e in entries if not part or _within(e, part)])
    _warn_of_alike({label for entry in entries for label in entry.labels or ()})
    return entries


def _within(entry: Entry, part: str) -> bool:
    return entry.name.startswith(f"{part}/")


def _check_mixed(folder: Path, entries: list[Entry]) -> None:
    loose = [entry.name for entry in entries if entry.labels is None]
    if loose and len(loose) < len(entries):
        raise DataError(
            f"{len(loose)} image(s) ({loose[0]} first) are next to the class folders of {folder}; "
            'move them into one, or say which is meant: data.classes = "folders" reads them as '
            'images without a label, data.classes = "none" reads all images without labels',
            code="images-next-to-classes",
        )


def _warn_of_alike(names: Iterable[str]) -> None:
    alike = defaultdict(list)
    for name in sorted(names):
        alike[" ".join(composed(name).casefold().split())].append(name)
    for group in alike.values():
        if len(group) > 1:
            shown = ", ".join(repr(name) for name in sorted(group))
            warnings.warn(
                f"the classes {shown} are {len(group)} different ones, though their names are "
                "nearly the same; rename the folders if one class is meant",
                stacklevel=2,
            )
