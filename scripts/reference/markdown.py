"""Markdown from docstrings: sentences, tables, numpydoc sections."""

import inspect
import re
from collections.abc import Iterator
from typing import Any

NOTE = "<!-- Written from the code by `make reference`: change the code, not this page. -->"


def summary(thing: Any) -> str:
    """Return the first sentence of a docstring."""
    return first_sentence(inspect.getdoc(thing) or "") if callable(thing) else ""


def first_sentence(text: str) -> str:
    """Return a text up to the first full stop that ends a sentence, in one line."""
    words = " ".join(text.strip().split("\n\n")[0].split())
    match = re.match(r".*?\.(?= [A-Z]|$)", words)
    return match.group() if match else words


def markdown(text: str) -> str:
    """Return a docstring as Markdown: numpydoc sections become lists."""
    lines, section = [], ""
    source = text.splitlines()
    for i, line in enumerate(source):
        below = source[i + 1] if i + 1 < len(source) else ""
        if re.fullmatch(r"-{3,}", line.strip()) and lines and section:
            continue
        if re.fullmatch(r"-{3,}", below.strip()) and len(below.strip()) >= len(line.strip()) > 0:
            section = line.strip()
            lines += [f"**{section}**", ""]
        elif section in ("Examples", "Example"):
            lines.append(f"    {line}" if line else "")
        elif section and line and not line.startswith(" "):
            name, colon, annotation = line.partition(" : ")
            lines.append(f"- `{name}`" + (f" ({escape(annotation)})" if colon else ""))
        elif section and line.strip():
            first = not source[i - 1].startswith(" ")
            lines[-1] += f"{':' if first else ''} {escape(line.strip())}"
        else:
            lines.append(escape(line))
    return "\n".join(lines).strip()


def escape(text: str) -> str:
    """Return text whose symbols Markdown leaves alone, outside of backquotes."""
    parts = text.split("`")
    for i in range(0, len(parts), 2):
        parts[i] = re.sub(r"([*<|])", r"\\\1", parts[i])
        parts[i] = re.sub(r"\[([^\]]*)\](?!\()", r"\\[\1\\]", parts[i])
        parts[i] = re.sub(r"(?<!\()(https?://\S+?)(?=[).,]*(?:\s|$))", r"<\1>", parts[i])
    return "`".join(parts)


def table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    """Yield the lines of a Markdown table."""
    yield "| " + " | ".join(header) + " |"
    yield "|" + "---|" * len(header)
    for row in rows:
        yield "| " + " | ".join(cell(text) for text in row) + " |"


def cell(text: str) -> str:
    """Return text for one cell of a table."""
    words = " ".join(text.split())
    if not words.startswith(("`", "[", "“")):
        words = escape(words)
    parts = re.split(r"(`[^`]*`)", words)
    return "".join(
        part.replace("|", "\\|") if i % 2 else re.sub(r"(?<!\\)\|", r"\\|", part)
        for i, part in enumerate(parts)
    )


def slug(heading: str) -> str:
    """Return the anchor that GitHub and mkdocs give to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
