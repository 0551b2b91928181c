"""The page of all strategies, from their registry."""

import dataclasses
import inspect
from collections.abc import Iterator
from typing import Any

from scripts.reference.fields import attribute_docstrings, type_name, value_name
from scripts.reference.markdown import NOTE, markdown, summary, table


def strategies_page() -> str:
    """Return the page of all strategies: needs, options, meaning."""
    from nextlabel.strategies import STRATEGIES, create

    lines = [
        "# Strategies",
        NOTE,
        "",
        "A strategy chooses the images to label next. Its name goes into `--strategy`, into an arm "
        'of an experiment (`strategy = "NAME"`) or into `select(strategy="NAME")`. Its options are '
        "given by `--option KEY=VALUE`, by `options = { KEY = VALUE }` in an arm, or as keywords "
        "of its class.",
        "",
        "*Needs* are what a strategy computes from: `features` are rows of numbers per image, "
        "`probabilities` are class probabilities of a model, and `predicted_loss` comes from a "
        "loss-prediction model that an experiment trains. `samples` and `dropped` are class "
        "probabilities of several models per image, (images, models, classes), which an experiment "
        "makes from the last layer of its model. `discriminator` comes from the block "
        "`vaal`, which an experiment trains. `true_labels` exists in simulations only.",
        "",
        "Options that are distances, such as `radius` and `bandwidth`, are distances in the "
        'feature space after its weights and its `scale`: with `scale = "rms"` and a single '
        "block, 1 is the root-mean-square distance between two images.",
        "",
        "Every strategy has the option `then`, another strategy that follows it. For example "
        '`options = { then = { after = 10, strategy = "uherding" } }` in an arm of `typiclust` '
        "chooses the first 10 labels by TypiClust and all others by UHerding. `options` in that "
        "table are those of the second strategy. A batch that passes `after` is divided. On the "
        """command line it is `--option 'then={ after = 10, strategy = "uherding" }'`.""",
        "",
    ]
    rows = []
    for name in STRATEGIES:
        needs = ", ".join(f"`{need}`" for need in sorted(create(name).needs)) or "nothing"
        options = ", ".join(f"`{field.name}`" for field in option_fields(STRATEGIES[name])) or "–"
        rows.append((f"[`{name}`](#{name})", needs, options, summary(STRATEGIES[name])))
    lines += table(("name", "needs", "options", "chooses first"), rows)
    for name in STRATEGIES:
        lines += strategy_section(name, STRATEGIES[name], create(name))
    return "\n".join(lines).rstrip() + "\n"


def strategy_section(name: str, cls: Any, strategy: Any) -> Iterator[str]:
    """Yield the section of one strategy."""
    yield from ("", f"## {name}", "", f"`{cls.__module__}.{cls.__qualname__}`", "")
    yield markdown(inspect.getdoc(cls) or "")
    tasks = getattr(strategy, "tasks", ("multiclass", "multilabel"))
    needs = ", ".join(f"`{need}`" for need in sorted(strategy.needs)) or "nothing"
    kinds = "single-label and multi-label" if len(tasks) > 1 else f"{', '.join(tasks)} only"
    score = getattr(strategy, "score", None)
    said = f"Score of a pick: {score}." if score else "Its picks have no score."
    yield from ("", f"Needs {needs}. Data: {kinds}. {said}")
    fields = option_fields(cls)
    if fields:
        meanings = attribute_docstrings(cls)
        hints = inspect.get_annotations(cls, eval_str=True)
        rows = [
            (
                f"`{field.name}`",
                type_name(hints.get(field.name, Any)),
                default_of(field),
                meanings.get(field.name, ""),
            )
            for field in fields
        ]
        yield ""
        yield from table(("option", "type", "default", "meaning"), rows)


def option_fields(cls: Any) -> list[Any]:
    """Return the dataclass fields that are options of a strategy."""
    return [f for f in dataclasses.fields(cls) if f.init] if dataclasses.is_dataclass(cls) else []


def default_of(field: Any) -> str:
    """Return a dataclass field's default as text."""
    if field.default is not dataclasses.MISSING:
        return value_name(field.default)
    if field.default_factory is not dataclasses.MISSING:
        return value_name(field.default_factory())
    return "required"
