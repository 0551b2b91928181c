"""Hooks of the documentation site: pages from files outside of docs/, links that fit.

README.md, CONTRIBUTING.md and CHANGELOG.md lie at the top of the repository, where people look for
them; the site shows them as pages. Links into the source tree have no page and become plain text.
"""

import re
from pathlib import Path, PurePosixPath
from typing import Any

ROOT = Path(__file__).parents[1]
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)#\s]+)(#[^)]*)?\)")


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that lie at the top of the repository."""
    from mkdocs.structure.files import File

    for source, page in PAGES.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=adapted(text, PurePosixPath())))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Adapt the links of a page of docs/ that lead out of docs/."""
    if page.file.src_uri in PAGES.values():
        return markdown
    return adapted(markdown, PurePosixPath("docs") / PurePosixPath(page.file.src_uri).parent)


def adapted(text: str, folder: PurePosixPath) -> str:
    """Return Markdown that lies in `folder` of the repository with the links of the site."""
    inside = folder.parts[:1] == ("docs",)
    here = PurePosixPath(*folder.parts[1:])

    def link(match: re.Match[str]) -> str:
        mark, words, target, anchor = match.groups(default="")
        if re.match(r"[a-z]+:", target):
            return match.group()
        path = normal(folder / target)
        if path in PAGES:
            return f"{mark}[{words}]({up(here)}{PAGES[path]}{anchor})"
        if not path.startswith("docs/"):
            return words
        if (ROOT / path).is_dir():
            path = f"{path.rstrip('/')}/README.md"
            return f"{mark}[{words}]({up(here)}{path.removeprefix('docs/')}{anchor})"
        if inside:
            return match.group()
        return f"{mark}[{words}]({path.removeprefix('docs/')}{anchor})"

    return LINK.sub(link, text)


def up(folder: PurePosixPath) -> str:
    """Return the way from a folder of the site to its top."""
    return "../" * len(folder.parts)


def normal(path: PurePosixPath) -> str:
    """Return a path without `..`."""
    parts: list[str] = []
    for part in path.parts:
        if part == ".." and parts:
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)
