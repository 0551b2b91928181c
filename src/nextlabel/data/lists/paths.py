"""Paths in a manifest, as names of images below the folder that it describes."""

import os
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from nextlabel.core.errors import DataError
from nextlabel.data.lists.image_names import as_path, composed


class PathsBelow:
    """Names of images below `root`, from paths relative to it or to `place`, or absolute."""

    def __init__(self, root: Path, place: Path) -> None:
        self.root = root
        self._roots = [os.path.abspath(root), os.path.realpath(root)]  # noqa: PTH100
        self._bases = [*self._roots[:1], os.path.abspath(place)]  # noqa: PTH100
        self._listed = cache(_names_by_composed)

    def is_image(self, text: str) -> bool:
        """Return whether a path leads to a file below `root`."""
        return bool(text) and self._on_disk(text) is not None

    def name(self, line_name: str, text: str) -> str:
        """Return a path as a name: relative to `root`, with `/`, spelled as on the disk.

        A relative path is relative to `root` if a file is there, else to `place`. When neither
        has the file, the name is the one below `root`.

        Raises
        ------
        DataError
            The path is empty, leads out of `root`, or may be two files.
        """
        if not text:
            raise DataError(f"{line_name}: the path is empty; give one", code="manifest-path-empty")
        on_disk = self._on_disk(text)
        if on_disk is not None:
            return on_disk
        inside = self._inside(as_path(text))
        if not inside:
            raise DataError(
                f"{line_name}: {text!r} leads out of the folder {self.root}; give a path in it",
                code="manifest-path-outside",
            )
        return inside[0]

    def _inside(self, path: str) -> list[str]:
        """Return the names that a path may be, those below `root` alone."""
        names: list[str] = []
        for base in self._bases:
            whole = os.path.normpath(os.path.join(base, path))  # noqa: PTH118
            folder, file = os.path.split(whole)
            real = os.path.join(os.path.realpath(folder), file)  # noqa: PTH118
            for root in self._roots:
                beginning = os.path.join(root, "")  # noqa: PTH118
                for form in (whole, real):
                    if form.startswith(beginning):
                        names.append(form.removeprefix(beginning))
        return [name.replace(os.sep, "/") for name in dict.fromkeys(names) if _is_name(name)]

    def _on_disk(self, text: str) -> str | None:
        for name in self._inside(as_path(text)):
            spelled = self._spelled(name)
            if spelled is not None:
                return spelled
        return None

    def _spelled(self, name: str) -> str | None:
        """Return a name as the disk spells it, None when there is no such file."""
        if os.path.isfile(self.root / name):  # noqa: PTH113 - False for a name that is too long
            return name
        folder = ""
        for step in name.split("/"):
            alike = self._listed(self.root / folder).get(composed(step), [])
            exact = [spelling for spelling in alike if spelling == step] or alike
            if len(exact) > 1:
                first, second = (ascii(folder + spelling) for spelling in exact[:2])
                raise DataError(
                    f"{name!r} may be {first} or {second}, which are equal but for the form of "
                    "their characters; rename one of the two",
                    code="name-ambiguous",
                )
            if not exact:
                return None
            folder += exact[0] + "/"
        return folder[:-1]


def _is_name(path: str) -> bool:
    """Return whether a path has no drive, as Windows writes one."""
    return ":" not in path.partition("/")[0]


def _names_by_composed(folder: Path) -> Mapping[str, list[str]]:
    """Return the names in a folder by their composed form; none for an unreadable folder."""
    names: dict[str, list[str]] = defaultdict(list)
    try:
        for name in os.listdir(folder):  # noqa: PTH208
            names[composed(name)].append(name)
    except OSError:
        return {}
    return names
