"""Settings: frozen groups of hyper-parameters in which an unknown key is an error."""

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """Base of all settings: immutable, strict about names and types, with finite numbers.

    A type is as TOML has it: true is not a number, "5" is text, and 5.0 is not a whole number,
    though 5 is a number of any kind. A field without a TOML spelling, such as a tuple or a path,
    says `strict=False`.

    `later` names the fields that came after the first stores were written: at their default they
    decide nothing new, and so stay out of `decisive`.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, protected_namespaces=()
    )
    later: ClassVar[frozenset[str]] = frozenset()

    def decisive(self) -> dict[str, Any]:
        """Return all settings as JSON values, for keys that outlive new settings."""
        fields = type(self).model_fields
        values = self.model_dump(mode="json")
        for name in self.later:
            if getattr(self, name) == fields[name].get_default(call_default_factory=True):
                del values[name]
        return values
