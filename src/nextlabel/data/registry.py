"""The registry of sources, and the settings of each."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from nextlabel.core.errors import UsageError
from nextlabel.core.registry import Registry
from nextlabel.core.settings import refusal, refusal_code
from nextlabel.data.settings import FORMER, DataSettings
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


def without_former_keys(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return plain values of `[data]` without the keys that files once had for every source.

    A former key is left out where the source does not have it and it says nothing: it is at its
    default.
    """
    fields = settings_class(values.get("name")).model_fields
    return {
        key: value
        for key, value in values.items()
        if key in fields or key not in FORMER or value != FORMER[key]
    }


def settings_for(settings: DataSettings) -> DataSettings:
    """Return settings in the class of the source that they name.

    Raises
    ------
    UsageError
        When there is no such source, or an option is not one of it.
    """
    settings_class = SOURCES[settings.name].settings_class
    same_fields = type(settings).model_fields.keys() == settings_class.model_fields.keys()
    if isinstance(settings, settings_class) and same_fields:
        return settings
    values = settings.model_dump(mode="json", exclude_defaults=True)
    try:
        return settings_class.model_validate(values | {"name": settings.name})
    except ValidationError as error:
        raise UsageError(
            f"data set {settings.name!r}: {refusal(error)}", code=refusal_code(error)
        ) from error
