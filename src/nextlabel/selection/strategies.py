"""Strategies as users give them: a name, a common other name, a class or an object."""

from collections.abc import Mapping
from typing import Any

from nextlabel.core.errors import UsageError
from nextlabel.core.settings import as_options, python_numbers
from nextlabel.core.strategy import Strategy
from nextlabel.strategies import STRATEGIES, create
from nextlabel.strategies.switch import Switch

OTHER_NAMES = {
    "coreset": "core_set",
    "k_center": "core_set",
    "k_centre": "core_set",
    "kcenter": "core_set",
    "k_center_greedy": "core_set",
    "least_confident": "least_confidence",
    "maxherding": "max_herding",
    "probcover": "prob_cover",
}
"""Names in use elsewhere, for strategies of the same maths; experiments take our names only, since
a trial is found again by the name of its strategy."""

ABSENT = {
    "batchbald": "bald ranks images one by one; uherding and badge avoid similar images",
}
"""Well-known strategies that are not here, and what there is instead."""


def strategy_of(
    strategy: str | Strategy | type[Strategy] | None, options: Mapping[str, Any] | None
) -> Strategy:
    """Return the strategy that a user means; core-set for None.

    A name may be one of `OTHER_NAMES`, and may have capitals and hyphens. A class is called with
    `options`; an object has its options already.

    Raises
    ------
    UsageError
        For an unknown name, unknown or bad options, or what is not a strategy.
    """
    given = python_numbers(as_options(options, {"radius": 0.5}))
    if strategy is None:
        return create("core_set", given)
    if isinstance(strategy, str):
        return create(_known_name(strategy), given)
    if isinstance(strategy, type):
        try:
            made: object = strategy(**given)
        except TypeError as error:
            raise UsageError(
                f"strategy {strategy.__name__} does not take these options ({error}); give those "
                "that it has",
                code="unknown-option",
            ) from error
    elif given:
        raise UsageError(
            f"the strategy {type(strategy).__name__} has its options already; leave options out",
            code="options-twice",
        )
    else:
        made = strategy
    if not isinstance(made, Strategy):
        raise UsageError(
            f"strategy {strategy!r} is not a strategy; give a name such as 'core_set', or an "
            "object with `needs` and `select`",
            code="not-a-strategy",
        )
    return made


def name_of(strategy: Strategy) -> str:
    """Return the name of a strategy as the lists have it, or that of its class."""
    first = strategy.first if isinstance(strategy, Switch) else strategy
    names = (name for name in STRATEGIES if STRATEGIES[name] is type(first))
    return next(names, type(first).__name__)


def _known_name(given: str) -> str:
    name = given.strip().lower().replace("-", "_").replace(" ", "_")
    name = OTHER_NAMES.get(name, name)
    if name in STRATEGIES:
        return name
    if name in ABSENT:
        raise UsageError(
            f"strategy {given!r} is not available: {ABSENT[name]}", code="strategy-not-available"
        )
    return given
