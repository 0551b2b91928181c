"""DICOM, of the extra `medical`."""

from typing import Any, BinaryIO, ClassVar

import numpy as np

from nextlabel.data.decoding.base import HEAD, Picture, Undecodable, Wanted
from nextlabel.data.decoding.stack import Stack
from nextlabel.data.formats import register
from nextlabel.data.resize import Pixels

DEFLATED = b"1.2.840.10008.1.2.1.99"


@register("dicom")
class Dicom:
    """DICOM images: with the window of the file, MONOCHROME1 inverted, frames as pages."""

    suffixes: ClassVar[frozenset[str]] = frozenset({".dcm", ".dicom", ".dic"})
    needs: ClassVar[tuple[str, ...]] = ("pydicom",)
    install: ClassVar[str | None] = "nextlabel[medical]"

    def recognises(self, head: bytes) -> bool:
        """Return whether DICM follows the preamble of 128 bytes."""
        return head[128:132] == b"DICM"

    def decode(self, file: BinaryIO, wanted: Wanted) -> Picture:
        """Return a frame: 8 bit when the file names a window or is RGB, else its own values.

        The values are those after the rescaling that the file names, such as Hounsfield units.
        """
        import pydicom
        from pydicom.pixels.utils import pixel_array

        # Else pydicom warns of each odd element of each file.
        pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
        # A whole file, packed, could unpack to a thousand times its size.
        if DEFLATED in file.read(HEAD):
            raise Undecodable("it is deflated; save it without that", code="image-kind-not-read")
        file.seek(0)
        data = pydicom.dcmread(file, stop_before_pixels=True)
        if "Rows" not in data or "Columns" not in data:
            raise Undecodable(
                f"it holds no image ({data.get('Modality', 'no modality')}); remove it",
                code="image-without-pixels",
            )
        wanted.check_size(int(data.Columns), int(data.Rows))
        frames = int(data.get("NumberOfFrames") or 1)

        def read(index: int) -> Pixels:
            file.seek(0)
            return _frame(data, pixel_array(file, index=index), wanted)

        return Picture(Stack(frames, read).one(wanted))


def _frame(data: Any, values: Any, wanted: Wanted) -> Pixels:
    """Return one frame (H, W, C) from its stored values, of which YBR has become RGB."""
    from pydicom.pixels.processing import apply_color_lut, apply_modality_lut

    photometric = str(data.PhotometricInterpretation)
    if photometric == "PALETTE COLOR":
        coloured: Pixels = apply_color_lut(values, data)
        return coloured if coloured.dtype == np.uint8 else (coloured >> 8).astype(np.uint8)
    if values.ndim == 3:
        return np.asarray(values)
    values = np.asarray(apply_modality_lut(values, data))
    inverted = photometric == "MONOCHROME1"
    window = _window(data) if wanted.windowed else None
    if window is not None:
        low, high = window
        grey: Pixels = np.rint(np.clip((values - low) * 255 / (high - low), 0, 255))
        return (255 - grey if inverted else grey).astype(np.uint8)[..., None]
    if values.dtype.kind == "f":
        values = values.astype(np.float32)
    if inverted:  # as large as its values can be, so that all files of a kind agree
        values = -values.astype(np.float32)
    return np.asarray(values)[..., None]


def _window(data: Any) -> tuple[float, float] | None:
    """Return the values that become black and white in the first window; None when there is none.

    As DICOM PS3.3 C.11.2.1.2 defines a linear window.
    """
    centre, width = _first(data.get("WindowCenter")), _first(data.get("WindowWidth"))
    if centre is None or width is None or width <= 1:
        return None
    return centre - 0.5 - (width - 1) / 2, centre - 0.5 + (width - 1) / 2


def _first(value: Any) -> float | None:
    if value is None or value == "":
        return None
    several = hasattr(value, "__len__") and not isinstance(value, str)
    return float(value[0]) if several else float(value)
