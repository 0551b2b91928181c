"""Registry of strategies: one file per strategy, or one entry point of another package.

A new file in this package adds a strategy, for example

    @register("first_column")
    @dataclass(frozen=True)
    class FirstColumn:
        \"\"\"Highest value in the first column.\"\"\"

        needs: ClassVar[frozenset[str]] = frozenset({"features"})

        def select(self, snapshot, budget, rng):
            snapshot.pool.check_budget(budget)
            scores = snapshot.require("features").rows(slice(None))[:, 0]
            return highest(scores, snapshot.pool.unlabelled, budget)

The fields of the dataclass are the strategy's options. Another package leaves out the decorator
and names the class in its `pyproject.toml`:

    [project.entry-points."nextlabel.strategies"]
    first_column = "my_package:FirstColumn"
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from nextlabel.core.errors import NextlabelError, UsageError, nearest
from nextlabel.core.registry import Registry
from nextlabel.core.settings import as_options, python_numbers
from nextlabel.core.strategy import Strategy
from nextlabel.strategies.options import check_types

if TYPE_CHECKING:
    from nextlabel.strategies.badge import Badge
    from nextlabel.strategies.bait import Bait
    from nextlabel.strategies.balanced_random import BalancedRandom
    from nextlabel.strategies.bald import Bald
    from nextlabel.strategies.cluster_margin import ClusterMargin
    from nextlabel.strategies.core_set import CoreSet
    from nextlabel.strategies.drop_query import DropQuery
    from nextlabel.strategies.epig import Epig
    from nextlabel.strategies.max_herding import MaxHerding
    from nextlabel.strategies.medal import MedAL
    from nextlabel.strategies.oracle_balanced import OracleBalanced
    from nextlabel.strategies.predicted_loss import PredictedLoss
    from nextlabel.strategies.prob_cover import ProbCover
    from nextlabel.strategies.random import Random
    from nextlabel.strategies.ta_vaal import TAVAAL
    from nextlabel.strategies.tcm import TCM
    from nextlabel.strategies.typiclust import TypiClust
    from nextlabel.strategies.uherding import UHerding
    from nextlabel.strategies.uncertainty import Entropy, LeastConfidence, Margin
    from nextlabel.strategies.vaal import VAAL

__all__ = [
    "STRATEGIES",
    "TAVAAL",
    "TCM",
    "VAAL",
    "Badge",
    "Bait",
    "BalancedRandom",
    "Bald",
    "ClusterMargin",
    "CoreSet",
    "DropQuery",
    "Entropy",
    "Epig",
    "LeastConfidence",
    "Margin",
    "MaxHerding",
    "MedAL",
    "OracleBalanced",
    "PredictedLoss",
    "ProbCover",
    "Random",
    "TypiClust",
    "UHerding",
    "create",
    "register",
]

STRATEGIES: Registry[type[Strategy]] = Registry("strategy", __name__, "nextlabel.strategies")
register = STRATEGIES.register


def create(name: str, options: Mapping[str, Any] | None = None) -> Strategy:
    """Return the strategy called `name` with its options.

    Every strategy has the option `then`, another strategy that follows it: for example
    {"after": 10, "strategy": "margin"}.

    Raises
    ------
    UsageError
        For an unknown name, an unknown option or a value that the strategy refuses.
    """
    strategy_class: Any = STRATEGIES[name]
    given = python_numbers(as_options(options, {"neighbours": 10}))
    then = given.pop("then", None)
    if is_dataclass(strategy_class):
        options_of_class = {field.name for field in fields(strategy_class) if field.init}
        for option in given:
            if option not in options_of_class:
                remedy = nearest(option, options_of_class) if options_of_class else "it has none"
                raise UsageError(
                    f"strategy {name!r} has no option {option!r}; {remedy}", code="unknown-option"
                )
    try:
        strategy: Strategy = strategy_class(**given)
    except NextlabelError:
        raise
    except (TypeError, ValueError) as error:
        check_types(name, strategy_class, given)
        raise UsageError(
            f"strategy {name!r} cannot be made: {error}; see its options", code="bad-option"
        ) from error
    check_types(name, strategy_class, given)
    if then is None:
        return strategy
    from nextlabel.strategies.switch import switched

    return switched(strategy, then, create)


def __getattr__(name: str) -> Any:
    """Return the strategy class `name`, whichever module has it."""
    if name in __all__:
        for registered in STRATEGIES:
            if STRATEGIES[registered].__name__ == name:
                return STRATEGIES[registered]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
