"""Standard input in place of a file, written `-` on the command line."""

import sys
from pathlib import Path

STDIN = Path("-")
"""The path that means standard input."""


def title(path: Path) -> str:
    """Return how messages call a file: by its path, or "standard input"."""
    return "standard input" if path == STDIN else str(path)


def read_stdin() -> bytes:
    """Return all bytes of standard input."""
    return sys.stdin.buffer.read()
