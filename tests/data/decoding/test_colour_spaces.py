"""TIFF in YCbCr and CIELAB, compared with Pillow's and with the formulas of the specification."""

from fractions import Fraction

import numpy as np
import pytest
from PIL import Image, ImageCms

from image_files import RGB, pillow, tiff
from nextlabel.data.decoding.base import Undecodable
from nextlabel.data.decoding.colour_spaces import ycbcr_as_rgb
from nextlabel.data.formats.images import decode

SRGB, LAB = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB", 5000)
SMOOTH = np.asarray(Image.fromarray(RGB).resize((40, 30), Image.Resampling.BICUBIC))


def lab() -> Image.Image:
    return ImageCms.applyTransform(
        Image.fromarray(SMOOTH), ImageCms.buildTransform(SRGB, LAB, "RGB", "LAB")
    )


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_deflate"])
def test_ycbcr_is_read_as_rgb(compression: str | None) -> None:
    image = Image.fromarray(SMOOTH).convert("YCbCr")
    got = decode(pillow(image, "TIFF", compression=compression)).pixels
    assert np.abs(got.astype(int) - np.asarray(image.convert("RGB"))).max() <= 1


def test_ycbcr_of_television_is_scaled_by_its_tags() -> None:
    tags = [
        (529, "2I", 3, tuple(n for f in (2126, 7152, 722) for n in (f, 10000)), True),
        (532, "2I", 6, tuple(n for v in (16, 235, 128, 240, 128, 240) for n in (v, 1)), True),
    ]
    grey = np.array([[[16, 128, 128], [235, 128, 128], [63, 102, 240]]], np.uint8)
    data = tiff(grey, photometric="ycbcr", extratags=tags)
    black, white, red = decode(data).pixels[0].tolist()
    assert black == [0, 0, 0] and white == [255, 255, 255]
    assert red[0] > 250 and max(red[1:]) < 5


def test_a_pure_colour_of_16_bit_ycbcr() -> None:
    shares = [Fraction(299, 1000), Fraction(587, 1000), Fraction(114, 1000)]
    blue = [float(shares[2] * 65535), 65535, 32768 - float(shares[2] * 65535 / 2 / (1 - shares[0]))]
    got = ycbcr_as_rgb(np.array([[blue]]).astype(np.uint16), [float(s) for s in shares])
    assert got.dtype == np.uint16
    assert got[0, 0, 2] > 65000 and got[0, 0, :2].max() < 300


def test_cielab_is_read_as_rgb() -> None:
    got = decode(pillow(lab(), "TIFF")).pixels
    assert got.shape == SMOOTH.shape and got.dtype == np.uint8
    assert np.abs(got.astype(int) - SMOOTH).mean() < 2


def test_cielab_of_16_bit_and_with_unsigned_axes() -> None:
    signed = np.asarray(lab())
    expected = decode(pillow(lab(), "TIFF")).pixels
    deep = signed.astype(np.uint16) << 8
    assert np.array_equal(decode(tiff(deep, photometric="cielab")).pixels, expected)
    unsigned = signed ^ np.array([0, 128, 128], np.uint8)
    assert np.array_equal(decode(tiff(unsigned, photometric="icclab")).pixels, expected)


@pytest.mark.parametrize(
    ("options", "kind", "says"),
    [
        ({"photometric": "cielab"}, np.float32, "CIELAB of float32; save it as RGB"),
        ({"photometric": "ycbcr"}, np.float32, "YCbCr of a rare kind; save it as RGB"),
        ({"photometric": "itulab"}, np.uint8, "ITULAB; save it as"),
    ],
)
def test_rare_colours_are_refused_with_a_remedy(options: dict, kind: type, says: str) -> None:
    with pytest.raises(Undecodable, match=says):
        decode(tiff(RGB.astype(kind), **options))


def test_two_channels_are_red_and_green_and_it_is_said() -> None:
    picture = decode(tiff(RGB[..., :2].copy(), photometric="minisblack", planarconfig="contig"))
    assert np.array_equal(picture.pixels, RGB[..., :2])
    (note,) = picture.notes
    assert "two channels" in note and "--channels" in note
