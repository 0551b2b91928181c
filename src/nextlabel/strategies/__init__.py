"""Selection heuristics, one file each; a new file here is all that a new strategy takes."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from nextlabel.core.errors import NextlabelError, UsageError, nearest
from nextlabel.core.registry import Registry
from nextlabel.core.strategy import Strategy

STRATEGIES: Registry[type[Strategy]] = Registry("strategy", __name__, "nextlabel.strategies")
register = STRATEGIES.register


def create(name: str, options: Mapping[str, Any] | None = None) -> Strategy:
    """Return the strategy called `name` with its hyper-parameters.

    Raises UsageError for an unknown name, an unknown option or a value that it refuses.
    """
    kind: Any = STRATEGIES[name]
    given = dict(options or {})
    if is_dataclass(kind):
        known = {field.name for field in fields(kind) if field.init}
        for option in given:
            if option not in known:
                remedy = nearest(option, known) if known else "it has none"
                raise UsageError(f"strategy {name!r} has no option {option!r}; {remedy}")
    try:
        strategy: Strategy = kind(**given)
    except NextlabelError:
        raise
    except (TypeError, ValueError) as error:
        raise UsageError(f"strategy {name!r} cannot be made: {error}; see its options") from error
    return strategy
