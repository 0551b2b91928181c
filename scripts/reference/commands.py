"""The page of all commands and options, from the command line itself."""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from scripts.reference.markdown import NOTE, first_sentence, markdown, slug, table


def commands_page() -> str:
    """Return the page of all commands and options."""
    lines = [
        "# Commands",
        NOTE,
        "",
        "`nextlabel --help` and `nextlabel COMMAND --help` print the same.",
        "",
    ]
    rows = [
        (f"[`{path}`](#{slug(path)})", first_sentence(command.help or ""))
        for path, command in commands()
        if path != "nextlabel"
    ]
    lines += table(("command", "purpose"), rows)
    for path, command in commands():
        lines += command_section(path, command)
    return "\n".join(lines).rstrip() + "\n"


def commands() -> Iterator[tuple[str, Any]]:
    """Yield the path and the click command of each command of the program."""
    import typer

    from nextlabel.cli import app

    def below(path: str, command: Any) -> Iterator[tuple[str, Any]]:
        yield path, command
        for name, child in getattr(command, "commands", {}).items():
            yield from below(f"{path} {name}", child)

    yield from below("nextlabel", typer.main.get_command(app))


def command_section(path: str, command: Any) -> Iterator[str]:
    """Yield the section of one command."""
    yield from ("", f"## {path}", "", markdown(inspect.cleandoc(command.help or "")), "")
    rows = []
    for param in command.params:
        if getattr(param, "hidden", False) or "--install-completion" in param.opts:
            continue
        if "--show-completion" in param.opts:
            continue
        option = param.param_type_name == "option"
        names = (
            [*param.opts, *param.secondary_opts]
            if option
            else [(param.metavar or param.name).upper()]
        )
        placeholder = "" if getattr(param, "is_flag", False) else value_of(param)
        label = ", ".join(f"`{name}`" for name in names) + (
            f" {placeholder}" if placeholder and option else ""
        )
        rows.append(
            (label, cli_default(param), (getattr(param, "help", "") or "") + bounds_of(param))
        )
    yield from table(("option or argument", "default", "meaning"), rows)


def value_of(param: Any) -> str:
    """Return the placeholder of an option's value, for example `N` or `rms`, `none`."""
    if param.metavar:
        return f"`{param.metavar}`"
    annotation = param.type_descriptor.annotation
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{choice}`" for choice in get_args(annotation))
    words = {int: "N", float: "X", str: "TEXT", Path: "PATH"}
    return f"`{words.get(annotation, getattr(annotation, '__name__', 'VALUE').upper())}`"


def bounds_of(param: Any) -> str:
    """Return the limits of an option's number in words."""
    limits = {"at least": getattr(param, "min", None), "at most": getattr(param, "max", None)}
    words = ", ".join(f"{word} {limit}" for word, limit in limits.items() if limit is not None)
    return f" ({words})" if words else ""


def cli_default(param: Any) -> str:
    """Return an option's default as text."""
    if param.required:
        return "required"
    default = param.default
    text = "–" if default in (None, False, (), []) or callable(default) else f"`{default}`"
    if param.envvar:
        text = f"`${param.envvar}`" if text == "–" else f"`${param.envvar}`, {text}"
    return text
