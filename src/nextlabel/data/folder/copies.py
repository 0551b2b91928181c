"""Copies among the files of a folder: files with equal bytes."""

from collections.abc import Sequence

from nextlabel.data.lists.manifest import Entry


def first_by_content(contents: Sequence[str | None]) -> list[int]:
    """Return for each file (N) the row of the first one with the same content, if that is known."""
    rows: dict[str, int] = {}
    return [row if c is None else rows.setdefault(c, row) for row, c in enumerate(contents)]


def copies_message(entries: Sequence[Entry], first: Sequence[int], remedy: str) -> str:
    """Return how many files are copies, an example, the remedy, and copies with other labels."""
    pairs = [(entries[k], entries[row]) for row, k in enumerate(first) if k != row]
    original, copy = pairs[0]
    text = f"{len(pairs)} file(s) are exact copies ({copy.name} of {original.name} first); {remedy}"
    other = [(one, two) for one, two in pairs if one.labels != two.labels]
    if other:
        one, two = other[0]
        text += (
            f"; {len(other)} of them have other labels than their original ({two.name}: "
            f"{_shown(two)}, {one.name}: {_shown(one)})"
        )
    return text


def _shown(entry: Entry) -> str:
    return "none" if entry.labels is None else ", ".join(entry.labels)
