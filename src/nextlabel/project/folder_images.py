"""The images of a person's folder, without labels."""

from pathlib import Path
from typing import ClassVar

from nextlabel.core.dataset import Dataset
from nextlabel.core.errors import DataError, UsageError
from nextlabel.data.folder.settings import FolderSettings
from nextlabel.data.loading import load
from nextlabel.data.one_pool import one_pool
from nextlabel.features.cache import Cache


class AllImages(FolderSettings):
    """The settings for all images of a folder, also those that its manifest.csv does not list."""

    with_own_manifest: ClassVar[bool] = False


def folder_images(
    folder: Path, image_size: int, cache: Cache, *, progress: bool = False, least: int = 2
) -> Dataset:
    """Return all images below a folder that can be read, as the train part of a data set.

    Parameters
    ----------
    folder : Path
        The folder.
    image_size : int
        The height and width, in pixels, to which images are resized.
    cache : Cache
        The place where decoded images are kept.
    progress : bool
        Draw progress bars on stderr.
    least : int
        The fewest images that are of use: 2 for a fit, which compares them.

    Returns
    -------
    Dataset
        The images without labels, sorted by name, with the digest of each file. A warning says
        which files cannot be read.

    Raises
    ------
    UsageError
        There is no such folder.
    DataError
        It holds fewer than `least` images that can be read.
    """
    if not folder.is_dir():
        raise UsageError(
            f"{folder} is not a folder; give the folder of the images", code="no-such-folder"
        )
    settings = AllImages(
        path=folder, classes="none", unreadable="skip", validation_fraction=0, test_fraction=0
    )
    data, _ = one_pool(load(settings, image_size=image_size, progress=progress, cache=cache))
    if len(data.train) < least:
        raise DataError(
            f"{folder} holds {len(data.train)} image that can be read; give at least {least}",
            code="too-few-images",
        )
    return data
