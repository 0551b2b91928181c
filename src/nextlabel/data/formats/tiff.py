"""TIFF of 8 and 16 bit."""

from typing import Any, BinaryIO, ClassVar, cast

import numpy as np

from nextlabel.data.formats import register
from nextlabel.data.formats.base import Picture, Undecodable, Wanted

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


@register("tiff")
class Tiff:
    """Tagged image file format, BigTIFF included."""

    suffixes: ClassVar[frozenset[str]] = frozenset({".tif", ".tiff"})
    needs: ClassVar[tuple[str, ...]] = ()
    extra: ClassVar[str | None] = None

    def recognises(self, head: bytes) -> bool:
        """Return whether the head is that of a TIFF."""
        return head[:4] in MAGIC

    def decode(self, file: BinaryIO, wanted: Wanted) -> Picture:
        """Return the image in a TIFF of one page, 8 or 16 bit."""
        import tifffile

        with tifffile.TiffFile(file) as tiff:
            pages: list[Any] = [page for page in cast(Any, tiff.pages) if not page.is_reduced]
            if len(pages) != 1:
                raise Undecodable(
                    f"it has {len(pages)} pages; save each as a file of its own",
                    code="image-of-many-pages",
                )
            page = pages[0]
            wanted.check_size(page.imagewidth, page.imagelength)
            planes = tiff.series[0].size // max(page.size, 1)
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
                    f"it has {page.samplesperpixel} channels; give grey or RGB",
                    code="channels-unknown",
                )
            return _pixels(page)


def _pixels(page: Any) -> Picture:
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
        resolved = page.colormap[:, pixels[..., 0]] >> 8
        return Picture(resolved.astype(np.uint8).transpose(1, 2, 0))
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
    channels = pixels.shape[2]
    if channels in (2, 4):
        alpha = bool(page.extrasamples) and int(page.extrasamples[-1]) in (1, 2)
        if not alpha and page.photometric != colours.RGB:
            raise Undecodable(
                f"it has {channels} channels; give grey or RGB", code="channels-unknown"
            )
        channels -= 1
    return Picture(pixels[..., :channels])
