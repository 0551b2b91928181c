"""What a strategy's options may be: one rule for whole numbers, one for numbers of a range."""

import math
from typing import Any

from nextlabel.core.errors import UsageError


def check_whole(name: str, value: Any, least: int = 1, remedy: str = "; give one") -> None:
    """Raise UsageError unless `value` is a whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise UsageError(f"{name} {value!r} must be a whole number of at least {least}{remedy}")


def is_within(value: Any, most: float = math.inf) -> bool:
    """Return whether `value` is a finite number above 0 and up to `most`."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value) and 0 < value <= most
