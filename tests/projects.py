"""Projects for tests: folders of small images, and their labels by name."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from nextlabel.project.labelling.project import Project


def photos_in(folder: Path, names: Sequence[str]) -> Path:
    """Write a different small PNG for each name, in their order, and return the folder."""
    for number, name in enumerate(sorted(names)):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 255, (6, 8), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
    return folder


def named_labels(project: Project) -> dict[str, tuple[str, ...]]:
    """Return the names of the classes of each labelled image, by its first file."""
    state, names = project.state(), project.images().names
    return {
        names[image]: tuple(sorted(state.classes[one].name for one in label))
        for image, label in state.labels.items()
    }
