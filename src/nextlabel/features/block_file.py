"""A fitted block in a file, back bit for bit."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from nextlabel.core.space.block import FittedBlock
from nextlabel.core.types import PARTS
from nextlabel.files.arrays import in_folder, of_folder


def save_block(block: FittedBlock, path: Path) -> None:
    """Write features, log, pictures and state as one npz file."""
    pictures = {name: np.frombuffer(png, np.uint8) for name, png in block.pictures.items()}
    arrays: dict[str, Any] = {f"features/{part}": rows for part, rows in block.features.items()}
    arrays |= in_folder("state", block.state) | in_folder("picture", pictures)
    with path.open("wb") as stream:
        np.savez(stream, log=np.array(json.dumps(block.log)), **arrays)


def load_block(path: Path) -> FittedBlock:
    """Read what `save_block` wrote."""
    with np.load(path, allow_pickle=False) as file:
        return FittedBlock(
            {part: file[f"features/{part}"] for part in PARTS if f"features/{part}" in file},
            tuple(json.loads(str(file["log"]))),
            {name: pixels.tobytes() for name, pixels in of_folder("picture", file).items()},
            of_folder("state", file),
        )
