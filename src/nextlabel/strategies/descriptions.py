"""Descriptions of strategies, from their classes and docstrings."""

import ast
import inspect
import re
import textwrap
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import Any

from nextlabel.core.strategy import Scored
from nextlabel.strategies import STRATEGIES, create


@dataclass(frozen=True)
class Option:
    """An option of a strategy; `default` is None where the docstring says what holds then."""

    name: str
    default: Any
    meaning: str


@dataclass(frozen=True)
class StrategyDescription:
    """A strategy in short: one sentence, the signals that it needs, and its options."""

    name: str
    summary: str
    needs: tuple[str, ...]
    options: tuple[Option, ...]
    multi_label: bool
    score: str | None = None
    """The score of its picks in a few words; None for a strategy without scores."""


def describe(name: str) -> StrategyDescription:
    """Return the description of the strategy called `name`; UsageError for an unknown name."""
    strategy = create(name)
    cls = STRATEGIES[name]
    return StrategyDescription(
        name,
        first_sentence(cls.__doc__ or ""),
        tuple(sorted(strategy.needs)),
        _options(cls),
        "multilabel" in getattr(strategy, "tasks", ("multiclass", "multilabel")),
        strategy.score if isinstance(strategy, Scored) else None,
    )


def _options(cls: type) -> tuple[Option, ...]:
    if not is_dataclass(cls):
        return ()
    meanings = attribute_docstrings(cls)
    return tuple(
        Option(
            field.name,
            None if field.default is MISSING else field.default,
            meanings.get(field.name, ""),
        )
        for field in fields(cls)
        if field.init
    )


def first_sentence(text: str) -> str:
    """Return a docstring up to the first full stop that ends a sentence, in one line."""
    words = " ".join(text.split("\n\n")[0].split())
    sentence = re.match(r".*?\.(?= [A-Z]|$)", words)
    return sentence.group() if sentence else words


def attribute_docstrings(cls: type) -> dict[str, str]:
    """Return the string below each field of a class, in one line; none without its source."""
    try:
        (definition,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    except (OSError, TypeError, SyntaxError):
        return {}
    assert isinstance(definition, ast.ClassDef)
    meanings: dict[str, str] = {}
    for field, below in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            text = below.value if isinstance(below, ast.Expr) else None
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                meanings[field.target.id] = " ".join(text.value.split())
    return meanings
