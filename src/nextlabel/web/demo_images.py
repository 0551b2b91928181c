"""Digits as image files, to try the page with."""

from pathlib import Path

import numpy as np

from nextlabel.data.sources.digits import CLASSES
from nextlabel.files.atomic import replacing
from nextlabel.project.labelling.classes import NewClassChange
from nextlabel.project.labelling.project import Project

FOLDER = Path("digits-to-label")
"""The folder of the images, in the current one."""


def write_digits(folder: Path) -> None:
    """Write 1,797 real digits as PNG, and their labels to a CSV next to the folder.

    A folder that is there stays as it is. Raises OSError when a file cannot be written.
    """
    from PIL import Image
    from sklearn.datasets import load_digits

    if folder.exists():
        return
    bunch = load_digits()
    lines = ["path,label"]
    with replacing(folder) as partial:
        partial.mkdir(parents=True)
        pixels = np.rint(bunch.images * (255 / 16)).astype(np.uint8)
        for number, (image, label) in enumerate(zip(pixels, bunch.target, strict=True)):
            name = f"digit-{number:04}.png"
            Image.fromarray(image).save(partial / name)
            lines.append(f"{name},{label}")
    truth = folder.with_name(f"{folder.name}.csv")
    truth.write_text("\n".join(lines) + "\n", encoding="utf-8")


def give_digit_keys(project: Project) -> None:
    """Let the key of each digit be the digit itself, unless a person has changed the keys."""
    classes = project.state().classes
    if tuple(one.name for one in classes) != CLASSES or classes[0].key != "1":
        return
    project.change_classes(
        [
            NewClassChange(f"digit key {one.id}", "key", class_id=one.id, value=one.name)
            for one in classes
        ]
    )
