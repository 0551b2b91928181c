"""Images in a numpy file, with labels in it or in a second file."""

import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.dataset import Images
from nextlabel.core.errors import DataError
from nextlabel.core.types import Array, Labels, Part, Task
from nextlabel.data.download import FileLocator
from nextlabel.data.lists.manifest import PART_NAMES
from nextlabel.data.pixels.grey_levels import GreyLevels, Spread
from nextlabel.data.registry import register
from nextlabel.data.settings import File, FileSettings
from nextlabel.data.source import Raw, SourceInfo
from nextlabel.files.arrays import read_arrays
from nextlabel.files.digest import file_digest

TILE = 1024
MOST_CLASSES = 10_000


class ArraysSettings(FileSettings):
    """The settings of images in a numpy file."""

    name: str = "arrays"
    labels: Path | None = File
    """Second .npy file with the labels of the images."""


@register("arrays")
class Arrays:
    """A .npy of images, or an .npz with `images` and, if there, `labels`, `classes` and `split`.

    Images are (N, H, W), (N, H, W, C) or (N, C, H, W) with 1, 3 or 4 channels, the fourth an
    alpha that is dropped; uint8, bool, uint16 (as in a folder: of all values the percentile 0.1
    becomes 0, the percentile 99.9 becomes 255) or float from 0 to 1. Labels are whole numbers (N)
    or names (N), or 0 and 1 of shape (N, K) for a multi-label task; -1 where unknown.
    `data.labels` names a second .npy with them. `split` holds train, validation and test. A file
    of MedMNIST has `train_images`, `train_labels` and so on instead. A .npy of uint8 stays a
    memory-mapped array, and is not copied unless images are drawn, resized or stripped of alpha.
    """

    settings_class = ArraysSettings

    def __init__(self, settings: ArraysSettings) -> None:
        self.settings, self.path = settings, settings.need_path()

    @classmethod
    def info(cls, name: str, locator: FileLocator) -> SourceInfo:
        """Return that everything depends on the file."""
        return SourceInfo(name, None, (), {}, None, "path")

    def read(self, image_size: int | None, locator: FileLocator) -> Raw:
        """Return all images in their own size."""
        arrays = _load(self.path)
        if "images" not in arrays:
            raise DataError(
                f"{self.path} lacks the array 'images'; it has {', '.join(arrays) or 'none'}",
                code="array-missing",
            )
        sources = {self.path.name: file_digest(self.path)}
        answers = arrays.get("labels")
        if self.settings.labels is not None:
            answers = _labels_in(self.settings.labels)
            sources[self.settings.labels.name] = file_digest(self.settings.labels)
        images, notes = _bytes(_channels_first(arrays["images"]))
        task, classes, labels = _labels(answers, arrays.get("classes"))
        parts = _parts(Images(images, labels), arrays.get("split"))
        left = parts["train"].labels
        labelled = 0 if left is None else int((left.reshape(len(left), -1) >= 0).all(1).sum())
        drawn: dict[Part, int] = {
            "validation": int(self.settings.validation_fraction * labelled),
            "test": int(self.settings.test_fraction * labelled),
        }
        return Raw(self.path.stem, task, classes, parts, drawn, sources, notes)


def _labels_in(path: Path) -> Array:
    """Return the labels of a file: an .npy, or of an .npz `labels` or the only array."""
    arrays = _load(path)
    if "labels" not in arrays and len(arrays) != 1:
        inside = ", ".join(arrays) or "nothing"
        raise DataError(
            f"{path} holds {inside}; store the labels under the name 'labels'", code="array-missing"
        )
    return arrays["labels"] if "labels" in arrays else next(iter(arrays.values()))


def _load(path: Path) -> dict[str, Array]:
    """Return the arrays of a file; that of an .npy is called `images`."""
    loaded = read_arrays(path)
    if isinstance(loaded, np.ndarray):
        return {"images": loaded}
    return _joined(loaded) if "train_images" in loaded and "images" not in loaded else loaded


def _joined(arrays: dict[str, Array]) -> dict[str, Array]:
    """Return the arrays of a MedMNIST file, which has a pair of arrays per part, joined."""
    parts = [part for part in ("train", "val", "test") if f"{part}_images" in arrays]
    images = [arrays[f"{part}_images"] for part in parts]
    joined = {
        "images": np.concatenate(images),
        "split": np.repeat(parts, [len(array) for array in images]),
    }
    if all(f"{part}_labels" in arrays for part in parts):
        joined["labels"] = np.concatenate([arrays[f"{part}_labels"] for part in parts])
    return joined


def _channels_first(array: Array) -> Array:
    """Return images as a view (N, C, H, W), with 1 or 3 channels."""
    if array.ndim == 3:
        array = array[:, None]
    elif array.ndim == 4:
        last, first = array.shape[3] in (1, 3, 4), array.shape[1] in (1, 3, 4)
        if last == first:
            raise DataError(
                f"images have shape {array.shape} and the channel axis is not clear; give "
                "(N, H, W), or (N, H, W, C) or (N, C, H, W) with 1 or 3 channels",
                code="images-shape",
            )
        array = array.transpose(0, 3, 1, 2) if last else array
    else:
        raise DataError(
            f"images have shape {array.shape}; give (N, H, W), (N, H, W, C) or (N, C, H, W)",
            code="images-shape",
        )
    if 0 in array.shape:
        raise DataError(
            f"images have shape {array.shape}; give at least one image of one pixel",
            code="images-empty",
        )
    return array[:, :3] if array.shape[1] == 4 else array


