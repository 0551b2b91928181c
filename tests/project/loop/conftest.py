from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from nextlabel.project.labelling.project import Project

CLASSES = tuple("0123456789")


def write_digits(folder: Path, count: int, start: int = 0) -> dict[str, int]:
    """Write images of digits as PNG, and return the class of each file."""
    folder.mkdir(exist_ok=True)
    digits = load_digits()
    truth = {}
    for row in range(start, start + count):
        name = f"{row:04}.png"
        Image.fromarray((digits.images[row] * 15).astype(np.uint8)).save(folder / name)
        truth[name] = int(digits.target[row])
    return truth


@pytest.fixture
def digits(tmp_path):
    """A scanned project of 60 digits, and the true class of each image by id."""
    truth = write_digits(tmp_path / "digits", 60)
    with Project.create(tmp_path / "digits", classes=CLASSES) as project:
        project.configure(features={"pca": 1.0})
        project.scan()
        yield project, [truth[name] for name in project.images().names]
