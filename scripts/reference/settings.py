"""The page of all tables of the experiment file, from their settings classes."""

import inspect
from collections.abc import Collection, Iterator
from typing import Any, get_args, get_origin

from scripts.reference.fields import attribute_docstrings, type_name, value_name
from scripts.reference.markdown import NOTE, markdown, table

LIMITS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}


def settings_page() -> str:
    """Return the page of all tables of the experiment file."""
    from nextlabel.experiment.spec import Experiment
    from nextlabel.features.blocks import BLOCKS

    lines = [
        "# Settings of an experiment",
        NOTE,
        "",
        "Every table and key of the experiment file. [The guide](../experiments.md) explains them "
        "by example. On the command line `--set TABLE.KEY=VALUE` changes one of them.",
        "",
    ]
    lines += settings_section("At the top of the file", Experiment)
    for title, model in nested_tables(Experiment):
        lines += model_section(title) if title == "`[model]`" else settings_section(title, model)
        if title == "`[data]`":
            lines += source_sections()
    for name in BLOCKS:
        lines += settings_section(f"`[blocks.{name}]`", BLOCKS[name])
    return "\n".join(lines).rstrip() + "\n"


def nested_tables(model: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield title and settings class of each table below `model`."""
    for name, field in model.model_fields.items():
        inner = settings_class(field.annotation)
        if inner is None:
            continue
        listed = get_origin(field.annotation) is tuple
        yield (f"`[[{prefix}{name}]]`" if listed else f"`[{prefix}{name}]`"), inner
        yield from nested_tables(inner, f"{prefix}{name}.")


def settings_class(annotation: Any) -> Any:
    """Return the settings class inside an annotation, if there is one."""
    from nextlabel.core.settings import Settings

    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return annotation
    inside = (settings_class(part) for part in get_args(annotation))
    return next((inner for inner in inside if inner is not None), None)


def source_sections() -> Iterator[str]:
    """Yield a section for the options of each data set that has some of its own."""
    from nextlabel.data.registry import SOURCES
    from nextlabel.data.settings import DataSettings

    names_of: dict[Any, list[str]] = {}
    for name in SOURCES:
        if SOURCES[name].settings_class is not DataSettings:
            names_of.setdefault(SOURCES[name].settings_class, []).append(f"`{name}`")
    for model, names in names_of.items():
        title = f"`[data]`, more keys of {', '.join(names)}"
        yield from settings_section(title, model, leave_out=DataSettings.model_fields)


def settings_section(title: str, model: Any, leave_out: Collection[str] = ()) -> Iterator[str]:
    """Yield the section of one table of settings, without the keys `leave_out`."""
    rows = settings_rows(model, leave_out)
    yield from (f"## {title}", "", markdown(inspect.getdoc(model) or ""), "")
    if rows:
        yield from table(("key", "type and limits", "default", "meaning"), rows)
    else:
        yield "This table has no keys."
    yield ""


def settings_rows(model: Any, leave_out: Collection[str] = ()) -> list[tuple[str, str, str, str]]:
    """Return key, type, default and meaning of each field, without the keys `leave_out`."""
    meanings = attribute_docstrings(model)
    rows = []
    for name, field in model.model_fields.items():
        if name in leave_out:
            continue
        if settings_class(field.annotation) is not None:
            annotation = "list of tables" if get_origin(field.annotation) is tuple else "table"
            rows.append(
                (
                    f"`{name}`",
                    annotation,
                    "required" if field.is_required() else "–",
                    "See the table below.",
                )
            )
            continue
        default = (
            "required"
            if field.is_required()
            else value_name(field.get_default(call_default_factory=True))
        )
        limits = limits_of(field.metadata)
        annotation = type_name(field.annotation) + (f", {limits}" if limits else "")
        rows.append((f"`{name}`", annotation, default, meanings.get(name, "")))
    return rows


def model_section(title: str) -> Iterator[str]:
    """Yield the section of the task models: shared options, one row per model, and own options."""
    from nextlabel.models.settings import ShippedOptions
    from nextlabel.models.task_models import TASK_MODELS

    yield from settings_section(title, ShippedOptions)
    rows = [
        (
            f"`{name}`",
            (inspect.getdoc(TASK_MODELS[name]) or "").split("\n")[0],
            value_name(TASK_MODELS[name].model_fields["weights"].default),
        )
        for name in TASK_MODELS
    ]
    yield from table(("name", "task model", "default of weights"), rows)
    models: dict[tuple[str, ...], list[str]] = {}
    for name in TASK_MODELS:
        for row in settings_rows(TASK_MODELS[name], leave_out=ShippedOptions.model_fields):
            models.setdefault(row, []).append(f"`{name}`")
    yield from ("", "These keys belong to some of the models alone:", "")
    some = [(key, ", ".join(models[key, *rest]), *rest) for key, *rest in sorted(models)]
    yield from table(("key", "models", "type and limits", "default", "meaning"), some)
    yield ""


def limits_of(metadata: list[Any]) -> str:
    """Return the limits of a pydantic field in words."""
    limits = []
    for item in metadata:
        for name, words in LIMITS.items():
            if getattr(item, name, None) is not None:
                limits.append(f"{words} {getattr(item, name)}")
        if getattr(item, "min_length", None):
            limits.append("not empty")
        if getattr(item, "pattern", None):
            limits.append(f"matches `{item.pattern}`")
    return ", ".join(limits)
