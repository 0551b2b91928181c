"""The list of all data sets."""

from pathlib import Path

from nextlabel.data.download import FileLocator
from nextlabel.data.registry import SOURCES
from nextlabel.data.source import SourceInfo


def describe(data_dir: Path | None = None) -> list[SourceInfo]:
    """Return the facts about each registered source, by name, without reading or downloading."""
    locator = FileLocator(data_dir)
    return [SOURCES[name].info(name, locator) for name in SOURCES]
