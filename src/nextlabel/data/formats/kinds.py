"""Kinds of files: which format reads a file, or why none does."""

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path, PurePath

from nextlabel.data.decoding.base import HEAD
from nextlabel.data.formats import FORMATS
from nextlabel.data.formats.unread import reason_by_head, reason_by_suffix
from nextlabel.files.arrays import check_regular

NOT_AN_IMAGE = "not an image"


@dataclass(frozen=True)
class Kind:
    """The name of the format that reads a file, or else the reason why none does.

    The reason is the same for all files of a kind, so that files are counted by it; it has a
    remedy where there is one.
    """

    format: str | None
    reason: str | None = None


def kind_of(path: Path) -> Kind:
    """Return the kind of a file: by its suffix where that is known, else by its first bytes.

    A file of a known suffix is not opened, so this is quick for a folder of images; `decode`
    reads the content later.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    ends = ["".join(suffixes[-2:]), *suffixes[-1:]]
    for end in ends:
        reason = reason_by_suffix(end)
        if reason is not None:
            return Kind(None, reason)
        if end in _by_suffix():
            return _kind(_by_suffix()[end])
    try:
        check_regular(path)
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError as error:
        return Kind(None, f"cannot be opened ({error.strerror or error})")
    if not head:
        return Kind(None, "an empty file")
    return kind_by_head(head) or Kind(None, NOT_AN_IMAGE)


def has_image_suffix(name: str) -> bool:
    """Return whether a name ends as those of image files do, of kinds that are read or known."""
    end = PurePath(name).suffix.lower()
    return end in _by_suffix() or reason_by_suffix(end) is not None


def kind_by_head(head: bytes) -> Kind | None:
    """Return the kind of a file that starts with `head`; None when it is not a known one."""
    for name in FORMATS:
        if FORMATS[name]().recognises(head):
            return _kind(name)
    reason = reason_by_head(head)
    return None if reason is None else Kind(None, reason)


def _kind(name: str) -> Kind:
    lacking = [module for module in FORMATS[name].needs if find_spec(module) is None]
    if not lacking:
        return Kind(name)
    package = FORMATS[name].install or " ".join(lacking)
    return Kind(None, f"{name} is read after `pip install {package}`")


@cache
def _by_suffix() -> dict[str, str]:
    """Return the name of the format of each suffix."""
    return {suffix: name for name in FORMATS for suffix in FORMATS[name].suffixes}
