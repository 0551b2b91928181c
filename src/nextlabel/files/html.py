"""Self-contained HTML pages: one look, and pictures as part of the file."""

import base64
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment

THEME = Path(__file__).parent
"""The folder of theme.css, which every page includes."""


def page_environment(templates: Path) -> "Environment":
    """Return the environment in which the templates of a page are rendered.

    Parameters
    ----------
    templates : Path
        The folder of the templates. They can include "theme.css" and use the filter `png`.

    Returns
    -------
    jinja2.Environment
        It escapes all text, and a name that is not given is an error.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader([templates, THEME]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["png"] = png_address
    return environment


def png_address(png: bytes) -> str:
    """Return a PNG picture as the address of an image that is part of the page."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
