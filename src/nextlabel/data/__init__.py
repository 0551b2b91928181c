"""Sources of images, one file each; `load` makes a data set from settings."""

from nextlabel.data.catalogue import describe
from nextlabel.data.loading import load
from nextlabel.data.registry import SOURCES, register
from nextlabel.data.settings import DataSettings
from nextlabel.data.source import Raw, Source, SourceInfo

__all__ = ["SOURCES", "DataSettings", "Raw", "Source", "SourceInfo", "describe", "load", "register"]
