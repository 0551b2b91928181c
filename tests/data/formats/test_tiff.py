"""TIFF of every type, with pages, channels and the axes that its metadata name."""

import numpy as np
import pytest

import image_files as files
from image_files import CHANNELS, DEEP, FLOAT, RGB, STACK, tiff
from nextlabel.data.decoding.base import Undecodable, Wanted
from nextlabel.data.formats.images import NOT_FINITE, decode

WHOLE = np.random.default_rng(1).integers(-9, 10**6, (9, 14))
GREY_STACK = {"photometric": "minisblack"}


@pytest.mark.parametrize(
    "values",
    [FLOAT, FLOAT.astype(float), FLOAT.astype(np.float16), *map(WHOLE.astype, "iIhBlL")],
    ids=lambda values: str(values.dtype),
)
def test_all_types_keep_their_values(values: np.ndarray) -> None:
    got = decode(tiff(values)).pixels
    assert np.array_equal(got[..., 0], values)
    assert got.dtype == values.dtype or values.dtype == np.float16


def test_twelve_bit_and_big_tiff() -> None:
    assert np.array_equal(decode(files.tiff_12_bit(STACK[0])).pixels[..., 0], STACK[0])
    assert np.array_equal(decode(tiff(DEEP, bigtiff=True)).pixels[..., 0], DEEP)


def test_values_that_are_not_finite_are_replaced_and_said() -> None:
    values = FLOAT.copy()
    values[0, :3] = np.nan, np.inf, -np.inf
    picture = decode(tiff(values))
    assert picture.notes == (NOT_FINITE,)
    low, high = (at(values[np.isfinite(values)]) for at in (np.min, np.max))
    assert picture.pixels[0, :3, 0].tolist() == [low, high, low]
    assert np.array_equal(picture.pixels[1:, :, 0], FLOAT[1:])


@pytest.mark.parametrize(
    "options",
    [
        GREY_STACK,
        {**GREY_STACK, "compression": "zlib"},
        {"imagej": True, "metadata": {"axes": "ZYX"}},
        {"imagej": True, "metadata": {"axes": "TYX"}, "truncate": True},
        {"ome": True, "metadata": {"axes": "ZYX"}},
        {**GREY_STACK, "volumetric": True, "tile": (16, 16, 16)},
    ],
    ids=["pages", "packed", "imagej", "one page", "ome", "volume"],
)
def test_pages_by_number_or_joined(options: dict) -> None:
    data = tiff(STACK, **options)
    for page, want in ((0, STACK[0]), (3, STACK[3]), ("middle", STACK[2])):
        assert np.array_equal(decode(data, Wanted(page=page)).pixels[..., 0], want)
    for how, want in (("max", STACK.max(0)), ("min", STACK.min(0)), ("mean", STACK.mean(0))):
        got = decode(data, Wanted(project=how)).pixels
        assert got.dtype == np.uint16 and np.array_equal(got[..., 0], np.rint(want))
    with pytest.raises(Undecodable, match=r"it has 5 pages; choose one by --page 0"):
        decode(data)
    with pytest.raises(Undecodable, match=r"5 page.*no page 5 .*choose another"):
        decode(data, Wanted(page=5))


@pytest.mark.parametrize(
    "options",
    [
        {"imagej": True},
        {"imagej": True, "truncate": True},
        {"ome": True},
        {"ome": True, "compression": "zlib"},
    ],
    ids=["imagej", "one page", "ome", "packed ome"],
)
def test_channels_by_the_axes_of_the_metadata(options: dict) -> None:
    data = tiff(CHANNELS, metadata={"axes": "TZCYX"}, **options)
    got = decode(data, Wanted(channels=(2, 0), page=4)).pixels
    assert np.array_equal(got, np.moveaxis(CHANNELS[1, 1, [2, 0]], 0, -1))
    got = decode(data, Wanted(channels=(3,), project="max")).pixels
    assert np.array_equal(got[..., 0], CHANNELS[:, :, 3].max((0, 1)))
    with pytest.raises(Undecodable, match=r"it has 4 channels; choose one to three by --channels"):
        decode(data, Wanted(page=0))
    with pytest.raises(Undecodable, match=r"no channel 4"):
        decode(data, Wanted(page=0, channels=(4,)))


def test_pages_without_a_meaning_are_channels_where_channels_are_wanted() -> None:
    data = tiff(STACK, **GREY_STACK)
    assert np.array_equal(decode(data, Wanted(channels=(4, 1))).pixels[..., 0], STACK[4])
    alone = decode(data, Wanted(channels=(0,), page=4)).pixels
    assert np.array_equal(alone[..., 0], STACK[4])
    contiguous = np.moveaxis(STACK, 0, -1).copy()
    data = tiff(contiguous, planarconfig="contig", **GREY_STACK)
    assert np.array_equal(decode(data, Wanted(channels=(4, 1))).pixels, contiguous[..., [4, 1]])


def test_colour_pages() -> None:
    pages = np.stack([RGB, 255 - RGB])
    data = tiff(pages, photometric="rgb")
    assert np.array_equal(decode(data, Wanted(page=1)).pixels, 255 - RGB)
    assert np.array_equal(
        decode(data, Wanted(page=1, channels=(1,))).pixels[..., 0], pages[1, ..., 1]
    )


def test_pages_of_several_sizes_are_counted_through() -> None:
    from io import BytesIO

    import tifffile

    out = BytesIO()
    with tifffile.TiffWriter(out) as writer:
        for page in (DEEP, DEEP[:5], FLOAT):
            writer.write(page)
    shapes = [decode(out.getvalue(), Wanted(page=k)).pixels.shape[:2] for k in range(3)]
    assert shapes == [(9, 14), (5, 14), (9, 14)]
    with pytest.raises(Undecodable, match="differ in size; choose one by --page"):
        decode(out.getvalue(), Wanted(project="max"))


def test_ink_is_shown_as_a_browser_shows_it() -> None:
    inks = np.random.default_rng(2).integers(0, 256, (9, 14, 4), np.uint8)
    got = decode(tiff(inks, photometric="separated")).pixels
    light = (255.0 - inks[..., :3]) * (255.0 - inks[..., 3:]) / 255
    assert np.abs(got - light).max() <= 1


def test_alpha_that_is_multiplied_in_is_not_multiplied_again() -> None:
    alpha = np.full((9, 14, 1), 128, np.uint8)
    data = tiff(np.dstack([RGB // 2, alpha]), photometric="rgb", extrasamples=["assocalpha"])
    assert np.array_equal(decode(data).pixels, RGB // 2 + 127)
