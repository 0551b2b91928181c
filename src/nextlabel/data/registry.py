"""The registry of sources, and the settings of each."""

from nextlabel.core.registry import Registry
from nextlabel.data.settings import DataSettings
from nextlabel.data.source import Source

SOURCES: Registry[type[Source]] = Registry(
    "data set", "nextlabel.data.sources", "nextlabel.sources"
)
register = SOURCES.register


def settings_class(name: object) -> type[DataSettings]:
    """Return the settings class of the source called `name`; the common one for unknown names."""
    if isinstance(name, str) and name in SOURCES:
        return SOURCES[name].settings_class
    return DataSettings
