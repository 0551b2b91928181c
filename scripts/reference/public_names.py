"""The page of all public names of the package, from their docstrings."""

import ast
import dataclasses
import inspect
import textwrap
from collections.abc import Iterator
from typing import Any

from scripts.reference.markdown import NOTE, markdown, slug, summary, table


def public_names_page() -> str:
    """Return the page of all public names of the package."""
    import nextlabel

    lines = [
        "# Python",
        NOTE,
        "",
        "All names that `from nextlabel import NAME` gives. [The guide](../library.md) shows them "
        "in use.",
        "",
    ]
    names = [name for name in nextlabel.__all__ if not name.startswith("__")]
    rows = [(f"[`{n}`](#{slug(n)})", summary(getattr(nextlabel, n))) for n in names]
    lines += table(("name", "purpose"), rows)
    for name in names:
        lines += python_section(name, getattr(nextlabel, name))
    return "\n".join(lines).rstrip() + "\n"


def python_section(name: str, thing: Any) -> Iterator[str]:
    """Yield the section of one public name: signature, docstring, public members."""
    module = getattr(thing, "__module__", None)
    yield from ("", f"## {name}", "")
    if module is not None:
        yield from (f"`{module}.{getattr(thing, '__qualname__', name)}`", "")
    if callable(thing) and not getattr(thing, "_is_protocol", False):
        signature = signature_of(name, thing)
        if signature:
            yield from ("```text", signature, "```", "")
    if callable(thing):
        yield markdown(inspect.getdoc(thing) or "")
    if is_strategy(thing):
        yield from ("", "Its options and its needs are on [the page of strategies](strategies.md).")
    elif isinstance(thing, type) and not issubclass(thing, BaseException):
        for member, value in public_members(thing):
            yield from ("", f"### {name}.{member}", "")
            function = getattr(value, "__func__", value)
            if callable(function):
                yield from ("```text", signature_of(f"{name}.{member}", function), "```", "")
            yield markdown(inspect.getdoc(value) or "")


def is_strategy(thing: Any) -> bool:
    """Say whether a class is a registered strategy."""
    from nextlabel.strategies import STRATEGIES

    return any(STRATEGIES[name] is thing for name in STRATEGIES)


def public_members(cls: type) -> Iterator[tuple[str, Any]]:
    """Yield the methods and properties of a class that are documented and public."""
    for parent in cls.__mro__:
        if not parent.__module__.startswith("nextlabel"):
            continue
        for name, value in vars(parent).items():
            described = isinstance(value, property | classmethod | staticmethod) or (
                inspect.isfunction(value)
            )
            overridden = any(name in vars(c) for c in cls.__mro__[: cls.__mro__.index(parent)])
            if described and not name.startswith("_") and not overridden and inspect.getdoc(value):
                yield name, value


def signature_of(name: str, thing: Any) -> str:
    """Return name and parameters as the source has them, one per line if they are many."""
    if isinstance(thing, type):
        parameters, result = class_parameters(thing), ""
    else:
        parameters, result = function_parameters(thing)
    line = f"{name}({', '.join(parameters)}){result}"
    if len(line) <= 90:
        return line
    return f"{name}(\n" + "".join(f"    {part},\n" for part in parameters) + f"){result}"


def function_parameters(function: Any) -> tuple[list[str], str]:
    """Return the parameters and the result of a function, without `self`."""
    definition = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(definition, ast.FunctionDef)
    given = definition.args
    plain = [*given.posonlyargs, *given.args]
    defaults = [None] * (len(plain) - len(given.defaults)) + list(given.defaults)
    parameters = [parameter(arg, value) for arg, value in zip(plain, defaults, strict=True)]
    parameters = parameters[1:] if plain and plain[0].arg in ("self", "cls") else parameters
    if given.vararg:
        parameters.append("*" + parameter(given.vararg, None))
    elif given.kwonlyargs:
        parameters.append("*")
    named = zip(given.kwonlyargs, given.kw_defaults, strict=True)
    parameters += [parameter(arg, value) for arg, value in named]
    if given.kwarg:
        parameters.append("**" + parameter(given.kwarg, None))
    result = f" -> {ast.unparse(definition.returns)}" if definition.returns else ""
    return parameters, result.replace("'", '"')


def parameter(arg: ast.arg, default: ast.expr | None) -> str:
    """Return one parameter as the source has it."""
    hint = f": {ast.unparse(arg.annotation)}" if arg.annotation else ""
    value = "" if default is None else f"{' = ' if hint else '='}{ast.unparse(default)}"
    return (arg.arg + hint + value).replace("'", '"')


def class_parameters(cls: type) -> list[str]:
    """Return the parameters with which a class is called."""
    if not dataclasses.is_dataclass(cls):
        init = vars(cls).get("__init__")
        return function_parameters(init)[0] if inspect.isfunction(init) else []
    parameters = []
    for field in dataclasses.fields(cls):
        if not field.init:
            continue
        hint = field.type if isinstance(field.type, str) else source_annotation(cls, field.name)
        default = ""
        if field.default is not dataclasses.MISSING:
            default = f" = {field.default!r}"
        elif field.default_factory is not dataclasses.MISSING:
            default = f" = {field.default_factory()!r}"
        parameters.append(f"{field.name}: {hint}{default}".replace("'", '"'))
    return parameters


def source_annotation(cls: type, name: str) -> str:
    """Return the annotation of a field as the source has it."""
    for parent in cls.__mro__:
        if name not in vars(parent).get("__annotations__", {}):
            continue
        (definition,) = ast.parse(textwrap.dedent(inspect.getsource(parent))).body
        assert isinstance(definition, ast.ClassDef)
        for line in definition.body:
            if isinstance(line, ast.AnnAssign) and ast.unparse(line.target) == name:
                return ast.unparse(line.annotation)
    return "Any"
