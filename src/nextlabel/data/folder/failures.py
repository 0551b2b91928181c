"""Files of a folder that cannot be read, in groups of one reason each."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_DETAIL = re.compile(r" \([^()]{40,}\)$")
_OPEN = "…"
_NUMBER = re.compile(r"\d[\d.,]*\d|\d")


@dataclass(frozen=True)
class FailureGroup:
    """Files that cannot be read for one reason.

    Parameters
    ----------
    reason : str
        The fault and the remedy, in words that follow a name; numbers that differ among the files
        are left out as "…".
    count : int
        The number of files.
    first : str
        The first of them by name.
    """

    reason: str
    count: int
    first: str

    @property
    def fault(self) -> str:
        """The reason in short: without the remedy, a long detail in brackets, and "it"."""
        return _DETAIL.sub("", self.reason.partition(";")[0]).removeprefix("it ")

    def __str__(self) -> str:
        """Return the group as a part of a sentence: "2 images (a.png first): the file is empty"."""
        files = self.first if self.count == 1 else f"{self.count} images ({self.first} first)"
        return f"{files}: {self.reason}"


def failure_groups(failures: Mapping[str, str]) -> list[FailureGroup]:
    """Return the groups of reasons by the name of each file, the largest group first.

    Reasons that differ in numbers alone are one.
    """
    names: dict[str, list[str]] = {}
    for name in sorted(failures):
        names.setdefault(_NUMBER.sub(_OPEN, failures[name]), []).append(name)
    groups = [
        FailureGroup(_common([failures[name] for name in same]), len(same), same[0])
        for same in names.values()
    ]
    return sorted(groups, key=lambda group: (-group.count, group.first))


def _common(reasons: Sequence[str]) -> str:
    """Return reasons that are equal but for numbers as one, without the numbers that differ."""
    columns = zip(*map(_NUMBER.findall, reasons), strict=True)
    numbers = iter([row[0] if len(set(row)) == 1 else _OPEN for row in columns])
    return _NUMBER.sub(lambda _: next(numbers), reasons[0])
