import csv

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from nextlabel.project.pipeline import Pipeline

COUNT = 90


@pytest.fixture(scope="session")
def digits_folder(tmp_path_factory):
    """A folder of 90 small images of the digits 0, 1 and 2, and their true names."""
    folder = tmp_path_factory.mktemp("photos") / "digits"
    folder.mkdir()
    digits = load_digits()
    rows = np.flatnonzero(digits.target < 3)[:COUNT]
    truth = {}
    for row in rows:
        name = f"{row:04}.png"
        Image.fromarray((digits.images[row] * 15).astype(np.uint8)).save(folder / name)
        truth[name] = ("zero", "one", "two")[digits.target[row]]
    return folder, truth


@pytest.fixture
def write_labels(tmp_path):
    """Return a function that writes a file of labels."""

    def write(answers, name="labels.csv"):
        path = tmp_path / name
        with path.open("w", newline="") as stream:
            csv.writer(stream).writerows([("path", "label"), *answers.items()])
        return path

    return write


@pytest.fixture(scope="session")
def quick():
    """A pipeline that learns its features in no time, and draws no image at random."""
    return Pipeline(
        features={"pca": 1.0}, blocks={"pca": {"components": 16}}, image_size=16, audit=0.0
    )


@pytest.fixture(scope="session")
def project_cache(tmp_path_factory):
    return tmp_path_factory.mktemp("project-cache")
