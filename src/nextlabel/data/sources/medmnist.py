"""MedMNIST v2 and MedMNIST+ [Yang et al. 2023], https://medmnist.com, with splits of its own."""

import zipfile
import zlib
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import field_validator

from nextlabel.core.dataset import Images
from nextlabel.core.errors import DataError
from nextlabel.core.types import Array, Part
from nextlabel.data.download import FileLocator, Remote
from nextlabel.data.published.medmnist_sets import LARGER, MEDMNIST, MedSet
from nextlabel.data.registry import register
from nextlabel.data.settings import DataSettings
from nextlabel.data.source import Raw, SourceInfo

NAMES: dict[Part, str] = {"train": "train", "validation": "val", "test": "test"}
ARRAYS = tuple(f"{part}_{what}" for part in NAMES.values() for what in ("images", "labels"))
ZENODO = "https://zenodo.org/records/10519652/files/{}.npz?download=1"
# Mirrors of the release of 2022, whose files are the same but for the organ sets.
MIRRORS = (
    "https://zenodo.org/record/6496656/files/{}.npz?download=1",
    "https://huggingface.co/datasets/albertvillanova/medmnist-v2/resolve/main/data/{}.npz",
)


class MedMnistSettings(DataSettings):
    """The settings of a set of MedMNIST."""

    size: Literal[28, 64, 128, 224] = 28
    """Side of the published images in pixels; above 28 they are MedMNIST+, in larger files."""

    @field_validator("size", mode="before")
    @classmethod
    def _whole(cls, size: object) -> object:
        """Refuse true and 28.0, which a literal takes for numbers."""
        if isinstance(size, bool | float):
            raise ValueError(f"{str(size).lower()} must be 28, 64, 128 or 224; choose one of them")
        return size


def remote(name: str, size: int = 28) -> Remote:
    """Return the published file of a set, with images of `size` × `size` pixels."""
    if size == 28:
        stem, md5 = name, MEDMNIST[name].md5
        urls = (ZENODO, *(MIRRORS if MEDMNIST[name].mirrored else ()))
    else:
        stem, md5, urls = f"{name}_{size}", LARGER[name][size], (ZENODO,)
    mirrors = tuple(url.format(stem) for url in urls)
    return Remote("medmnist", f"{stem}.npz", md5, mirrors, home=".medmnist")


def read_npz(path: Path, published_set: MedSet, size: int = 28) -> dict[Part, Images]:
    """Return the three parts of a MedMNIST file; images become (N, C, H, W), labels (N) or (N, K).

    `size` is H and W.

    Raises DataError for another kind of file.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            missing = [name for name in ARRAYS if name not in archive.files]
            if missing:
                raise DataError(
                    f"{path} lacks the array {missing[0]!r}; replace the file", code="array-missing"
                )
            arrays = {name: archive[name] for name in ARRAYS}
    except DataError:
        raise
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error, TypeError) as error:
        raise DataError(
            f"{path} is not a readable npz archive ({error}); replace it", code="file-damaged"
        ) from error
    return {
        part: _images(
            path, arrays.pop(f"{short}_images"), arrays[f"{short}_labels"], published_set, size
        )
        for part, short in NAMES.items()
    }


def _images(path: Path, images: Array, labels: Array, published_set: MedSet, size: int) -> Images:
    channels = () if published_set.channels == 1 else (published_set.channels,)
    if images.shape[1:] != (size, size, *channels) or labels.ndim != 2:
        raise DataError(
            f"{path} holds images of shape {images.shape} and labels of shape {labels.shape}; "
            f"expected {size} x {size} pixels of {published_set.channels} channel(s) and two "
            "dimensions of labels",
            code="file-damaged",
        )
    pixels = images[:, None] if published_set.channels == 1 else images.transpose(0, 3, 1, 2)
    answers = labels.astype(np.int64) if labels.dtype.kind in "fiub" else None
    if answers is None or not np.array_equal(answers, labels):
        raise DataError(
            f"{path} has labels that are not whole numbers; replace the file", code="file-damaged"
        )
    return Images(
        np.ascontiguousarray(pixels),
        answers[:, 0] if published_set.task == "multiclass" else answers,
    )


class MedMnist:
    """One of the 2-D sets; "chestmnist" is multi-label, four are in colour.

    A part of fewer images than the official one is drawn at random from it.
    """

    settings_class = MedMnistSettings

    def __init__(self, settings: MedMnistSettings) -> None:
        self.name, self.size = settings.name, settings.size

    @classmethod
    def info(cls, name: str, locator: FileLocator) -> SourceInfo:
        """Return the facts about a set."""
        published_set = MEDMNIST[name]
        sizes: dict[Part, int] = dict(zip(NAMES, published_set.images, strict=True))
        shape = (published_set.channels, 28, 28)
        return SourceInfo(
            name,
            published_set.task,
            published_set.classes,
            sizes,
            shape,
            locator.where(remote(name)),
        )

    def read(self, image_size: int | None, locator: FileLocator) -> Raw:
        """Return the three official parts."""
        published_set, published = MEDMNIST[self.name], remote(self.name, self.size)
        local = locator.fetch(published)
        parts = read_npz(local.path, published_set, self.size)
        source = {f"{published.folder}/{published.name}": local.sha256}
        return Raw(self.name, published_set.task, published_set.classes, parts, sources=source)


for _name in MEDMNIST:
    register(_name)(MedMnist)
