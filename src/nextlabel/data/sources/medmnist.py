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
    known = MEDMNIST[name]
    urls = (ZENODO, *(MIRRORS if known.mirrored else ()))
    return Remote("medmnist", f"{name}.npz", known.md5, tuple(url.format(name) for url in urls))


def read_npz(path: Path, known: MedSet) -> dict[Part, Images]:
    """Return the three parts of a MedMNIST file; images become (N, C, H, W), labels (N) or (N, K).

    Raises DataError for a file that is no such archive.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            missing = [name for name in ARRAYS if name not in archive.files]
            if missing:
                raise DataError(f"{path} lacks the array {missing[0]!r}; replace the file")
            arrays = {name: archive[name] for name in ARRAYS}
    except DataError:
        raise
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error, TypeError) as error:
        raise DataError(f"{path} is no readable npz archive ({error}); replace it") from error
    return {
        part: _images(path, arrays[f"{short}_images"], arrays[f"{short}_labels"], known)
        for part, short in NAMES.items()
    }


def _images(path: Path, images: Array, labels: Array, known: MedSet) -> Images:
    if images.ndim != (3 if known.channels == 1 else 4) or labels.ndim != 2:
        raise DataError(
            f"{path} holds images of shape {images.shape} and labels of shape {labels.shape}; "
            f"expected {known.channels} channel(s) and two dimensions of labels"
        )
    pixels = images[:, None] if known.channels == 1 else images.transpose(0, 3, 1, 2)
    answers = labels.astype(np.int64) if labels.dtype.kind in "fiub" else None
    if answers is None or not np.array_equal(answers, labels):
        raise DataError(f"{path} has labels that are no whole numbers; replace the file")
    return Images(
        np.ascontiguousarray(pixels), answers[:, 0] if known.task == "multiclass" else answers
    )


class MedMnist:
    """One of the 2-D sets; "chestmnist" is multi-label, four are in colour.

    A part of fewer images than the official one is drawn at random from it.
    """

    settings_class = DataSettings

    def __init__(self, settings: DataSettings) -> None:
        settings.allow()
        self.name = settings.name

    @classmethod
    def info(cls, name: str, locator: FileLocator) -> SourceInfo:
        """Return what is known of a set."""
        known = MEDMNIST[name]
        sizes: dict[Part, int] = dict(zip(NAMES, known.images, strict=True))
        shape = (known.channels, 28, 28)
        return SourceInfo(
            name, known.task, known.classes, sizes, shape, locator.where(remote(name))
        )

    def read(self, image_size: int | None, locator: FileLocator) -> Raw:
        """Return the three official parts."""
        known, published = MEDMNIST[self.name], remote(self.name)
        local = locator.fetch(published)
        parts = read_npz(local.path, known)
        source = {f"{published.folder}/{published.name}": local.sha256}
        return Raw(self.name, known.task, known.classes, parts, sources=source)


for _name in MEDMNIST:
    register(_name)(MedMnist)
