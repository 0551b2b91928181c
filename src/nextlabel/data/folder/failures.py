"""Files of a folder that cannot be read, in groups of one reason each."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_DETAIL = re.compile(r" \([^()]*\)$")
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
        """The reason in short: without the remedy, a detail in brackets, and "it"."""
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
        names.setdefault(_NUMBER.sub("…", failures[name]), []).append(name)
    groups = []
    for common, of_reason in names.items():
        texts = {failures[name] for name in of_reason}
        reason = texts.pop() if len(texts) == 1 else common
        groups.append(FailureGroup(reason, len(of_reason), of_reason[0]))
    return sorted(groups, key=lambda group: (-group.count, group.first))
