import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import image_files as files
from image_files import ALPHA, DEEP, DEEP_RGB, GREY, RGB, deep_png, pillow, tiff
from nextlabel.data.decoding.base import Undecodable, Wanted
from nextlabel.data.decoding.transparency import BACKGROUND
from nextlabel.data.formats.images import decode

LIMIT = Wanted(max_pixels=10_000)


def shown(pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Return pixels under an alpha of the same type, on the background."""
    full = np.iinfo(pixels.dtype).max
    share = alpha.astype(float) / full
    share = share if pixels.ndim == 2 else share[..., None]
    return np.rint(pixels * share + BACKGROUND * full * (1 - share)).astype(pixels.dtype)


EXACT = {
    "png grey": (pillow(Image.fromarray(GREY), "PNG"), GREY),
    "png rgb": (pillow(Image.fromarray(RGB), "PNG"), RGB),
    "png rgba": (pillow(np.dstack([RGB, ALPHA]), "PNG"), shown(RGB, ALPHA)),
    "png grey and alpha": (pillow(np.dstack([GREY, ALPHA]), "PNG"), shown(GREY, ALPHA)),
    "png 1 bit": (
        pillow(Image.fromarray(GREY > 99), "PNG"),
        np.where(GREY > 99, 255, 0).astype(np.uint8),
    ),
    "png 16 bit grey": (deep_png(DEEP), DEEP),
    "png 16 bit rgb": (deep_png(DEEP_RGB), DEEP_RGB),
    "png 16 bit rgba": (deep_png(np.dstack([DEEP_RGB, DEEP])), shown(DEEP_RGB, DEEP)),
    "png 16 bit by pillow": (pillow(Image.fromarray(DEEP), "PNG"), DEEP),
    "bmp grey": (pillow(Image.fromarray(GREY), "BMP"), GREY),
    "bmp rgb": (pillow(Image.fromarray(RGB), "BMP"), RGB),
    "ppm": (pillow(Image.fromarray(RGB), "PPM"), RGB),
    "pgm": (pillow(Image.fromarray(GREY), "PPM"), GREY),
    "pgm 16 bit": (b"P5 %d %d 65535\n" % DEEP.shape[::-1] + DEEP.astype(">u2").tobytes(), DEEP),
    "tiff grey": (tiff(GREY), GREY),
    "tiff rgb": (tiff(RGB, photometric="rgb"), RGB),
    "tiff rgba": (
        tiff(np.dstack([RGB, ALPHA]), photometric="rgb", extrasamples=["unassalpha"]),
        shown(RGB, ALPHA),
    ),
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


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty"),
        (b"hello", r"it is not an image of a kind that is read \(avif, .*; export it as PNG"),
        (b"ZISRAWFILE" + bytes(99), "Zeiss CZI is not read; export it as OME-TIFF"),
        (EXACT["png rgb"][0][:-60], "cannot be decoded"),
        (EXACT["png 16 bit rgb"][0][:200], "cannot be decoded"),
        (EXACT["tiff rgb"][0][:100], "cannot be decoded|pages"),
        (
            files.bomb_png(200, 51),
            r"its 200 x 51 pixels exceed the limit of 10000 \(data.max_pixels\)",
        ),
        (files.bomb_png(200, 51, 16), "its 200 x 51 pixels exceed"),
        (files.bomb_png(60_000, 60_000), "pixels exceed the limit of 10000"),
        (tiff(np.zeros((101, 100), np.uint8), compression="deflate"), "its 100 x 101 pixels"),
        (
            tiff(np.zeros((3, 9, 9), np.uint8), photometric="minisblack"),
            "it has 3 pages; choose one by --page 0",
        ),
        (tiff(np.zeros((9, 9, 5), np.uint8), photometric="minisblack", planarconfig="contig"), "5"),
        (tiff(np.zeros((9, 9, 3), np.uint8), photometric="itulab"), "ITULAB; save it as"),
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
    for data in (
        files.bomb_png(200, 51),
        files.bomb_png(200, 51, 16),
        tiff(np.zeros((101, 100), np.uint8)),
    ):
        with pytest.raises(Undecodable, match="exceed the limit"):
            decode(data, LIMIT)


def in_browser(inverted: np.ndarray) -> np.ndarray:
    """Return inverted CMYK as browsers show it without a profile: each ink times black."""
    return inverted[..., :3].astype(float) * inverted[..., 3:] / 255


@pytest.mark.parametrize("marked", [True, False])
def test_cmyk_is_as_in_a_browser_with_and_without_the_mark_of_adobe(marked: bool) -> None:
    flat = np.zeros((16, 16, 4), np.uint8) + np.array([200, 120, 40, 90], np.uint8)
    got = decode(files.cmyk_jpeg(flat, marked)).pixels
    assert np.abs(got - in_browser(flat)).max() <= 2


@pytest.mark.parametrize("value", range(1, 9))
def test_orientation_is_obeyed_by_all_kinds(value: int) -> None:
    from PIL import ImageOps

    exif = files.orientation(value)
    plain = pillow(RGB, "PNG", exif=exif)
    want = np.asarray(ImageOps.exif_transpose(Image.fromarray(RGB)))
    turned = Image.fromarray(RGB)
    turned.getexif()[274] = value
    want = np.asarray(ImageOps.exif_transpose(turned))
    assert value == 1 or not np.array_equal(want, RGB)
    assert np.array_equal(decode(plain).pixels, want)
    deep = files.png_with(deep_png(RGB.astype(np.uint16) * 257), b"eXIf", exif.tobytes()[6:])
    assert np.array_equal(decode(deep).pixels, want.astype(np.uint16) * 257)
    tagged = [(274, "H", 1, value, True)]
    assert np.array_equal(decode(tiff(RGB, photometric="rgb", extratags=tagged)).pixels, want)
    webp = decode(pillow(RGB, "WEBP", lossless=True, exif=exif)).pixels
    assert np.array_equal(webp, want)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_of_an_animation_the_first_frame_is_read_and_said(kind: str) -> None:
    picture = decode(files.animated(kind))
    assert picture.notes == ("animated; its first frame is read",)
    first = np.asarray(Image.fromarray(RGB).quantize(256).convert("RGB")) if kind == "GIF" else RGB
    assert np.abs(picture.pixels.astype(int) - first).mean() < 8
    assert decode(pillow(RGB, kind)).notes == ()


def test_noise_under_full_transparency_is_not_seen() -> None:
    noise = np.dstack([RGB, np.zeros_like(GREY)])
    for data in (pillow(noise, "PNG"), pillow(noise, "WEBP", lossless=True, exact=True)):
        assert (decode(data).pixels == 255 * BACKGROUND).all()
    deep = deep_png(np.dstack([DEEP_RGB, np.zeros_like(DEEP)]))
    assert (decode(deep).pixels == 65535 * BACKGROUND).all()


@pytest.mark.filterwarnings("error")
def test_a_palette_with_transparency_is_composited_without_a_warning() -> None:
    image = Image.fromarray(RGB).quantize(16)
    clear = bytes([0] * 8 + [255] * 8)
    got = decode(pillow(image, "PNG", transparency=clear)).pixels
    hidden = np.asarray(image) < 8
    assert hidden.any() and (got[hidden] == 255 * BACKGROUND).all()
    assert np.array_equal(got[~hidden], np.asarray(image.convert("RGB"))[~hidden])
    bilevel = Image.fromarray(GREY > 99)
    assert (decode(pillow(bilevel, "PNG", transparency=0)).pixels == 255).all()


def test_channels_of_any_kind_are_taken_by_number() -> None:
    got = decode(pillow(RGB, "PNG"), Wanted(channels=(2, 0))).pixels
    assert np.array_equal(got, RGB[..., [2, 0]])
    with pytest.raises(Undecodable, match=r"it has 1 channel.*no channel 2.*choose others"):
        decode(pillow(GREY, "PNG"), Wanted(channels=(0, 2)))


def test_a_large_jpeg_is_decoded_small_and_nearly_the_same() -> None:
    from nextlabel.data.resize import resize

    large = np.asarray(Image.fromarray(RGB).resize((1200, 896), Image.Resampling.BICUBIC))
    data = pillow(large, "JPEG", quality=95)
    small = decode(data, Wanted(size=32)).pixels
    assert small.shape == (112, 150, 3) and decode(data).pixels.shape == (896, 1200, 3)
    whole = resize(decode(data).pixels, 32).astype(int)
    assert np.abs(resize(small, 32) - whole).max() <= 6
    assert decode(data, Wanted(size=500)).pixels.shape == (896, 1200, 3)
    exif = files.orientation(6)
    turned = decode(pillow(large, "JPEG", quality=95, exif=exif), Wanted(size=32)).pixels
    assert np.array_equal(turned, np.rot90(small, -1))


@given(st.sampled_from(sorted(files.sound())), st.integers(0, 2**31), st.integers(1, 12))
def test_any_damage_gives_pixels_or_undecodable(name: str, seed: int, bytes_hit: int) -> None:
    rng = np.random.default_rng(seed)
    data = bytearray(SOUND[name])
    for at in rng.integers(0, len(data), bytes_hit):
        data[at] = rng.integers(0, 256)
    try:
        got = decode(bytes(data[: rng.integers(1, len(data) + 1)]), LIMIT).pixels
    except Undecodable as error:
        assert "\n" not in str(error) and "0x" not in str(error)
        return
    assert got.ndim == 3 and got.shape[2] in (1, 3)
    assert got.dtype.kind in "uif" and np.isfinite(got).all()


SOUND = files.sound()


def test_infinity_is_the_brightest_and_nan_the_darkest() -> None:
    values = np.array([[1.0, 5.0], [np.inf, np.nan]], np.float32)
    picture = decode(tiff(values))
    assert picture.pixels[..., 0].tolist() == [[1.0, 5.0], [5.0, 1.0]]
    assert any("not finite" in note for note in picture.notes)
