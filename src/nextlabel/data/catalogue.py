"""The list of data sets, for people."""

from pathlib import Path

from nextlabel.data.download import Shelf
from nextlabel.data.registry import SOURCES
from nextlabel.data.source import Card


def describe(data_dir: Path | None = None) -> list[Card]:
    """Return a card for each registered source, by name; reads no images and downloads nothing."""
    shelf = Shelf(data_dir)
    return [SOURCES[name].card(name, shelf) for name in SOURCES]
