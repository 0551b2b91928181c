"""From the bytes of an image file to pixels: PNG, JPEG, BMP and TIFF, 8 and 16 bit."""

import struct
import warnings
from io import BytesIO
from typing import Any, cast

import numpy as np

from nextlabel.core.errors import DataError
from nextlabel.data.resize import Pixels

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff"})
PNG = b"\x89PNG\r\n\x1a\n"
TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


class Undecodable(DataError):
    """The bytes are not a usable image; the message is a reason that follows a file name."""


def decode(data: bytes, max_pixels: int) -> Pixels:
    """Return the pixels of one image, (H, W) or (H, W, 3), uint8 or uint16.

    The content decides the kind, not the name. Alpha is dropped, a palette resolved, CMYK becomes
    RGB, a camera's orientation is applied. Raises Undecodable for anything else: more pixels
    than `max_pixels` (known from the head, before anything is decoded), a TIFF of several pages,
    broken data.
    """
    if not data:
        raise Undecodable("the file is empty", code="image-empty")
    try:
        if data[:4] in TIFF:
            return _tiff(data, max_pixels)
        if data[:8] == PNG and data[24:25] == b"\x10":
            return _deep_png(data, max_pixels)
        return _pillow(data, max_pixels)
    except Undecodable:
        raise
    # Broken files make decoders fail in every way there is; each means the same here.
    except Exception as error:
        reason = str(error).split("\n")[0] or type(error).__name__
        raise Undecodable(f"it cannot be decoded ({reason})", code="image-broken") from error


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise Undecodable(
            f"its {width} x {height} pixels exceed the limit of {max_pixels} (data.max_pixels)",
            code="image-too-large",
        )
    if width < 1 or height < 1:
        raise Undecodable(f"it has {width} x {height} pixels", code="image-without-pixels")


def _pillow(data: bytes, max_pixels: int) -> Pixels:
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            opened = Image.open(BytesIO(data), formats=("PNG", "JPEG", "BMP"))
    except UnidentifiedImageError as error:
        raise Undecodable(
            "it is not a PNG, JPEG, BMP or TIFF image", code="image-kind-unknown"
        ) from error
    except Image.DecompressionBombError as error:
        raise Undecodable(
            f"its pixels exceed the limit of {max_pixels} (data.max_pixels)", code="image-too-large"
        ) from error
    with opened:
        _check_size(*opened.size, max_pixels)
        image = ImageOps.exif_transpose(opened)
        grey = image.mode in ("1", "L", "LA", "La")
        return np.asarray(image.convert("L" if grey else "RGB"))


def _deep_png(data: bytes, max_pixels: int) -> Pixels:
    # Pillow would keep the high byte only of 16-bit colour.
    import imagecodecs

    width, height = struct.unpack(">II", data[16:24])
    _check_size(width, height, max_pixels)
    pixels: Pixels = imagecodecs.png_decode(data)
    return _colours(pixels if pixels.ndim == 3 else pixels[..., None], alpha=True)


def _tiff(data: bytes, max_pixels: int) -> Pixels:
    import tifffile

    with tifffile.TiffFile(BytesIO(data)) as file:
        pages: list[Any] = [page for page in cast(Any, file.pages) if not page.is_reduced]
        if len(pages) != 1:
            raise Undecodable(
                f"it has {len(pages)} pages; save each as a file of its own",
                code="image-of-many-pages",
            )
        page = pages[0]
        _check_size(page.imagewidth, page.imagelength, max_pixels)
        planes = file.series[0].size // max(page.size, 1)
        if planes > 1 or page.imagedepth > 1:
            raise Undecodable(
                "it is a stack of planes; save each as a file of its own",
                code="image-of-many-pages",
            )
        if page.dtype is None or page.dtype not in (np.bool_, np.uint8, np.uint16):
            raise Undecodable(
                f"its pixels are {page.dtype}; save it as unsigned 8 or 16 bit",
                code="pixel-type-unknown",
            )
        if page.samplesperpixel > 4:
            raise Undecodable(
                f"it has {page.samplesperpixel} channels; give grey or RGB", code="channels-unknown"
            )
        return _tiff_pixels(page)


def _tiff_pixels(page: Any) -> Pixels:
    import tifffile

    colours = tifffile.PHOTOMETRIC
    pixels = page.asarray()
    if page.axes.startswith("S"):  # one plane for each channel
        pixels = np.moveaxis(pixels, 0, -1)
    pixels = pixels.reshape(page.imagelength, page.imagewidth, -1)
    if pixels.dtype == np.bool_:
        pixels = pixels.astype(np.uint8)
    full = 2**page.bitspersample - 1
    if page.photometric == colours.PALETTE:
        resolved: Pixels = page.colormap[:, pixels[..., 0]] >> 8
        return resolved.astype(np.uint8).transpose(1, 2, 0)
    if page.photometric == colours.MINISWHITE:
        pixels = (full - pixels.astype(np.int64)).astype(pixels.dtype)
    elif page.photometric not in (colours.MINISBLACK, colours.RGB) and not (
        page.photometric == colours.YCBCR and page.compression == tifffile.COMPRESSION.JPEG
    ):
        raise Undecodable(
            f"its colours are {page.photometric.name}; save it as grey or RGB",
            code="colours-unknown",
        )
    if full < 255:
        pixels = pixels * np.uint8(255 // full)
    alpha = bool(page.extrasamples) and int(page.extrasamples[-1]) in (1, 2)
    return _colours(pixels, alpha or page.photometric == colours.RGB)


def _colours(pixels: Pixels, alpha: bool) -> Pixels:
    """Return (H, W, C) as (H, W) or (H, W, 3); `alpha` says that a last even channel is one."""
    channels = pixels.shape[2]
    if channels in (2, 4):
        if not alpha:
            raise Undecodable(
                f"it has {channels} channels; give grey or RGB", code="channels-unknown"
            )
        channels -= 1
    return pixels[..., 0] if channels == 1 else pixels[..., :3]
