"""The mark of folders that nextlabel writes, so that none of them is read as data."""

from collections.abc import Iterable
from pathlib import Path

MARK = ".nextlabel-output"
NAMES = ".nextlabel-files"
"""List of the files that nextlabel wrote into a person's own folder."""
TAG = "CACHEDIR.TAG"
"""Mark of cache folders, by the convention of https://bford.info/cachedir/."""
RUN = frozenset({"store.db", "report.html"})
"""Files that a folder of results holds, also one that was written before there were marks."""

TEXT = "nextlabel writes this folder. Images in it are not taken for data.\n"
TAG_TEXT = "Signature: 8a477f597d28d172789f06886806bc55\n# This folder is a cache of nextlabel.\n"


def make_output(folder: Path, *, cache: bool = False) -> None:
    """Make a folder, with those above it, and mark it; OSError when it cannot be written.

    A folder that holds something already gets no mark: a person's images may be in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if next(folder.iterdir(), None) is None:
        (folder / (TAG if cache else MARK)).write_text(TAG_TEXT if cache else TEXT)


def remember(folder: Path, names: Iterable[str]) -> None:
    """Note the files written to a folder that has no mark, since it holds other files as well."""
    if (folder / MARK).exists() or (folder / TAG).exists():
        return
    (folder / NAMES).write_text("\n".join(sorted({*written_files(folder), *names})) + "\n")


def written_files(folder: Path) -> set[str]:
    """Return the names of the files that `remember` has noted in a folder."""
    try:
        return set((folder / NAMES).read_text(encoding="utf-8").splitlines())
    except (OSError, UnicodeError):
        return set()


def is_output(names: Iterable[str]) -> bool:
    """Return whether a folder that holds these names was written by a tool, not by a person."""
    there = set(names)
    return MARK in there or TAG in there or there >= RUN
