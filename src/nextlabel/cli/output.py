"""Output: data to stdout, messages to stderr, colours only on a terminal."""

import json
import os
import re
import sys
from collections.abc import Sequence
from typing import Any, Literal, TextIO

import typer


def put(line: str) -> None:
    """Write a line of data to stdout."""
    typer.echo(line)


def json_text(value: Any) -> str:
    """Return a value as indented JSON."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)


def put_json(value: Any) -> None:
    """Write a value to stdout as indented JSON."""
    typer.echo(json_text(value))


def put_table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write a table to stdout; away from a terminal its lines are as long as they need to be."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    numbers = [all(_is_number(row[i]) for row in rows) for i in range(len(headers))]
    for header, right in zip(headers, numbers, strict=True):
        right = right and bool(rows)
        justify: Literal["left", "right"] = "right" if right else "left"
        table.add_column(header, justify=justify, no_wrap=right, overflow="fold")
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    console = Console(highlight=False)
    if console.is_terminal:
        console.print(table)
        return
    console = Console(highlight=False, width=100_000)
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        if line.strip():
            typer.echo(line.rstrip())


def _is_number(cell: object) -> bool:
    return not isinstance(cell, str) or cell == "–" or re.match(r"[+−<]? ?\d", cell) is not None


def note(message: str) -> None:
    """Write a message to stderr."""
    typer.echo(message, err=True)


def complain(message: str) -> None:
    """Write `error: message` to stderr."""
    _flag("error", "red", message)


def warn(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Write a warning to stderr as one line; in the place of `warnings.showwarning`."""
    _flag("warning", "yellow", " ".join(str(message).splitlines()))


def _flag(word: str, colour: str, message: str) -> None:
    coloured = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    head = typer.style(f"{word}:", fg=colour, bold=True) if coloured else f"{word}:"
    typer.echo(f"{head} {message}", err=True)


def plural(number: int, noun: str) -> str:
    """Return "1 image", "2 images"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """Return "45 s", "3 min 20 s" or "2 h 05 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def size(number: float) -> str:
    """Return a number of bytes as "512 B", "3.4 MB", "1.2 GB"."""
    for unit in ("B", "kB", "MB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} GB"
