"""Sources of images, one file each."""

from typing import Any

from nextlabel.core.registry import Registry

SOURCES: Registry[Any] = Registry("data sets", __name__)
register = SOURCES.register
