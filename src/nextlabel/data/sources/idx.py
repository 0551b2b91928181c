"""MNIST and its drop-in replacements, in the official idx format.

MNIST [LeCun et al. 1998], http://yann.lecun.com/exdb/mnist/ (the format is described there);
Fashion-MNIST [Xiao et al. 2017], https://github.com/zalandoresearch/fashion-mnist;
KMNIST [Clanuwat et al. 2018], https://github.com/rois-codh/kmnist.
"""

import gzip
import math
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.dataset import Images
from nextlabel.core.errors import DataError
from nextlabel.core.types import Part
from nextlabel.data.download import FileLocator, Remote, unverified
from nextlabel.data.registry import register
from nextlabel.data.settings import DataSettings
from nextlabel.data.source import Raw, SourceInfo

UBYTE = 8
DRAWN: Mapping[Part, int] = {"validation": 10_000}
FILES: tuple[tuple[Part, str, str], ...] = (
    ("train", "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    ("test", "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
)


@dataclass(frozen=True)
class Family:
    """Class names, mirrors, and the published md5 of each of the four files.

    `unpacked` is the md5 of each file without gzip, where it is known. `folder` is the name of the
    folder in which torchvision keeps them.
    """

    classes: tuple[str, ...]
    mirrors: tuple[str, ...]
    md5: Mapping[str, str]
    unpacked: Mapping[str, str]
    folder: str


FAMILIES: dict[str, Family] = {
    "mnist": Family(
        tuple("0123456789"),
        (
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
            "http://yann.lecun.com/exdb/mnist/",
        ),
        {
            "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
            "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
            "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
            "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
        },
        {
            "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
            "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
            "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
            "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
        },
        "MNIST",
    ),
    "fashion_mnist": Family(
        (
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ),
        (
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        ),
        {
            "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
            "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
            "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
        },
        {
            "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
            "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
            "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
            "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
        },
        "FashionMNIST",
    ),
    "kmnist": Family(
        ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
        (
            "https://codh.rois.ac.jp/kmnist/dataset/kmnist/",
            "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
        ),
        {
            "train-images-idx3-ubyte.gz": "bdb82020997e1d708af4cf47b453dcf7",
            "train-labels-idx1-ubyte.gz": "e144d726b3acfaa3e44228e80efcd344",
            "t10k-images-idx3-ubyte.gz": "5c965bf0a639b31b8f53240b1b52f4d7",
            "t10k-labels-idx1-ubyte.gz": "7320c461ea6c1c855c0b718fb2a4b134",
        },
        {},
        "KMNIST",
    ),
}


def remotes(name: str) -> dict[str, tuple[Remote, Remote]]:
    """Return the two forms of each file of a family by its name: packed, and without gzip.

    torchvision keeps both in "MNIST/raw" for example, and some programs only the second one.
    """
    family = FAMILIES[name]
    folders = (f"{family.folder}/raw", family.folder, f"{name}/raw")
    forms = {}
    for file, md5 in family.md5.items():
        bare = file.removesuffix(".gz")
        urls = tuple(mirror + file for mirror in family.mirrors)
        forms[file] = (
            Remote(name, file, md5, urls, shared=True, folders=folders),
            Remote(name, bare, family.unpacked.get(bare), shared=True, folders=folders),
        )
    return forms


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Return the unsigned bytes of an idx file, in the shape that its head declares.

    A file whose name ends in ".gz" is unpacked. Raises DataError for another kind of file, and for
    one that is too short or too long.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            data = file.read()
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"{path} cannot be unpacked ({error}); replace the file", code="file-damaged"
        ) from error
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] != UBYTE or not 1 <= data[3] <= 4:
        raise DataError(
            f"{path} starts with {data[:4].hex(' ') or 'nothing'}, not with 00 00 08 and 1 to 4 "
            "dimensions; give an idx file of unsigned bytes",
            code="not-an-idx-file",
        )
    head = 4 + 4 * data[3]
    if len(data) < head:
        raise DataError(
            f"{path} ends within its head of {head} bytes; replace the file", code="file-damaged"
        )
    shape = struct.unpack(f">{data[3]}I", data[4:head])
    if len(data) - head != math.prod(shape):
        raise DataError(
            f"{path} holds {len(data) - head} values where its head announces "
            f"{' x '.join(map(str, shape))} = {math.prod(shape)}; replace the file",
            code="file-damaged",
        )
    return np.frombuffer(data, np.uint8, offset=head).reshape(shape)


@register("mnist")
@register("fashion_mnist")
@register("kmnist")
class Idx:
    """60,000 images to train and validate, 10,000 to test, 28×28, grey.

    Validation is drawn from the 60,000 (10,000 by default), train is the rest or a subset of it;
    `origin` holds rows of the official files.
    """

    settings_class = DataSettings

    def __init__(self, settings: DataSettings) -> None:
        self.name = settings.name

    @classmethod
    def info(cls, name: str, locator: FileLocator) -> SourceInfo:
        """Return the facts about a family; it is present when all four files are."""
        places = {locator.where(_there(locator, forms)) for forms in remotes(name).values()}
        where = next(w for w in ("download", "cached", "present") if w in places)
        sizes: dict[Part, int] = {"train": 50_000, "validation": 10_000, "test": 10_000}
        return SourceInfo(name, "multiclass", FAMILIES[name].classes, sizes, (1, 28, 28), where)

    def read(self, image_size: int | None, locator: FileLocator) -> Raw:
        """Return the official training and test parts."""
        chosen = {file: _there(locator, forms) for file, forms in remotes(self.name).items()}
        files = {file: locator.fetch(remote) for file, remote in chosen.items()}
        parts: dict[Part, Images] = {}
        for part, image_file, label_file in FILES:
            images, labels = (read_idx(files[f].path) for f in (image_file, label_file))
            if images.ndim != 3 or labels.ndim != 1:
                raise DataError(
                    f"{image_file} has {images.ndim} dimensions and {label_file} {labels.ndim}; "
                    "give 3 and 1",
                    code="idx-dimensions",
                )
            parts[part] = Images(images[:, None], labels.astype(np.int64))
        sources = {f"{self.name}/{chosen[file].name}": files[file].sha256 for file in files}
        notes = unverified(chosen.values())
        classes = FAMILIES[self.name].classes
        return Raw(self.name, "multiclass", classes, parts, DRAWN, sources, notes)


def _there(locator: FileLocator, forms: tuple[Remote, Remote]) -> Remote:
    """Return the form of a file that is there, the packed one first."""
    (remote,) = locator.form([[form] for form in forms])
    return remote
