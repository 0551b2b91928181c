"""Where sources are registered by name."""

from typing import Any

from nextlabel.core.registry import Registry

SOURCES: Registry[Any] = Registry("data set", "nextlabel.data.sources", "nextlabel.sources")
register = SOURCES.register
