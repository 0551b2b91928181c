"""How fitted blocks and task models are written to the cache and read back, bit for bit."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from nextlabel.core.block import FittedBlock
from nextlabel.core.learner import Training
from nextlabel.core.types import PARTS


def save_block(block: FittedBlock, path: Path) -> None:
    """Write features, log and pictures as one npz file."""
    arrays: dict[str, Any] = {f"features/{part}": rows for part, rows in block.features.items()}
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
        )


def save_task(fitted: tuple[dict[str, Any], Training], path: Path) -> None:
    """Write a task model's state and the record of its training."""
    import torch

    state, training = fitted
    record = {
        k: getattr(training, k) for k in ("accuracy", "epochs", "steps", "weights", "reached")
    }
    torch.save({"state": state, "training": record}, path)


def load_task(path: Path) -> tuple[dict[str, Any], Training]:
    """Read what `save_task` wrote; the training counts as shared and took no time."""
    import torch

    file = torch.load(path, map_location="cpu", weights_only=True)
    return file["state"], Training(**file["training"], shared=True)
