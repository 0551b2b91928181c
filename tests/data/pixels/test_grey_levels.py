"""Grey levels of values of more than 8 bits, found robustly over all images."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextlabel.core.errors import DataError, UsageError
from nextlabel.data.pixels.grey_levels import QUANTILES, GreyLevels, Spread
from nextlabel.data.pixels.grey_range import GreyRange
from refusals import refused

RNG = np.random.default_rng(0)


def deep(count: int, side: int = 32) -> dict[str, np.ndarray]:
    return {f"{k}.tif": RNG.integers(0, 4096, (side, side, 1), np.uint16) for k in range(count)}


def spreads(images: dict[str, np.ndarray]) -> dict[str, Spread]:
    return {name: Spread.of(image) for name, image in images.items()}


def test_one_hot_pixel_does_not_take_the_grey_levels_of_all_pictures() -> None:
    images = deep(20)
    before = GreyLevels.over(spreads(images)).eight_bit(images["3.tif"])
    images["7.tif"][5, 5] = 65535
    levels = GreyLevels.over(spreads(images))
    after = levels.eight_bit(images["3.tif"])
    assert len(np.unique(after)) > 200 and np.abs(after.astype(int) - before).max() <= 1
    (warning,) = levels.warnings
    assert "1 of 20 16-bit images hold values far outside" in warning
    assert "7.tif (" in warning and " to 65535)" in warning and "--range min-max" in warning
    whole = GreyLevels.over(spreads(images), "min-max")
    assert len(np.unique(whole.eight_bit(images["3.tif"]))) <= 17 and whole.warnings == ()


def test_an_image_as_the_others_is_not_named() -> None:
    assert GreyLevels.over(spreads(deep(20))).warnings == ()


def test_percentiles_are_those_of_all_pixels() -> None:
    images = deep(9, 30)
    everything = np.concatenate([image.ravel() for image in images.values()])
    for rule, ends in (("p0.5-p99.5", (0.5, 99.5)), (None, (0.1, 99.9)), ("p10-p50", (10, 50))):
        ((low, high),) = GreyLevels.over(spreads(images), rule).ranges["uint16"]
        assert (low, high) == pytest.approx(tuple(np.percentile(everything, ends)), abs=1)


@given(st.integers(1, 3), st.integers(1, 90), st.integers(1, 90))
def test_quantiles_follow_the_values_whatever_the_shape(c: int, h: int, w: int) -> None:
    values = np.random.default_rng(h * w).normal(size=(h, w, c)).astype(np.float32)
    spread = Spread.of(values)
    assert spread is not None and spread.quantiles.shape == (min(h * w, QUANTILES), c)
    if h * w <= QUANTILES:
        assert np.array_equal(spread.quantiles, np.sort(values.reshape(-1, c), axis=0))
    else:
        want = np.quantile(values.reshape(-1, c), [0.01, 0.5, 0.99], axis=0)
        got = np.quantile(spread.quantiles, [0.01, 0.5, 0.99], axis=0)
        assert np.abs(got - want).max() < 0.05


def test_a_sample_of_a_large_image_takes_all_its_columns() -> None:
    stripes = np.zeros((1024, 1024, 1), np.float32)
    stripes[:, 1::4] = 1
    spread = Spread.of(stripes)
    assert spread is not None and spread.quantiles.mean() == pytest.approx(0.25, abs=0.01)


def test_rules_by_value_and_the_whole_range() -> None:
    image = np.array([[[-100.0], [0.0], [100.0], [400.0]]], np.float32)
    spread = spreads({"a": image})
    levels = GreyLevels.over(spread, "0-200")
    assert levels.eight_bit(image).ravel().tolist() == [0, 0, 128, 255]
    levels = GreyLevels.over(spread, "-100-400")
    assert levels.eight_bit(image).ravel().tolist() == [0, 51, 102, 255]
    assert levels.notes == {"float32 range": "-100 to 400 in 1 images (-100-400)"}
    levels = GreyLevels.over(spread, "min-max")
    assert levels.notes == {"float32 range": "-100 to 400 in 1 images"}


@pytest.mark.parametrize("rule", ["", "p5", "p99-p1", "p-1-p99", "p0-p101", "5-5", "a-b", "p1-9"])
def test_what_is_no_rule(rule: str) -> None:
    with refused(UsageError, "range-unknown", match="p0.5-p99.5"):
        GreyRange.parse(rule)


def test_each_type_has_a_range_and_eight_bit_stays() -> None:
    images = {"a": deep(1)["0.tif"], "b": RNG.random((9, 9, 1)).astype(np.float32)}
    levels = GreyLevels.over(spreads(images))
    assert set(levels.ranges) == {"uint16", "float32"}
    assert set(levels.notes) == {"16-bit range", "float32 range"}
    plain = RNG.integers(0, 256, (9, 9, 3), np.uint8)
    assert Spread.of(plain) is None and levels.eight_bit(plain) is plain


def test_the_notes_of_a_data_set_give_the_levels_back() -> None:
    images = {"a": RNG.normal(size=(9, 9, 2)).astype(np.float32), "b": deep(1)["0.tif"]}
    for by_channel in (False, True):
        levels = GreyLevels.over(spreads(images), by_channel=by_channel)
        assert GreyLevels.from_notes(levels.notes).ranges == levels.ranges


def test_channels_that_were_chosen_have_ranges_of_their_own() -> None:
    image = (RNG.random((40, 40, 3)) * [1, 1000, 30]).astype(np.float32)
    together = GreyLevels.over(spreads({"a": image}))
    assert together.eight_bit(image)[..., 0].max() <= 1
    apart = GreyLevels.over(spreads({"a": image}), by_channel=True)
    for channel in range(3):
        assert apart.eight_bit(image)[..., channel].mean() == pytest.approx(127, abs=9)


def test_two_channels_are_red_and_green_with_ranges_of_their_own() -> None:
    image = (RNG.random((40, 40, 2)) * [1, 1000]).astype(np.float32)
    shown = GreyLevels.over(spreads({"a": image})).eight_bit(image)
    assert shown.shape == (40, 40, 3)
    assert shown[..., 0].mean() == pytest.approx(127, abs=9)
    assert shown[..., 1].mean() == pytest.approx(127, abs=9) and not shown[..., 2].any()
    grey = (RNG.random((40, 40, 1)) * 1000).astype(np.float32)
    mixed = GreyLevels.over(spreads({"a": image, "b": grey}))
    assert mixed.eight_bit(image)[..., 0].max() <= 1


def test_a_mask_of_few_values_keeps_them() -> None:
    mask = np.zeros((64, 64, 1), np.uint16)
    mask[0, :2, 0] = 3, 6
    levels = GreyLevels.over(spreads({"a": mask}))
    assert np.unique(levels.eight_bit(mask)).tolist() == [0, 128, 255]


def test_one_constant() -> None:
    with refused(DataError, "images-constant"):
        GreyLevels.over(spreads({"a": np.full((9, 9, 1), 300, np.uint16)}))


@pytest.mark.parametrize("low", [0, 10_000_000])
@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_the_notes_give_the_same_grey_levels_back(low, dtype):
    values = (np.arange(40).reshape(5, 8, 1) + low).astype(dtype)
    spread = Spread.of(values)
    levels = GreyLevels.over({"a": spread}, "min-max")
    again = GreyLevels.from_notes(levels.notes)
    assert np.array_equal(again.eight_bit(values), levels.eight_bit(values))
    assert len(np.unique(again.eight_bit(values))) == 40


def test_an_image_that_alone_widens_the_range_is_named():
    rng = np.random.default_rng(0)
    images = {f"{n}.tif": rng.integers(0, 4096, (30, 30, 1), np.uint16) for n in range(8)}
    sound = GreyLevels.over({name: Spread.of(image) for name, image in images.items()})
    assert sound.warnings == ()
    images["5.tif"] = np.full((30, 30, 1), 65_535, np.uint16)
    bright = GreyLevels.over({name: Spread.of(image) for name, image in images.items()})
    (message,) = bright.warnings
    assert message.startswith("5.tif alone widens the range of the 8 16-bit images from ")
    images["5.tif"] = images["4.tif"] * 15
    (message,) = GreyLevels.over({n: Spread.of(image) for n, image in images.items()}).warnings
    assert "5.tif alone" in message