def _deep(
    array: Array, tiles: list[slice], out: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], dict[str, str]]:
    """Write 16-bit images (N, C, H, W) to `out` on one robust scale, and return it with a note."""
    spreads = {}
    for row, image in enumerate(array):
        spread = Spread.of(image.transpose(1, 2, 0))
        assert spread is not None
        spreads[f"image {row}"] = spread
    levels = GreyLevels.over(spreads, remedy="uint8 images of your own scale keep them")
    for message in levels.warnings:
        warnings.warn(message, stacklevel=5)
    for tile in tiles:
        rows = array[tile].transpose(0, 2, 3, 1)  # [n, H, W, C]
        eight = levels.eight_bit(rows.reshape(-1, *rows.shape[2:]))
        out[tile] = eight.reshape(rows.shape).transpose(0, 3, 1, 2)
    return out, dict(levels.notes)


def _bytes(array: Array) -> tuple[NDArray[np.uint8], dict[str, str]]:
    """Return images as uint8, and a note on how."""
    if array.dtype == np.uint8:
        return array, {}
    tiles = [slice(start, start + TILE) for start in range(0, len(array), TILE)]
    out = np.empty(array.shape, np.uint8)
    if array.dtype == np.bool_:
        for tile in tiles:
            out[tile] = array[tile] * np.uint8(255)
        return out, {}
    if array.dtype == np.uint16:
        return _deep(array, tiles, out)
    if array.dtype.kind != "f":
        raise DataError(
            f"images are {array.dtype}; give uint8, uint16, or floats from 0 to 1",
            code="array-type-unknown",
        )
    for tile in tiles:
        values = np.asarray(array[tile], np.float64)
        # Written so that NaN fails it too.
        if not (values.min() >= 0 and values.max() <= 1):
            bad = np.flatnonzero(~((values >= 0) & (values <= 1)).all(axis=(1, 2, 3)))[0]
            raise DataError(
                f"image {tile.start + bad} has values from {values[bad].min()} to "
                f"{values[bad].max()}; floats must lie between 0 and 1",
                code="pixels-out-of-range",
            )
        out[tile] = np.rint(values * 255)
    return out, {}


def _labels(
    answers: Array | None, names: Array | None
) -> tuple[Task, tuple[str, ...], Labels | None]:
    if answers is None:
        return "multiclass", (), None
    if answers.ndim == 2 and answers.shape[1] == 1:
        answers = answers[:, 0]
    if answers.ndim not in (1, 2) or not len(answers):
        raise DataError(
            f"labels have shape {answers.shape}; give (N) or (N, classes)", code="labels-shape"
        )
    if answers.dtype.kind == "U" and answers.ndim == 1:
        names_found, numbers = np.unique(answers, return_inverse=True)
        return "multiclass", tuple(map(str, names_found)), numbers.astype(np.int64)
    if answers.dtype.kind not in "fiub":
        raise DataError(
            f"labels are {answers.dtype}; give whole numbers, or names in one column",
            code="labels-type",
        )
    with np.errstate(invalid="ignore"):  # of NaN and infinity, which the next line finds
        labels = np.asarray(answers).astype(np.int64)
    odd = np.argwhere((labels != answers) | (answers > np.iinfo(np.int64).max))
    if len(odd):
        raise DataError(
            f"label {answers[tuple(odd[0])]} in row {odd[0][0]} is not a whole number below 2^63; "
            "give whole numbers, or names in one column",
            code="label-not-whole",
        )
    if answers.ndim == 2:
        return "multilabel", _names(names, answers.shape[1]), labels
    if labels.max() >= MOST_CLASSES:
        raise DataError(
            f"label {labels.max()} exceeds {MOST_CLASSES - 1}; number the classes from 0",
            code="label-too-large",
        )
    return "multiclass", _names(names, int(labels.max()) + 1), labels


def _names(names: Array | None, count: int) -> tuple[str, ...]:
    if names is None:
        return tuple(map(str, range(count)))
    if names.ndim != 1 or len(names) < count:
        raise DataError(
            f"classes have shape {names.shape} for {count} classes; name each one",
            code="classes-shape",
        )
    return tuple(map(str, names))


def _parts(images: Images, split: Array | None) -> dict[Part, Images]:
    if split is None:
        return {"train": images}
    if split.shape != (len(images),):
        raise DataError(
            f"split has shape {split.shape} for {len(images)} images; give one word for each",
            code="split-shape",
        )
    words = [str(word).lower() for word in split]
    unknown = sorted(set(words) - set(PART_NAMES))
    if unknown:
        raise DataError(
            f"split {unknown[0]!r} is unknown; give train, validation or test", code="split-unknown"
        )
    of = np.array([PART_NAMES[word] for word in words])
    return {part: images.take(np.flatnonzero(of == part)) for part in {"train", *of.tolist()}}
