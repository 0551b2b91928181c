"""MedMNIST v2 [Yang et al. 2023], https://medmnist.com: 28×28, with splits of its own."""

import zipfile
import zlib
from pathlib import Path

import numpy as np

from nextlabel.core.dataset import Images
from nextlabel.core.errors import DataError
from nextlabel.core.types import Array, Part
from nextlabel.data.download import FileLocator, Remote
from nextlabel.data.registry import register
from nextlabel.data.settings import DataSettings
from nextlabel.data.source import Raw, SourceInfo
from nextlabel.data.sources.medmnist_sets import MEDMNIST, MedSet

NAMES: dict[Part, str] = {"train": "train", "validation": "val", "test": "test"}
ARRAYS = tuple(f"{part}_{what}" for part in NAMES.values() for what in ("images", "labels"))
ZENODO = "https://zenodo.org/records/10519652/files/{}.npz?download=1"
# Mirrors of the release of 2022, whose files are the same but for the organ sets.
MIRRORS = (
    "https://zenodo.org/record/6496656/files/{}.npz?download=1",
    "https://huggingface.co/datasets/albertvillanova/medmnist-v2/resolve/main/data/{}.npz",
)


def remote(name: str) -> Remote:
    """Return the published file of a set."""
    published_set = MEDMNIST[name]
    urls = (ZENODO, *(MIRRORS if published_set.mirrored else ()))
    return Remote(
        "medmnist", f"{name}.npz", published_set.md5, tuple(url.format(name) for url in urls)
    )


def read_npz(path: Path, published_set: MedSet) -> dict[Part, Images]:
    """Return the three parts of a MedMNIST file; images become (N, C, H, W), labels (N) or (N, K).

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
        part: _images(path, arrays[f"{short}_images"], arrays[f"{short}_labels"], published_set)
        for part, short in NAMES.items()
    }


def _images(path: Path, images: Array, labels: Array, published_set: MedSet) -> Images:
    if images.ndim != (3 if published_set.channels == 1 else 4) or labels.ndim != 2:
        raise DataError(
            f"{path} holds images of shape {images.shape} and labels of shape {labels.shape}; "
            f"expected {published_set.channels} channel(s) and two dimensions of labels",
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

    settings_class = DataSettings

    def __init__(self, settings: DataSettings) -> None:
        self.name = settings.name

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
        published_set, published = MEDMNIST[self.name], remote(self.name)
        local = locator.fetch(published)
        parts = read_npz(local.path, published_set)
        source = {f"{published.folder}/{published.name}": local.sha256}
        return Raw(self.name, published_set.task, published_set.classes, parts, sources=source)


for _name in MEDMNIST:
    register(_name)(MedMnist)
