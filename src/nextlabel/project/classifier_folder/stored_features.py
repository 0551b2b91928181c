"""The features of a classifier as it keeps them: blocks, and how images become their rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nextlabel.core.types import Array
from nextlabel.files.arrays import in_folder, of_folder


@dataclass(frozen=True, eq=False)
class StoredBlock:
    """A feature block as a classifier keeps it.

    Parameters
    ----------
    settings : mapping
        The settings of the block.
    identity : mapping
        All that decides the rows of an image, such as the sha256 of a network's weights.
    state : mapping of str to array
        The state of the fit, from which images get rows.
    """

    settings: Mapping[str, Any]
    identity: Mapping[str, Any]
    state: Mapping[str, Array]


@dataclass(frozen=True, eq=False)
class StoredFeatures:
    """The feature blocks and the folder of a fit, and how images become rows.

    Parameters
    ----------
    blocks : mapping of str to StoredBlock
        The feature blocks by name.
    image_size : int
        The height and width, in pixels, of the images that the blocks see.
    channels : int
        1 for grey images, 3 for RGB.
    facts : mapping
        What the card says in addition: the folder, counts, the estimated accuracy, versions.
    """

    blocks: Mapping[str, StoredBlock] = field(default_factory=dict)
    image_size: int = 64
    channels: int = 1
    facts: Mapping[str, Any] = field(default_factory=dict)

    def settings(self) -> dict[str, Any]:
        """Return all that is not an array, as JSON values."""
        return {
            "image_size": self.image_size,
            "channels": self.channels,
            "blocks": {
                name: {"settings": dict(block.settings), "identity": dict(block.identity)}
                for name, block in self.blocks.items()
            },
            "facts": dict(self.facts),
        }

    def arrays(self) -> dict[str, Array]:
        """Return the states of all blocks by name."""
        arrays: dict[str, Array] = {}
        for name, block in self.blocks.items():
            arrays |= in_folder(f"blocks/{name}", block.state)
        return arrays

    @classmethod
    def of(cls, settings: Mapping[str, Any], arrays: Mapping[str, Array]) -> "StoredFeatures":
        """Return the features that `settings` and `arrays` came from."""
        blocks = {}
        for name, block in settings["blocks"].items():
            state = of_folder(f"blocks/{name}", arrays)
            blocks[name] = StoredBlock(block["settings"], block["identity"], state)
        return cls(blocks, settings["image_size"], settings["channels"], settings["facts"])
