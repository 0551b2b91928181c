"""From settings to a data set."""

import warnings
from dataclasses import replace
from pathlib import Path

from nextlabel.core.dataset import Dataset, Images
from nextlabel.core.errors import UsageError
from nextlabel.data.download import Shelf
from nextlabel.data.registry import SOURCES
from nextlabel.data.resize import constant, fit, to_channels
from nextlabel.data.settings import DataSettings
from nextlabel.data.source import Source
from nextlabel.data.splits import divide


def load(
    settings: DataSettings,
    *,
    image_size: int | None = None,
    data_dir: Path | None = None,
    progress: bool = False,
) -> Dataset:
    """Return the data set that the settings name, its parts drawn and its images resized.

    `image_size` is the side of the square images in pixels; None keeps the source's own (for
    "folder", whose images have many sizes, it means 64). Files are looked for in `data_dir`,
    then in the folder NEXTLABEL_DATA, then in the user's cache, and downloaded last; `progress`
    draws bars on stderr. Raises UsageError for settings that do not fit the source and DataError
    for files that cannot be used; warns when the training images are all one value.
    """
    if image_size is not None and image_size < 1:
        raise UsageError(f"image_size {image_size} must be at least 1 pixel")
    source: Source = SOURCES[settings.name](settings)
    raw = source.read(image_size, Shelf(data_dir, progress))

    def prepare(images: Images) -> Images:
        pixels = to_channels(fit(images.images, image_size), settings.channels)
        return replace(images, images=pixels)

    parts = {part: prepare(images) for part, images in divide(raw, settings).items()}
    if constant(parts["train"].images):
        warnings.warn(
            f"{raw.name}: every pixel of every training image is "
            f"{parts['train'].images[0].flat[0]}; no model can tell them apart",
            stacklevel=2,
        )
    return Dataset(
        raw.name,
        raw.task,
        raw.classes,
        parts["train"],
        parts["validation"],
        parts["test"],
        dict(raw.sources),
        dict(raw.notes),
    )
