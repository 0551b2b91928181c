import struct
import zlib
from io import BytesIO

import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from nextlabel.data.formats.base import Undecodable, Wanted
from nextlabel.data.formats.images import decode

LIMIT = Wanted(max_pixels=10_000)
RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (9, 14), np.uint8)
RGB = RNG.integers(0, 256, (9, 14, 3), np.uint8)
DEEP = RNG.integers(0, 65536, (9, 14), np.uint16)
DEEP_RGB = RNG.integers(0, 65536, (9, 14, 3), np.uint16)
ALPHA = np.full((9, 14, 1), 7, np.uint8)


def pillow(image: Image.Image, kind: str, **options: object) -> bytes:
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def tiff(array: np.ndarray, **options: object) -> bytes:
    out = BytesIO()
    tifffile.imwrite(out, array, **options)
    return out.getvalue()


def deep_png(array: np.ndarray) -> bytes:
    return bytes(imagecodecs.png_encode(array))


EXACT = {
    "png grey": (pillow(Image.fromarray(GREY), "PNG"), GREY),
    "png rgb": (pillow(Image.fromarray(RGB), "PNG"), RGB),
    "png rgba": (pillow(Image.fromarray(np.dstack([RGB, ALPHA])), "PNG"), RGB),
    "png grey and alpha": (pillow(Image.fromarray(np.dstack([GREY, ALPHA])), "PNG"), GREY),
    "png 1 bit": (
        pillow(Image.fromarray(GREY > 99), "PNG"),
        np.where(GREY > 99, 255, 0).astype(np.uint8),
    ),
    "png 16 bit grey": (deep_png(DEEP), DEEP),
    "png 16 bit rgb": (deep_png(DEEP_RGB), DEEP_RGB),
    "png 16 bit rgba": (deep_png(np.dstack([DEEP_RGB, DEEP[..., None]])), DEEP_RGB),
    "png 16 bit by pillow": (pillow(Image.fromarray(DEEP), "PNG"), DEEP),
    "bmp grey": (pillow(Image.fromarray(GREY), "BMP"), GREY),
    "bmp rgb": (pillow(Image.fromarray(RGB), "BMP"), RGB),
    "tiff grey": (tiff(GREY), GREY),
    "tiff rgb": (tiff(RGB, photometric="rgb"), RGB),
    "tiff rgba": (tiff(np.dstack([RGB, ALPHA]), photometric="rgb"), RGB),
    "tiff 16 bit": (tiff(DEEP, compression="lzw", byteorder=">"), DEEP),
    "tiff 16 bit rgb": (tiff(DEEP_RGB, photometric="rgb", compression="deflate"), DEEP_RGB),
    "tiff planar": (
        tiff(np.moveaxis(DEEP_RGB, -1, 0).copy(), photometric="rgb", planarconfig="separate"),
        DEEP_RGB,
    ),
    "tiff white is zero": (tiff(GREY, photometric="miniswhite"), 255 - GREY),
    "tiff bilevel": (
        tiff(GREY > 99, photometric="minisblack"),
        np.where(GREY > 99, 255, 0).astype(np.uint8),
    ),
    "tiff big": (tiff(GREY, bigtiff=True), GREY),
    "tiff by pillow": (pillow(Image.fromarray(RGB), "TIFF"), RGB),
}


@pytest.mark.parametrize("name", EXACT)
def test_exact(name: str) -> None:
    data, want = EXACT[name]
    got = decode(data, LIMIT).pixels
    want = want.reshape(*want.shape[:2], -1)
    assert got.dtype == want.dtype and got.shape == want.shape
    assert np.array_equal(got, want)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_palette_is_resolved(kind: str) -> None:
    image = Image.fromarray(RGB).quantize(16)
    assert np.array_equal(
        decode(pillow(image, kind), LIMIT).pixels, np.asarray(image.convert("RGB"))
    )


