"""The list of data sets, for people."""

from pathlib import Path

from nextlabel.data.download import FileLocator
from nextlabel.data.registry import SOURCES
from nextlabel.data.source import SourceInfo


def describe(data_dir: Path | None = None) -> list[SourceInfo]:
    """Return a info for each registered source, by name; reads no images and downloads nothing."""
    locator = FileLocator(data_dir)
    return [SOURCES[name].info(name, locator) for name in SOURCES]
