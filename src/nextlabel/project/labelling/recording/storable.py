"""Text that every database can hold, and the keys that name records."""

from nextlabel.core.errors import UsageError

LONGEST_KEY = 200


def storable(text: str) -> str:
    """Return text that every database can hold: no NUL, and no half of a character."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def key_fault(key: str) -> UsageError | None:
    """Return why a record cannot have a key; None when it can."""
    if 0 < len(key) <= LONGEST_KEY and storable(key) == key:
        return None
    return UsageError(
        f"the key {key!r:.60} must have 1 to {LONGEST_KEY} characters; give a random one",
        code="bad-key",
    )
