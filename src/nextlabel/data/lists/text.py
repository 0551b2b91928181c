"""Text of a list in any usual encoding, from a file or from standard input."""

from pathlib import Path

from nextlabel.core.errors import DataError
from nextlabel.files.arrays import check_regular
from nextlabel.files.standard_input import STDIN, read_stdin, title


def read_text(path: Path, expected: str, content: bytes | None = None) -> str:
    """Return the text of a file; "-" is standard input.

    The encoding is UTF-8, UTF-16 with or without a byte-order mark, or else Windows-1252.

    Parameters
    ----------
    path : Path
        The file.
    expected : str
        What the file should be, for messages: "a CSV file of numbers".
    content : bytes, optional
        The bytes of the file, if they have been read already.

    Raises
    ------
    DataError
        The file cannot be read, or its bytes are not text in any of the encodings.
    """
    try:
        if content is None:
            content = read_stdin() if path == STDIN else _bytes(path)
        text = decoded(content)
    except UnicodeError:
        text = "\0"
    except OSError as error:
        raise DataError(
            f"{title(path)} cannot be read ({error.strerror or error}); check the path",
            code="file-unreadable",
        ) from error
    if "\0" in text:
        raise DataError(f"{title(path)} is not a text file; give {expected}", code="file-not-text")
    return text


def _bytes(path: Path) -> bytes:
    check_regular(path)
    return path.read_bytes()


def decoded(data: bytes) -> str:
    """Return bytes as text in the encodings of `read_text`; UnicodeError in any other."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16")
    if 0 in data[:2]:  # UTF-16 without a mark: the first character is one of ASCII
        return data.decode("utf-16-be" if data[0] == 0 else "utf-16-le")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")
