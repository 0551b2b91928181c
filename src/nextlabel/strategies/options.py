"""Checks of a strategy's options: numpy numbers become Python numbers, others are refused."""

import math
from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np

from nextlabel.core.errors import UsageError

SIMPLE: dict[Any, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
    NoneType: "None",
}
"""The types of options that are checked, as messages name them."""


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
    is_number = isinstance(value, int | float | np.integer | np.floating)
    try:
        number = float(value) if is_number and not isinstance(value, bool) else math.nan
    except OverflowError:  # a whole number beyond all floats
        number = math.inf
    if not (math.isfinite(number) and number > 0 and least <= number <= most):
        raise UsageError(f"{name} {value!r} must be {limit}; {remedy}", code="option-out-of-range")
    return number


def check_types(strategy: str, strategy_class: type, options: Mapping[str, Any]) -> None:
    """Raise UsageError for an option that is not of the type that its class gives it.

    Types other than int, float, bool, str and None, and unions with them, are left to the class.
    """
    try:
        types = get_type_hints(strategy_class)
    except (NameError, TypeError):  # a type that is only there for type checkers
        return
    for name, value in options.items():
        hint = types.get(name, Any)
        one_of = get_args(hint) if isinstance(hint, UnionType) or get_origin(hint) is Union else ()
        wanted = one_of or (hint,)
        if all(each in SIMPLE for each in wanted) and not any(_is(value, each) for each in wanted):
            words = " or ".join(SIMPLE[each] for each in wanted)
            raise UsageError(
                f"strategy {strategy!r}: option {name} {value!r} must be {words}; give that",
                code="option-of-another-type",
            )


def _is(value: object, wanted: type) -> bool:
    if isinstance(value, bool) or wanted is bool:
        return isinstance(value, bool) and wanted is bool
    return isinstance(value, int | float if wanted is float else wanted)


def set_option(strategy: object, name: str, value: object) -> None:
    """Store a checked option in a frozen strategy, from its `__post_init__`."""
    object.__setattr__(strategy, name, value)
