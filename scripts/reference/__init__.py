"""The reference pages in docs/reference, written from the code.

`python -m scripts.reference` writes the pages. With `--check` it only compares them, and fails if
one of them differs. Meanings of settings and options are the strings below their fields.
"""

from pathlib import Path

from scripts.reference.commands import commands_page
from scripts.reference.public_names import public_names_page
from scripts.reference.settings import settings_page
from scripts.reference.strategies import strategies_page

FOLDER = Path(__file__).parents[2] / "docs" / "reference"


def pages() -> dict[str, str]:
    """Return the text of each page by its file name."""
    return {
        "strategies.md": strategies_page(),
        "settings.md": settings_page(),
        "cli.md": commands_page(),
        "python.md": public_names_page(),
    }


def main(arguments: list[str]) -> int:
    """Write the pages, or compare them with `--check`; return 1 if one differs."""
    differing = []
    for name, text in pages().items():
        path = FOLDER / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        differing.append(name)
        if "--check" not in arguments:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    if "--check" in arguments and differing:
        print(f"docs/reference is not up to date ({', '.join(differing)}); run make reference")
        return 1
    return 0
