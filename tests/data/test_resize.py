import numpy as np
from PIL import Image

from nextlabel.data.resize import constant, fit, resize, to_channels


def test_resize_keeps_constants_shapes_and_types() -> None:
    for dtype, value in ((np.uint8, 200), (np.uint16, 40_000)):
        for shape in ((7, 31), (7, 31, 3)):
            small = resize(np.full(shape, value, dtype), 12)
            assert small.shape == (12, 12, *shape[2:]) and small.dtype == dtype
            assert (small == value).all()


def test_resize_does_not_alias() -> None:
    stripes = np.tile(np.array([0, 255], np.uint8), (64, 32))
    assert np.abs(resize(stripes, 8).astype(int) - 127.5).max() < 16
    deep = np.tile(np.array([0, 60_000], np.uint16), (64, 32))
    assert np.abs(resize(deep, 8).astype(int) - 30_000).max() < 4_000


def test_sixteen_bit_keeps_its_low_byte(rng: np.random.Generator) -> None:
    eight = rng.integers(0, 256, (20, 20), np.uint8)
    deep = resize(eight.astype(np.uint16) * 100, 9)
    assert len(np.unique(deep % 100)) > 1
    assert np.abs(deep / 100 - resize(eight, 9)).max() <= 1


def test_sixteen_bit_does_not_wrap_round_at_edges() -> None:
    edge = np.repeat(np.array([0, 65_535], np.uint16), 8)[None].repeat(16, axis=0)
    larger = resize(edge, 40).astype(int)
    assert (np.diff(larger, axis=1) >= 0).all()


def test_fit_is_one_by_one(rng: np.random.Generator) -> None:
    images = rng.integers(0, 256, (4, 3, 8, 8), np.uint8)
    larger = fit(images, 16)
    assert larger.shape == (4, 3, 16, 16) and larger.dtype == np.uint8
    want = Image.fromarray(images[2, 1]).resize((16, 16), Image.Resampling.BICUBIC)
    assert np.array_equal(larger[2, 1], np.asarray(want))
    assert fit(images, 8) is images and fit(images, None) is images


def test_channels(rng: np.random.Generator) -> None:
    colour = rng.integers(0, 256, (5, 3, 4, 6), np.uint8)
    grey = to_channels(colour, 1)
    for image, want in zip(grey, colour, strict=True):
        pillow = np.asarray(Image.fromarray(want.transpose(1, 2, 0)).convert("L"), int)
        assert np.abs(image[0].astype(int) - pillow).max() <= 1
    again = to_channels(grey, 3)
    assert again.shape == colour.shape and (again == grey).all()
    assert np.array_equal(to_channels(again, 1), grey)
    assert to_channels(colour, None) is colour and to_channels(colour, 3) is colour


def test_constant() -> None:
    images = np.full((3000, 1, 2, 2), 9, np.uint8)
    assert constant(images)
    images[2999, 0, 1, 1] = 8
    assert not constant(images)
    assert not constant(images[:0])
