"""JSON files that a person gives."""

import json
from pathlib import Path
from typing import Any

from nextlabel.core.errors import DataError
from nextlabel.data.lists.text import read_text


def read_json(path: Path) -> Any:
    """Return the value in a JSON file; DataError when it cannot be read."""
    return parsed(read_text(path, "a JSON file"), f"{path}")


def read_json_lines(path: Path) -> list[tuple[str, dict[str, Any]]]:
    """Return the objects of a file with one per line, each with its line for messages."""
    lines = []
    for number, line in enumerate(read_text(path, "a file with JSON in each line").splitlines(), 1):
        if line.strip():
            where = f"{path}, line {number}"
            value = parsed(line, where)
            if not isinstance(value, dict):
                raise DataError(
                    f"{where}: {line[:40]!r} is not an object; write one as "
                    '{"path": "a.png", "labels": ["cell"]}',
                    code="json-not-an-object",
                )
            lines.append((where, value))
    return lines


def parsed(text: str, where: str) -> Any:
    """Return the value of JSON text; DataError when it is not valid."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{where} is not valid JSON ({error}); correct it", code="not-json"
        ) from error
