import re
from pathlib import Path

import numpy as np
import pytest

from nextlabel.core.dataset import Dataset
from nextlabel.core.errors import DataError
from nextlabel.data import ArraysSettings, load
from refusals import refused

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (10, 6, 7), np.uint8)
LABELS = np.arange(10) % 3
ALL = {"validation": 0, "test": 0}


def read(path: Path, **values: object) -> Dataset:
    size = values.pop("image_size", None)
    settings = ArraysSettings(path=path, **values)  # type: ignore[arg-type]
    return load(settings, image_size=size)  # type: ignore[arg-type]


def save(path: Path, **arrays: object) -> Path:
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return path


def test_npy_stays_a_memory_map(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", IMAGES)
    data = read(tmp_path / "x.npy")
    assert isinstance(data.train.images, np.memmap)
    assert data.train.images.shape == (10, 1, 6, 7) and data.train.labels is None
    assert np.array_equal(data.train.images[:, 0], IMAGES)
    assert data.name == "x" and list(data.sources) == ["x.npy"]
    assert read(tmp_path / "x.npy", train=4).train.images.shape == (4, 1, 6, 7)
    assert read(tmp_path / "x.npy", image_size=8).image_shape == (1, 8, 8)


@pytest.mark.parametrize(
    ("shape", "want"),
    [
        ((2, 8, 9), (1, 8, 9)),
        ((2, 8, 9, 1), (1, 8, 9)),
        ((2, 8, 9, 3), (3, 8, 9)),
        ((2, 8, 9, 4), (3, 8, 9)),
        ((2, 3, 8, 9), (3, 8, 9)),
        ((2, 1, 8, 9), (1, 8, 9)),
    ],
)
def test_layouts(tmp_path: Path, shape: tuple[int, ...], want: tuple[int, ...]) -> None:
    array = RNG.integers(0, 256, shape, np.uint8)
    np.save(tmp_path / "x.npy", array)
    data = read(tmp_path / "x.npy")
    assert data.image_shape == want
    flat = array[..., 0] if shape[-1] in (1, 3, 4) else array.reshape(2, -1, 8, 9)[:, 0]
    assert np.array_equal(data.train.images[:, 0], flat)


def test_npz_with_all(tmp_path: Path) -> None:
    split = np.array(["train"] * 6 + ["val"] * 3 + ["test"])
    names = np.array(["x", "y", "z"])
    path = save(
        tmp_path / "a.npz", images=IMAGES, labels=LABELS[:, None], classes=names, split=split
    )
    data = read(path)
    assert data.classes == ("x", "y", "z") and data.task == "multiclass"
    assert data.validation.origin.tolist() == [6, 7, 8]
    assert data.test.labels.tolist() == [0]


def test_labels_in_a_second_file_and_drawn_parts(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", IMAGES)
    np.save(tmp_path / "y.npy", LABELS)
    data = read(tmp_path / "x.npy", labels=tmp_path / "y.npy")
    assert [len(p) for p in (data.train, data.validation, data.test)] == [6, 2, 2]
    assert np.array_equal(data.test.labels, LABELS[data.test.origin])
    assert data.classes == ("0", "1", "2") and set(data.sources) == {"x.npy", "y.npy"}


def test_kinds_of_labels(tmp_path: Path) -> None:
    many = read(save(tmp_path / "a.npz", images=IMAGES, labels=np.eye(10, dtype=bool)), **ALL)
    assert many.task == "multilabel" and len(many.classes) == 10
    assert np.array_equal(many.train.labels, np.eye(10))
    words = np.array(list("bababababa"))
    named = read(save(tmp_path / "b.npz", images=IMAGES, labels=words), **ALL)
    assert named.classes == ("a", "b") and named.train.labels[:2].tolist() == [1, 0]
    some = np.where(LABELS == 2, -1, LABELS)
    partly = read(save(tmp_path / "c.npz", images=IMAGES, labels=some), validation=7, test=0)
    assert (partly.validation.labels >= 0).all() and (partly.train.labels == -1).all()


def test_kinds_of_pixels(tmp_path: Path) -> None:
    floats = read(save(tmp_path / "f.npz", images=IMAGES / 255), **ALL).train.images
    assert np.array_equal(floats[:, 0], IMAGES)
    bits = read(save(tmp_path / "b.npz", images=IMAGES > 99), **ALL).train.images
    assert np.array_equal(bits[:, 0] == 255, IMAGES > 99)
    deep = IMAGES.astype(np.uint16) * 10 + 400
    data = read(save(tmp_path / "d.npz", images=deep), **ALL)
    low, high = int(deep.min()), int(deep.max())
    want = (deep - low) * 255.0 / (high - low)
    assert np.abs(data.train.images[:, 0] - want).max() < 1.5
    note = data.notes["16-bit range"]
    assert re.fullmatch(r"400 to 29\d\d\.?\d* in 10 images \(p0\.1-p99\.9\)", note)


def test_one_hot_pixel_leaves_the_grey_levels_of_the_others(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 4096, (10, 40, 40, 3), np.uint16)
    values[3, 5, 5, 1] = 65_535
    file = save(tmp_path / "hot.npz", images=values)
    with pytest.warns(UserWarning, match=r"1 of 10 16-bit images .* image 3 .*uint8 images"):
        data = read(file, **ALL)
    assert len(np.unique(data.train.images)) > 250
    channels = data.train.images[0].transpose(1, 2, 0).astype(int)
    assert (np.diff(channels.ravel()[np.argsort(values[0].ravel(), kind="stable")]) >= 0).all()


@pytest.mark.parametrize(
    ("arrays", "code", "message"),
    [
        ({"pictures": IMAGES}, "array-missing", "lacks the array 'images'; it has pictures"),
        ({"images": IMAGES[0]}, "images-shape", r"images have shape \(6, 7\); give"),
        ({"images": IMAGES[:0]}, "images-empty", "give at least one image"),
        (
            {"images": np.zeros((2, 3, 9, 3), np.uint8)},
            "images-shape",
            "the channel axis is not clear",
        ),
        (
            {"images": np.zeros((2, 5, 9, 9), np.uint8)},
            "images-shape",
            "the channel axis is not clear",
        ),
        (
            {"images": IMAGES.astype(np.int32)},
            "array-type-unknown",
            "images are int32; give uint8, uint16, or floats",
        ),
        (
            {"images": IMAGES / 100},
            "pixels-out-of-range",
            "image 0 has values from .* floats must lie between 0 and 1",
        ),
        (
            {"images": np.where(IMAGES == IMAGES[4, 2, 2], np.nan, 0.5)},
            "pixels-out-of-range",
            "has values from nan to nan",
        ),
        (
            {"images": np.full((4, 5, 5), 8, np.uint16)},
            "images-constant",
            "every pixel of the 16-bit images is 8",
        ),
        ({"images": IMAGES, "labels": LABELS[:9]}, "part-lengths-differ", "10 images but 9 labels"),
        (
            {"images": IMAGES, "labels": LABELS + 0.5},
            "label-not-whole",
            "label 0.5 in row 0 is not a whole number",
        ),
        ({"images": IMAGES, "labels": LABELS - 2}, "labels-out-of-range", "labels run from -2"),
        (
            {"images": IMAGES, "labels": LABELS * 9999},
            "label-too-large",
            "label 19998 exceeds 9999; number",
        ),
        (
            {"images": IMAGES, "labels": np.full((10, 2), 2)},
            "labels-out-of-range",
            "labels run from 2 to 2; allowed are 0 and 1 in a column for each class, and -1 for "
            "unknown; repair 10 of them, the first in row 0 of train",
        ),
        (
            {"images": IMAGES, "labels": np.full((10, 2), 0.5)},
            "label-not-whole",
            "label 0.5 in row 0 is not a whole",
        ),
        (
            {"images": IMAGES, "labels": np.where(LABELS == LABELS[4], np.nan, 1.0)},
            "label-not-whole",
            "label nan in row [0-4] is not a whole number below 2.63; give whole numbers, or names",
        ),
        (
            {"images": IMAGES, "labels": np.array([1] * 6 + [2**63] + [0] * 3, np.uint64)},
            "label-not-whole",
            "label 9223372036854775808 in row 6 is not a whole number below 2.63",
        ),
        (
            {"images": IMAGES, "labels": LABELS, "classes": np.array(["x"])},
            "classes-shape",
            "for 3 classes; name",
        ),
        (
            {"images": IMAGES, "split": np.array(["train"])},
            "split-shape",
            r"split has shape \(1,\) for 10 images",
        ),
        (
            {"images": IMAGES, "split": np.array(["odd"] * 10)},
            "split-unknown",
            "split 'odd' is unknown; give",
        ),
        (
            {"images": IMAGES, "split": np.array(["test"] * 10)},
            "no-training-images",
            "no training image is left; add",
        ),
        ({"images": np.array([{}, {}])}, "array-of-objects", "Python objects"),
    ],
)
def test_what_does_not_fit(
    tmp_path: Path, arrays: dict[str, object], code: str, message: str
) -> None:
    with refused(DataError, code, match=message):
        read(save(tmp_path / "x.npz", **arrays), **ALL)


@pytest.mark.parametrize(
    "content", [b"", b"\x93NUMPY\x01\x00v\x00", b"PK\x03\x04", b"cos\nsystem\n"]
)
def test_broken_files(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.npy").write_bytes(content)
    with refused(DataError, "not-an-array-file"):
        read(tmp_path / "x.npy")


def test_shares_are_of_the_images_that_a_part_is_drawn_from(tmp_path):
    images = np.zeros((20, 4, 4), np.uint8)
    images[0] = 1
    labels = np.arange(20) % 2
    split = np.array(["train"] * 10 + ["test"] * 10)
    np.savez(tmp_path / "a.npz", images=images, labels=labels, split=split)
    found = load(ArraysSettings(path=tmp_path / "a.npz"))
    assert [len(found.part(part)) for part in ("train", "validation", "test")] == [8, 2, 10]


def test_a_file_of_medmnist_is_read_by_its_parts(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (9, 6, 6), np.uint8)
    labels = np.arange(9).reshape(9, 1) % 3
    cuts = {"train": slice(0, 5), "val": slice(5, 7), "test": slice(7, 9)}
    arrays = {f"{part}_images": images[cut] for part, cut in cuts.items()}
    np.savez(tmp_path / "x.npz", **arrays)
    assert load(ArraysSettings(path=tmp_path / "x.npz")).train.labels is None
    arrays |= {f"{part}_labels": labels[cut] for part, cut in cuts.items()}
    np.savez(tmp_path / "x.npz", **arrays)
    data = load(ArraysSettings(path=tmp_path / "x.npz"))
    for part, cut in (
        ("train", cuts["train"]),
        ("validation", cuts["val"]),
        ("test", cuts["test"]),
    ):
        np.testing.assert_array_equal(data.part(part).images[:, 0], images[cut])
        np.testing.assert_array_equal(data.part(part).labels, labels[cut, 0])
