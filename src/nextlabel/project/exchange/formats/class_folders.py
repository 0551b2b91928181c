"""Class folders: the images themselves, copied or linked into a folder per class."""

import os
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from nextlabel.core.errors import DataError
from nextlabel.data.folder.walk import walk
from nextlabel.data.formats.kinds import kind_of
from nextlabel.files.digest import file_digest
from nextlabel.project.exchange.content import Content
from nextlabel.project.exchange.formats import register
from nextlabel.project.exchange.given_answers import Given, Reading, in_order
from nextlabel.project.exchange.image_finder import ImageFinder
from nextlabel.project.labelling.layout import printable
from nextlabel.project.labelling.project import Project

UNSAFE = frozenset('/\\:*?"<>|%')
RESERVED = frozenset(
    ["con", "prn", "aux", "nul", *(f"{name}{n}" for name in ("com", "lpt") for n in range(1, 10))]
)
"""Names that Windows keeps for devices."""
NOTHING = "none"
LEFT_OUT = "left-out.txt"
"""The list of files that could not be copied."""


@register("class_folders")
class ClassFolders:
    """A folder per class; an image with several findings is in each of theirs."""

    title: ClassVar[str] = "class folders"
    suffix: ClassVar[str] = ""

    def write(self, content: Content, target: Path, link: bool) -> None:
        """Copy the labelled files, or link to them; their names below the class stay.

        A class whose name cannot be that of a folder gets one with %xx in it. Links are hard
        where the disk allows it, else symbolic. A file that has vanished since the last scan is
        left out, with a warning, and `left-out.txt` names it.
        """
        names = folder_names((*content.classes, NOTHING))
        vanished = []
        for row in content.rows:
            if row.labels is None:
                continue
            source = content.folder / row.path
            if not source.is_file():
                vanished.append(printable(row.path))
                continue
            for name in row.labels or (NOTHING,):
                copy = target / names[name] / row.path
                copy.parent.mkdir(parents=True, exist_ok=True)
                _put(source, copy, link)
        if vanished:
            (target / LEFT_OUT).write_text("\n".join([*vanished, ""]), encoding="utf-8")
            warnings.warn(
                f"{len(vanished)} labelled image(s) are left out, since their files are gone, such "
                f"as {vanished[0]!r}; {LEFT_OUT} names them",
                stacklevel=2,
            )

    def fits(self, path: Path) -> bool:
        """Return whether it is a folder."""
        return path.is_dir()

    def read(self, path: Path, project: Project) -> Reading:
        """Return the folders that images lie in as labels; images are known by their content."""
        finder = ImageFinder(project)
        labels: dict[int, list[str]] = {}
        inside = path.resolve() == project.folder.resolve()
        for name in walk(path, lambda file: kind_of(file).reason, follow_links=True).names:
            top, _, below = name.partition("/")
            if not below:
                continue
            digest = None if inside and name in finder.files else _digest(path / name)
            image = finder.image(name, digest)
            if image is not None:
                labels.setdefault(image, []).append(_class_of(top))
        if not labels:
            raise DataError(
                f"{path} has no sub-folder with images of the project; give a folder with one "
                "sub-folder per class",
                code="no-class-folders",
            )
        given = [
            Given(image, labels=in_order(n for n in names if n != NOTHING))
            for image, names in labels.items()
        ]
        return Reading(
            given, in_order(n for one in given for n in one.labels), tuple(finder.unknown)
        )


def folder_names(classes: tuple[str, ...]) -> dict[str, str]:
    """Return a name of a folder for each class; no two are equal, also without regard to case."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for one in classes:
        name = "".join(_escaped(one))
        while name.casefold() in taken:
            name = f"{name}%"
        taken.add(name.casefold())
        names[one] = name
    return names


def _escaped(name: str) -> Iterator[str]:
    """Yield the characters of a name, those that a folder cannot have as %xx."""
    reserved = name.partition(".")[0].casefold() in RESERVED
    for at, letter in enumerate(name):
        ends = letter in ". " and at in (0, len(name) - 1)
        if letter in UNSAFE or not letter.isprintable() or ends or (reserved and at == 0):
            yield from (f"%{byte:02x}" for byte in letter.encode())
        else:
            yield letter


def _class_of(name: str) -> str:
    """Return the class of a folder."""
    from urllib.parse import unquote

    return unquote(name.rstrip("%")) if "%" in name else name


def _digest(path: Path) -> str | None:
    try:
        return file_digest(path)
    except OSError:
        return None


def _put(source: Path, copy: Path, link: bool) -> None:
    if not link:
        shutil.copy2(source, copy)
        return
    try:
        os.link(source, copy)
    except OSError:  # another disk, or one without hard links
        copy.symlink_to(source.resolve())
