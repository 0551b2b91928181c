"""Images and labels, from files to data sets; `load` makes a data set from settings."""

from nextlabel.data.catalogue import describe
from nextlabel.data.folder.settings import FolderSettings
from nextlabel.data.loading import load
from nextlabel.data.registry import SOURCES, register
from nextlabel.data.settings import DataSettings, FileSettings
from nextlabel.data.source import Raw, Source, SourceInfo
from nextlabel.data.sources.arrays import ArraysSettings

__all__ = [
    "SOURCES",
    "ArraysSettings",
    "DataSettings",
    "FileSettings",
    "FolderSettings",
    "Raw",
    "Source",
    "SourceInfo",
    "describe",
    "load",
    "register",
]
