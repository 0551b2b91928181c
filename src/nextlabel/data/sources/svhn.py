"""SVHN [Netzer et al. 2011], cropped house numbers, http://ufldl.stanford.edu/housenumbers/."""

import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from nextlabel.core.dataset import Images
from nextlabel.core.errors import DataError
from nextlabel.core.types import Part
from nextlabel.data.download import FileLocator, Remote
from nextlabel.data.registry import register
from nextlabel.data.settings import DataSettings
from nextlabel.data.source import Raw, SourceInfo

URL = "http://ufldl.stanford.edu/housenumbers/"
CLASSES = tuple("0123456789")
DRAWN: Mapping[Part, int] = {"validation": 7_000}
FILES: dict[Part, tuple[str, str]] = {
    "train": ("train_32x32.mat", "e26dedcc434d2e4c54c9b2d4a06d8373"),
    "test": ("test_32x32.mat", "eb5a983be6a315427106f1b164d9cef3"),
}
"""Name and published md5 of the file of each part."""


def remotes() -> dict[Part, Remote]:
    """Return the file of each part."""
    return {
        part: Remote("svhn", name, md5, (URL + name,), folders=("SVHN",))
        for part, (name, md5) in FILES.items()
    }


def read_mat(path: Path) -> Images:
    """Return the images of a .mat file; the label 10 means the digit 0.

    Raises DataError for another kind of file.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        content = loadmat(path, variable_names=["X", "y"])
        pixels, labels = content["X"], content["y"]
        shape = (32, 32, 3, labels.size)
        if pixels.dtype != np.uint8 or pixels.shape != shape:
            raise ValueError(f"images of {pixels.dtype} and shape {pixels.shape}, not {shape}")
        if labels.dtype.kind not in "iuf" or not np.isin(labels, np.arange(1, 11)).all():
            raise ValueError("labels that are not whole numbers from 1 to 10")
    except (
        MatReadError,
        OSError,
        EOFError,
        ValueError,
        TypeError,
        LookupError,
        NotImplementedError,
        zlib.error,
    ) as error:
        raise DataError(
            f"{path} is not a .mat file of SVHN ({type(error).__name__}: {error}); replace it",
            code="file-damaged",
        ) from error
    images = np.ascontiguousarray(pixels.transpose(3, 2, 0, 1))
    return Images(images, labels.astype(np.int64).ravel() % 10)


@register("svhn")
class Svhn:
    """73,257 digits of house numbers to train and validate, 26,032 to test, 32×32, in colour.

    Validation is drawn from the 73,257 (7,000 by default). The 531,131 easier ones that are
    published as "extra" are not used.
    """

    settings_class = DataSettings

    def __init__(self, settings: DataSettings) -> None: ...

    @classmethod
    def info(cls, name: str, locator: FileLocator) -> SourceInfo:
        """Return the facts about the set; it is present when both files are."""
        places = {locator.where(remote) for remote in remotes().values()}
        where = next(w for w in ("download", "cached", "present") if w in places)
        sizes: dict[Part, int] = {"train": 66_257, "validation": 7_000, "test": 26_032}
        return SourceInfo(name, "multiclass", CLASSES, sizes, (3, 32, 32), where)

    def read(self, image_size: int | None, locator: FileLocator) -> Raw:
        """Return the official training and test parts."""
        files = {part: locator.fetch(remote) for part, remote in remotes().items()}
        parts = {part: read_mat(file.path) for part, file in files.items()}
        sources = {f"svhn/{FILES[part][0]}": file.sha256 for part, file in files.items()}
        return Raw("svhn", "multiclass", CLASSES, parts, DRAWN, sources)
