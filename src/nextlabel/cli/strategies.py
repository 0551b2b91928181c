"""`nextlabel strategies`: the selection heuristics there are."""

import re
from typing import TYPE_CHECKING

from nextlabel.cli import options
from nextlabel.cli.output import put_json, put_table
from nextlabel.core.errors import NextlabelError

if TYPE_CHECKING:
    from nextlabel.core.strategy import Strategy


def command(json: options.AsJson = False) -> None:
    """List the strategies: what each does, and which signals it needs."""
    from nextlabel.strategies import STRATEGIES, create

    found = []
    for name in STRATEGIES:
        strategy = create(name)
        summary = first_sentence(STRATEGIES[name].__doc__ or "")
        multi = handles_multi_label(strategy)
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


def handles_multi_label(strategy: "Strategy") -> bool:
    """Return whether it can choose from multi-label pools: nothing declares it, so one is tried."""
    import numpy as np

    from nextlabel.core.features import Embedding
    from nextlabel.core.pool import Pool
    from nextlabel.core.snapshot import Snapshot

    rows = np.array([[0.1, 0.9], [0.8, 0.7], [0.4, 0.2], [0.3, 0.6]])
    snapshot = Snapshot(Pool(4, np.array([0])), "multilabel", Embedding.of(rows), rows, rows[:, 0])
    try:
        return len(strategy.select(snapshot, 1, np.random.default_rng(0))) == 1
    except NextlabelError:
        return False