def test_jpeg_is_near_and_upright() -> None:
    smooth = np.add.outer(np.arange(9) * 20, np.arange(14) * 5).astype(np.uint8)
    got = decode(pillow(Image.fromarray(smooth), "JPEG", quality=95), LIMIT).pixels[..., 0]
    assert got.shape == (9, 14) and np.abs(got.astype(int) - smooth).mean() < 3
    exif = Image.Exif()
    exif[274] = 6  # shown turned by 90 degrees clockwise
    turned = decode(pillow(Image.fromarray(smooth), "JPEG", quality=95, exif=exif), LIMIT).pixels
    assert np.array_equal(turned[..., 0], np.rot90(got, -1))
    cmyk = decode(pillow(Image.fromarray(RGB).convert("CMYK"), "JPEG"), LIMIT).pixels
    assert cmyk.shape == (9, 14, 3)


def bomb_png(width: int, height: int, depth: int = 8) -> bytes:
    """Return a PNG whose head announces more than its body holds."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty"),
        (b"hello", r"it is not an image of a kind that is read \(bmp, .*; export it as PNG"),
        (b"ZISRAWFILE" + bytes(99), "Zeiss CZI is not read; export it as OME-TIFF"),
        (EXACT["png rgb"][0][:-60], "cannot be decoded"),
        (EXACT["png 16 bit rgb"][0][:200], "cannot be decoded"),
        (EXACT["tiff rgb"][0][:100], "cannot be decoded|pages"),
        (bomb_png(200, 51), r"its 200 x 51 pixels exceed the limit of 10000 \(data.max_pixels\)"),
        (bomb_png(200, 51, 16), "its 200 x 51 pixels exceed"),
        (bomb_png(60_000, 60_000), "pixels exceed the limit of 10000"),
        (tiff(np.zeros((101, 100), np.uint8), compression="deflate"), "its 100 x 101 pixels"),
        (tiff(np.zeros((3, 9, 9), np.uint8), photometric="minisblack"), "it has 3 pages"),
        (tiff(np.zeros((3, 9, 9), np.uint8), imagej=True, truncate=True), "a stack of planes"),
        (tiff(np.zeros((9, 9), np.float32)), "its pixels are float32; save it as unsigned 8 or"),
        (tiff(np.zeros((9, 9, 5), np.uint8), photometric="minisblack", planarconfig="contig"), "5"),
        (
            tiff(np.zeros((9, 9, 2), np.uint8), photometric="minisblack", planarconfig="contig"),
            "it has 2 channels",
        ),
        (tiff(np.zeros((9, 9, 4), np.uint8), photometric="separated"), "SEPARATED; save it as"),
    ],
)
def test_undecodable(data: bytes, message: str) -> None:
    with pytest.raises(Undecodable, match=message) as failure:
        decode(data, LIMIT)
    assert "0x" not in str(failure.value) and "\n" not in str(failure.value)


def test_a_bomb_is_never_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*args: object, **options: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(imagecodecs, "png_decode", never)
    monkeypatch.setattr(Image.Image, "load", never)
    monkeypatch.setattr(tifffile.TiffPage, "asarray", never)
    for data in (bomb_png(200, 51), bomb_png(200, 51, 16), tiff(np.zeros((101, 100), np.uint8))):
        with pytest.raises(Undecodable, match="exceed the limit"):
            decode(data, LIMIT)


@given(st.sampled_from(sorted(EXACT)), st.integers(0, 2**31), st.integers(1, 12))
def test_any_damage_gives_pixels_or_undecodable(name: str, seed: int, bytes_hit: int) -> None:
    rng = np.random.default_rng(seed)
    data = bytearray(EXACT[name][0])
    for at in rng.integers(0, len(data), bytes_hit):
        data[at] = rng.integers(0, 256)
    try:
        got = decode(bytes(data[: rng.integers(1, len(data) + 1)]), LIMIT).pixels
    except Undecodable:
        return
    assert got.dtype in (np.uint8, np.uint16)
    assert got.ndim == 3 and got.shape[2] in (1, 3)
