"""The files that a project has written, by their digests, so that an export replaces no other."""

from pathlib import Path

from nextlabel.core.errors import UsageError
from nextlabel.files.atomic import replacing
from nextlabel.files.digest import file_digest

FILE = "exports.txt"
KEPT = 1000
"""The most digests that are kept, the newest."""


def check_replaced(directory: Path, target: Path) -> None:
    """Refuse to replace a file that no export of the project wrote, such as labels made by hand.

    Parameters
    ----------
    directory : Path
        The folder of the project.
    target : Path
        The file to write.

    Raises
    ------
    UsageError
        The file is there, and its content is not that of an export.
    """
    if target.is_file() and file_digest(target) not in _digests(directory):
        raise UsageError(
            f"{target} is there and was not exported from this project, or has changed since; give "
            "another file, or remove it",
            code="output-not-exported",
        )


def note_written(directory: Path, file: Path) -> None:
    """Keep the digest of a file that an export has written."""
    digest = file_digest(file)
    others = [one for one in _digests(directory) if one != digest]
    with replacing(directory / FILE) as partial:
        partial.write_text("\n".join([*others, digest][-KEPT:]) + "\n", encoding="ascii")


def _digests(directory: Path) -> list[str]:
    path = directory / FILE
    return path.read_text(encoding="ascii").split() if path.is_file() else []
