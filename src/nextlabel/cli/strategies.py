"""`nextlabel strategies`: the list of selection strategies."""

from typing import TYPE_CHECKING

from nextlabel.cli import options
from nextlabel.cli.output import put, put_json, put_table

if TYPE_CHECKING:
    from nextlabel.strategies.descriptions import Option, StrategyDescription


def command(json: options.AsJson = False) -> None:
    """List the strategies: what each chooses, what it needs, and its options with defaults."""
    from dataclasses import asdict

    from nextlabel.strategies import STRATEGIES
    from nextlabel.strategies.descriptions import describe

    described = [describe(name) for name in STRATEGIES]
    if json:
        put_json([asdict(strategy) for strategy in described])
        return
    headers = ("strategy", "needs", "multi-label", "score", "chooses first")
    put_table(headers, [_strategy_row(strategy) for strategy in described])
    put("")
    put("Options, for --option NAME=VALUE; distances are in the feature space after --scale:")
    put("")
    rows = [_option_row(strategy.name, o) for strategy in described for o in strategy.options]
    put_table(("strategy", "option", "default", "meaning"), rows)


def _strategy_row(strategy: "StrategyDescription") -> tuple[str, ...]:
    needs = ", ".join(strategy.needs) or "–"
    tasks = "yes" if strategy.multi_label else "no"
    return strategy.name, needs, tasks, strategy.score or "none", strategy.summary


def _option_row(strategy: str, option: "Option") -> tuple[str, ...]:
    default = "not set" if option.default is None else str(option.default)
    return strategy, option.name, default, option.meaning
