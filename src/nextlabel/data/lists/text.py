"""Text of a list in any usual encoding, from a file or from standard input."""

import sys
from pathlib import Path

from nextlabel.files.arrays import check_regular

STDIN = Path("-")
"""The path that means standard input."""


def read_text(path: Path) -> str:
    """Return the text of a file; "-" is standard input.

    The encoding is UTF-8, UTF-16 with or without a byte-order mark, or else Windows-1252.

    Raises
    ------
    OSError
        The file cannot be read, or is not a regular file.
    UnicodeError
        The bytes are not text.
    """
    if path == STDIN:
        return decoded(sys.stdin.buffer.read())
    check_regular(path)
    return decoded(path.read_bytes())


def decoded(data: bytes) -> str:
    """Return bytes as text; UnicodeError for bytes that are not text in any of the encodings."""
    text = _decoded(data)
    if "\0" in text:
        raise UnicodeError("a zero byte is not text")
    return text


def _decoded(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16")
    if 0 in data[:2]:  # UTF-16 without a mark: the first character is one of ASCII
        return data.decode("utf-16-be" if data[0] == 0 else "utf-16-le")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")
