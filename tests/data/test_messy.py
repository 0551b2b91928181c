import numpy as np
import pytest

from nextlabel.core.dataset import Dataset, Images
from nextlabel.core.errors import DataError
from nextlabel.data import load
from nextlabel.data.messy import MessySettings, make_messy, near_copies, unequal
from nextlabel.data.settings import DataSettings
from refusals import refused


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_class_sizes_fall_on_a_logarithmic_scale() -> None:
    labels = np.repeat(np.arange(5), [1000, 1000, 900, 1000, 1000])
    rows = unequal(labels, 81.0, rng())
    sizes = np.sort(np.bincount(labels[rows]))
    assert sizes.tolist() == [12, 37, 111, 333, 1000]
    assert (np.diff(rows) > 0).all()
    assert sorted(np.bincount(labels[unequal(labels, 1.0, rng())])) == [900] * 5
    few = np.repeat(np.arange(3), 4)
    assert sorted(np.bincount(few[unequal(few, 100.0, rng())])) == [1, 1, 4]
    # a class that is small and drawn to be large limits the others
    small = np.repeat(np.arange(2), [10, 1000])
    shares = [np.bincount(small[unequal(small, 10.0, np.random.default_rng(s))]) for s in range(9)]
    assert {tuple(share) for share in shares} == {(10, 1), (10, 100)}


def test_near_copies_are_moved_by_a_pixel_and_a_little_noisy() -> None:
    image = np.zeros((1, 1, 9, 9), np.uint8)
    image[0, 0, 4, 4] = 200
    copies = near_copies(np.repeat(image, 400, axis=0), rng()).astype(int)
    brightest = np.array([np.unravel_index(c[0].argmax(), (9, 9)) for c in copies])
    steps, counts = np.unique(brightest - 4, axis=0, return_counts=True)
    assert len(steps) == 8 and abs(steps).max() == 1 and counts.min() > 25
    assert abs(copies.max(axis=(1, 2, 3)) - 200).max() == 4
    assert np.sort(copies.reshape(400, -1), axis=1)[:, :-1].max() == 4 and copies.min() == 0


def test_a_messy_pool_keeps_validation_and_names_what_it_did() -> None:
    tidy = load(DataSettings(name="digits", train=1000, validation=300, test=200))
    settings = MessySettings(ratio=20.0, copies=1 / 3)
    messy = load(DataSettings(name="digits", train=1000, validation=300, test=200, messy=settings))
    assert messy.train.labels is not None and tidy.train.labels is not None
    sizes = np.bincount(messy.train.labels, minlength=10)
    assert sizes.max() / max(1, sizes.min()) > 8
    unique = len(np.unique(messy.train.origin))
    assert len(messy.train) == pytest.approx(1.5 * unique, abs=1)
    assert np.array_equal(messy.validation.images, tidy.validation.images)
    assert messy.notes["messy"].startswith("classes of sizes 1 : 20, ")
    assert tidy.checksum != messy.checksum
    rows = np.searchsorted(tidy.train.origin, messy.train.origin)
    same = (messy.train.images == tidy.train.images[rows]).all(axis=(1, 2, 3))
    assert same.sum() == unique  # each kept image once, and all copies differ
    assert np.array_equal(messy.train.labels, tidy.train.labels[rows])
    again = make_messy(tidy, settings, 0)
    assert again.checksum == messy.checksum != make_messy(tidy, settings, 1).checksum


def test_a_tidy_pool_is_the_one_that_it_was() -> None:
    assert "messy" not in DataSettings(name="digits").decisive()


def test_images_without_a_label_each_cannot_be_made_messy() -> None:
    part = Images(np.zeros((2, 1, 4, 4), np.uint8))
    with refused(DataError, "messy-needs-labels"):
        make_messy(Dataset("x", "multiclass", ("a",), part, part, part), MessySettings(), 0)
