"""`nextlabel strategies`: the selection heuristics there are."""

import re
from typing import TYPE_CHECKING

from nextlabel.cli import options
from nextlabel.cli.output import put_json, put_table

if TYPE_CHECKING:
    from nextlabel.core.strategy import Strategy


def command(json: options.AsJson = False) -> None:
    """List the strategies: what each does, and which signals it needs."""
    from nextlabel.strategies import STRATEGIES, create

    found = []
    for name in STRATEGIES:
        strategy = create(name)
        summary = first_sentence(STRATEGIES[name].__doc__ or "")
        multi = "multilabel" in getattr(strategy, "tasks", ("multiclass", "multilabel"))
        found.append(
            {
                "name": name,
                "summary": summary,
                "needs": sorted(strategy.needs),
                "options": option_names(strategy),
                "multi_label": multi,
            }
        )
    if json:
        put_json(found)
    else:
        headers = ("name", "needs", "options", "multi-label", "what it does")
        put_table(headers, [_row(facts) for facts in found])


def _row(facts: dict[str, object]) -> tuple[str, ...]:
    lists = (facts["needs"], facts["options"])
    needs, named = (", ".join(map(str, x)) or "–" for x in lists if isinstance(x, list))
    multi = "yes" if facts["multi_label"] else "no"
    return str(facts["name"]), needs, named, multi, str(facts["summary"])


def first_sentence(text: str) -> str:
    """Return a docstring up to the first full stop that ends a sentence, in one line."""
    words = " ".join(text.split("\n\n")[0].split())
    found = re.match(r".*?\.(?= [A-Z]|$)", words)
    return found.group() if found else words


def option_names(strategy: "Strategy") -> list[str]:
    """Return what `--option` may set."""
    from dataclasses import fields, is_dataclass

    return [f.name for f in fields(strategy) if f.init] if is_dataclass(strategy) else []
