"""A fitted block in a file, back bit for bit."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from nextlabel.core.space.block import FittedBlock
from nextlabel.core.types import PARTS


def save_block(block: FittedBlock, path: Path) -> None:
    """Write features, log, pictures and state as one npz file."""
    arrays: dict[str, Any] = {f"features/{part}": rows for part, rows in block.features.items()}
    arrays |= {f"state/{name}": array for name, array in block.state.items()}
    arrays |= {f"picture/{k}": np.frombuffer(v, np.uint8) for k, v in block.pictures.items()}
    with path.open("wb") as stream:
        np.savez(stream, log=np.array(json.dumps(block.log)), **arrays)


def load_block(path: Path) -> FittedBlock:
    """Read what `save_block` wrote."""
    with np.load(path, allow_pickle=False) as file:
        return FittedBlock(
            {part: file[f"features/{part}"] for part in PARTS if f"features/{part}" in file},
            tuple(json.loads(str(file["log"]))),
            {k[8:]: file[k].tobytes() for k in file.files if k.startswith("picture/")},
            {k[6:]: file[k] for k in file.files if k.startswith("state/")},
        )
