"""CIFAR-10 and CIFAR-100 [Krizhevsky 2009], https://www.cs.toronto.edu/~kriz/cifar.html.

The binary version is downloaded. The Python version is read where torchvision has left it, packed
or unpacked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nextlabel.core.dataset import Images
from nextlabel.core.types import Part
from nextlabel.data.download import FileLocator, Remote, unverified
from nextlabel.data.published.cifar_files import read_batch, read_records
from nextlabel.data.registry import register
from nextlabel.data.settings import DataSettings
from nextlabel.data.source import Raw, SourceInfo

URL = "https://www.cs.toronto.edu/~kriz/"
DRAWN: Mapping[Part, int] = {"validation": 5_000}
FINE_CLASSES = """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus
    butterfly camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab
    crocodile cup dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard
    lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain mouse mushroom
    oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine
    possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake
    spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor
    train trout tulip turtle wardrobe whale willow_tree wolf woman worm
"""


@dataclass(frozen=True)
class Family:
    """The published files of a set, in both versions.

    `binary` is the folder of the batches in the archive, and `batches` gives for each part the
    number of images of its batches by name. `python_archive` is the archive of the Python version,
    `python` the folder of the batches in it, and `md5` the md5 of the archive and the batches.
    `labels` is the name of their labels, `label_bytes` the number of labels before an image in the
    binary version, of which the last one counts.
    """

    classes: tuple[str, ...]
    archive: str
    archive_md5: str
    binary: str
    batches: Mapping[Part, Mapping[str, int]]
    label_bytes: int
    python_archive: str
    python: str
    md5: Mapping[str, str]
    labels: str


FAMILIES: dict[str, Family] = {
    "cifar10": Family(
        ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
        "cifar-10-binary.tar.gz",
        "c32a1d4ab5d03f1284b67883e8d87530",
        "cifar-10-batches-bin",
        {
            "train": {f"data_batch_{i}": 10_000 for i in range(1, 6)},
            "test": {"test_batch": 10_000},
        },
        1,
        "cifar-10-python.tar.gz",
        "cifar-10-batches-py",
        {
            "cifar-10-python.tar.gz": "c58f30108f718f92721af3b95e74349a",
            "data_batch_1": "c99cafc152244af753f735de768cd75f",
            "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
            "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
            "data_batch_4": "634d18415352ddfa80567beed471001a",
            "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
            "test_batch": "40351d587109b95175f43aff81a1287e",
        },
        "labels",
    ),
    "cifar100": Family(
        tuple(FINE_CLASSES.split()),
        "cifar-100-binary.tar.gz",
        "03b5dce01913d631647c71ecec9e9cb8",
        "cifar-100-binary",
        {"train": {"train": 50_000}, "test": {"test": 10_000}},
        2,
        "cifar-100-python.tar.gz",
        "cifar-100-python",
        {
            "cifar-100-python.tar.gz": "eb9058c3a382ffc7106e4002c42a8d85",
            "train": "16019d7e3df5f24257cddd939b257f8d",
            "test": "f0ef6b0ae62326f3e7ffdfab6717acfc",
        },
        "fine_labels",
    ),
}


def forms(name: str) -> tuple[tuple[Remote, ...], ...]:
    """Return the forms of a set: the binary archive and its batches, then the Python ones."""
    family = FAMILIES[name]

    def inside(folder: str, file: str, md5: str | None) -> Remote:
        return Remote(name, file, md5, shared=True, folders=(folder, f"{name}/{folder}"))

    archive = Remote(name, family.archive, family.archive_md5, (URL + family.archive,))
    pickled = Remote(name, family.python_archive, family.md5[family.python_archive])
    batches = [batch for part in family.batches.values() for batch in part]
    return (
        (archive,),
        tuple(inside(family.binary, f"{batch}.bin", None) for batch in batches),
        tuple(inside(family.python, batch, family.md5[batch]) for batch in batches),
        (pickled,),
    )


@register("cifar10")
@register("cifar100")
class Cifar:
    """50,000 images to train and validate, 10,000 to test, 32×32, in colour.

    Validation is drawn from the 50,000 (5,000 by default); CIFAR-100 has its fine labels.
    """

    settings_class = DataSettings

    def __init__(self, settings: DataSettings) -> None:
        self.name = settings.name

    @classmethod
    def info(cls, name: str, locator: FileLocator) -> SourceInfo:
        """Return the facts about a set; it is present when all files of a version are."""
        sizes: dict[Part, int] = {"train": 45_000, "validation": 5_000, "test": 10_000}
        where = locator.where(locator.form(forms(name))[0])
        return SourceInfo(name, "multiclass", FAMILIES[name].classes, sizes, (3, 32, 32), where)

    def read(self, image_size: int | None, locator: FileLocator) -> Raw:
        """Return the official training and test parts."""
        family = FAMILIES[self.name]
        remotes = locator.form(forms(self.name))
        files = {remote.name: locator.fetch(remote) for remote in remotes}

        def read(batch: str, count: int) -> Images:
            binary, packed = f"{batch}.bin", next(iter(files.values())).path
            if family.archive in files:
                return read_records(packed, f"{family.binary}/{binary}", family.label_bytes, count)
            if binary in files:
                return read_records(files[binary].path, None, family.label_bytes, count)
            if family.python_archive in files:
                return read_batch(packed, f"{family.python}/{batch}", family.labels)
            return read_batch(files[batch].path, None, family.labels)

        parts = {
            part: _joined([read(*batch) for batch in batches.items()])
            for part, batches in family.batches.items()
        }
        sources = {f"{self.name}/{name}": file.sha256 for name, file in files.items()}
        notes = unverified(remotes)
        return Raw(self.name, "multiclass", family.classes, parts, DRAWN, sources, notes)


def _joined(batches: Sequence[Images]) -> Images:
    """Return all batches of a part as one."""
    labels = [batch.labels for batch in batches if batch.labels is not None]
    return Images(np.concatenate([batch.images for batch in batches]), np.concatenate(labels))
