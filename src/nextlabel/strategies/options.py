"""Checks of a strategy's options: numpy numbers become Python numbers, others are refused."""

import math
from typing import Any

import numpy as np

from nextlabel.core.errors import UsageError


def whole(name: str, value: Any, least: int = 1, remedy: str = "give such a number") -> int:
    """Return the option `name` as an int; UsageError unless it is whole and at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise UsageError(
            f"{name} {value!r} must be a whole number of at least {least}; {remedy}",
            code="option-not-whole",
        )
    return int(value)


def optional_whole(name: str, value: Any, remedy: str) -> int | None:
    """Return None for None, else as `whole`, from 1."""
    return None if value is None else whole(name, value, remedy=remedy)


def positive(
    name: str, value: Any, limit: str, remedy: str, *, least: float = 0, most: float = math.inf
) -> float:
    """Return the option `name` as a float; UsageError unless it is finite, above 0 and in range.

    The range is `least` to `most`. `limit` says in words what the option may be.
    """
    number = isinstance(value, int | float | np.integer | np.floating)
    if isinstance(value, bool) or not number or not math.isfinite(value):
        value_fits = False
    else:
        value_fits = value > 0 and least <= value <= most
    if not value_fits:
        raise UsageError(f"{name} {value!r} must be {limit}; {remedy}", code="option-out-of-range")
    return float(value)


def set_option(strategy: object, name: str, value: object) -> None:
    """Store a checked option in a frozen strategy, from its `__post_init__`."""
    object.__setattr__(strategy, name, value)
