"""NIfTI, of the extra `medical`."""

import gzip
import logging
import zlib
from contextlib import suppress
from typing import Any, BinaryIO, ClassVar

import numpy as np

from nextlabel.data.decoding.base import Picture, Undecodable, Wanted
from nextlabel.data.decoding.stack import Stack
from nextlabel.data.formats import register
from nextlabel.data.resize import Pixels

HEADERS = 544
"""Bytes of the longer of the two headers."""


@register("nifti")
class Nifti:
    """NIfTI volumes: slices along the last axes are pages, seen from above with the front up."""

    suffixes: ClassVar[frozenset[str]] = frozenset({".nii", ".nii.gz"})
    needs: ClassVar[tuple[str, ...]] = ("nibabel",)
    install: ClassVar[str | None] = "nextlabel[medical]"

    def recognises(self, head: bytes) -> bool:
        """Return whether the head is that of NIfTI 1 or 2, packed or not."""
        if head.startswith(b"\x1f\x8b"):
            with suppress(zlib.error):
                head = zlib.decompressobj(31).decompress(head, HEADERS)
        return head[344:348] in (b"n+1\0", b"ni1\0") or head[4:7] in (b"n+2", b"ni2")

    def decode(self, file: BinaryIO, wanted: Wanted) -> Picture:
        """Return a slice (H, W, 1) of the file's own values, scaled as the file says."""
        import nibabel

        nibabel.imageglobals.logger.setLevel(logging.CRITICAL)  # else it writes to stderr
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        stream: Any = gzip.open(file) if packed else file
        head = stream.read(HEADERS)
        stream.seek(0)
        image_class: Any = (
            nibabel.Nifti2Image if head[4:7] in (b"n+2", b"ni2") else nibabel.Nifti1Image
        )
        volume = image_class.from_stream(stream)
        shape = volume.shape
        if len(shape) < 2:
            raise Undecodable(f"it has the shape {shape}; give a volume", code="axes-unknown")
        wanted.check_size(shape[0], shape[1])
        if volume.get_data_dtype().names is not None:
            raise Undecodable(
                "its voxels are colours; save them as numbers", code="pixel-type-unknown"
            )
        rest = shape[2:]

        def read(number: int) -> Pixels:
            at = np.unravel_index(number, rest) if rest else ()
            values = np.asarray(volume.dataobj[(slice(None), slice(None), *map(int, at))])
            return np.ascontiguousarray(np.rot90(values))[..., None]

        return Picture(Stack(int(np.prod(rest, dtype=np.int64)), read).one(wanted))
