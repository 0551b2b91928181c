"""Loading a data set from its settings."""

import warnings
from dataclasses import replace
from pathlib import Path

from nextlabel.core.dataset import Dataset, Images
from nextlabel.core.errors import UsageError
from nextlabel.data import read_data
from nextlabel.data.download import FileLocator
from nextlabel.data.messy import make_messy
from nextlabel.data.read_data import VERSION, ReadData
from nextlabel.data.registry import SOURCES, settings_for
from nextlabel.data.resize import constant, fit, to_channels
from nextlabel.data.settings import DataSettings
from nextlabel.data.source import Artefacts, DecodingSource, FileSource, KeepingSource, Source
from nextlabel.data.splits import divide

DRAWS = ("name", "train", "validation", "test", "seed", "channels")


def load(
    settings: DataSettings,
    *,
    image_size: int | None = None,
    data_dir: Path | None = None,
    progress: bool = False,
    cache: Artefacts | None = None,
) -> Dataset:
    """Return the data set that the settings name, its parts drawn and its images resized.

    A warning says when all pixels of the training images have one value.

    Parameters
    ----------
    settings : DataSettings
        The source, its options, and the number of images per part.
    image_size : int, optional
        The side of the square images in pixels. None keeps the source's own size; for "folder",
        whose images have many sizes, it means 64.
    data_dir : Path, optional
        The first folder to find files in; next are the folder NEXTLABEL_DATA, the user's cache,
        and the download.
    progress : bool
        Draw progress bars on stderr.
    cache : Artefacts, optional
        A cache for decoded images: they are decoded once, and all processes share one file.

    Returns
    -------
    Dataset
        Images as uint8 (N, C, H, W), read-only where they are memory-mapped arrays.

    Raises
    ------
    UsageError
        When settings do not fit the source.
    DataError
        When files cannot be used.
    """
    settings = settings_for(settings)
    data = load_from(
        SOURCES[settings.name](settings),
        settings,
        image_size=image_size,
        data_dir=data_dir,
        progress=progress,
        cache=cache,
    )
    return data if settings.messy is None else make_messy(data, settings.messy, settings.seed)


def load_from(
    source: Source,
    settings: DataSettings,
    *,
    image_size: int | None = None,
    data_dir: Path | None = None,
    progress: bool = False,
    cache: Artefacts | None = None,
) -> Dataset:
    """Return the data set of a source that is made already; all else is as in `load`.

    Parameters
    ----------
    source : Source
        The source, made from `settings`.
    settings, image_size, data_dir, progress, cache
        As `load` has them.
    """
    if image_size is not None and image_size < 1:
        raise UsageError(
            f"image_size {image_size} must be at least 1 pixel; raise it",
            code="image-size-too-small",
        )
    locator = FileLocator(data_dir, progress)
    if isinstance(source, KeepingSource):
        source.use(cache, progress)
    if cache is None or not isinstance(source, DecodingSource):
        return _with_originals(_read(source, settings, image_size, locator), source)

    def make() -> ReadData:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            data = _read(source, settings, image_size, locator)
        return ReadData(data, [str(warning.message) for warning in caught])

    draws = settings.model_dump(mode="json", include=set(DRAWS))
    identity = {"version": VERSION, "draws": draws, "source": dict(source.identity(image_size))}
    read, _ = cache.get("images", identity, make, read_data.save, read_data.load, reload=True)
    for message in read.warnings:
        warnings.warn(message, stacklevel=2)
    return _with_originals(read.data, source)


def _with_originals(data: Dataset, source: Source) -> Dataset:
    """Return the data set with the files that its images are decoded from, where it has any."""
    if not isinstance(source, FileSource):
        return data
    return replace(data, originals=source.originals(data.notes))


def _read(
    source: Source, settings: DataSettings, image_size: int | None, locator: FileLocator
) -> Dataset:
    """Return the data set that a source gives, its parts drawn and its images resized."""
    raw = source.read(image_size, locator)

    def prepare(images: Images) -> Images:
        pixels = to_channels(fit(images.images, image_size), settings.channel_count)
        return replace(images, images=pixels)

    parts = {part: prepare(images) for part, images in divide(raw, settings).items()}
    if constant(parts["train"].images):
        warnings.warn(
            f"{raw.name}: every pixel of every training image is "
            f"{parts['train'].images[0].flat[0]}; no model can tell them apart",
            stacklevel=3,
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
