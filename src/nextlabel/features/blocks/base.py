"""What most feature blocks share: settings that decide all, no labels, and a place in the cache."""

from collections.abc import Mapping
from typing import Any, ClassVar

from nextlabel.core.settings import Settings


class BlockSettings(Settings):
    """The settings of a block (see `core.block.Block`) that are also what it is known by."""

    supervised: ClassVar[bool] = False
    """True when the labels are used, so that each round fits anew."""
    cached: ClassVar[bool] = True
    """True when fitting takes longer than reading back."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """All settings, device and precision by what they stand for here."""
        from nextlabel.models.device import resolve_settings

        return resolve_settings(self.decisive())
