"""TIFF: all its integers and floats, pages, channels, OME and BigTIFF."""

import logging
import math
from typing import Any, BinaryIO, ClassVar

import numpy as np

from nextlabel.data.decoding.base import Picture, Undecodable, Wanted
from nextlabel.data.decoding.orientation import TAG, upright
from nextlabel.data.decoding.stack import Stack
from nextlabel.data.decoding.tiff_chain import MAGIC, check_chain
from nextlabel.data.decoding.tiff_colours import colours
from nextlabel.data.formats import register
from nextlabel.data.resize import Pixels

MOST_SAMPLES = 4
"""Values of an image per allowed pixel: a stack of more channels is refused."""


@register("tiff")
class Tiff:
    """Tagged image file format, OME-TIFF and BigTIFF included."""

    suffixes: ClassVar[frozenset[str]] = frozenset({".tif", ".tiff", ".btf", ".tf8", ".lsm"})
    needs: ClassVar[tuple[str, ...]] = ()
    install: ClassVar[str | None] = None

    def recognises(self, head: bytes) -> bool:
        """Return whether the head is that of a TIFF."""
        return head[:4] in MAGIC

    def decode(self, file: BinaryIO, wanted: Wanted) -> Picture:
        """Return the page and the channels that are wanted, of the file's own type."""
        import tifffile

        logging.getLogger("tifffile").addHandler(logging.NullHandler())  # else it writes to stderr
        check_chain(file)
        with tifffile.TiffFile(file) as tiff:
            series = [Series(one, wanted) for one in tiff.series if not one.keyframe.is_reduced]
            if not series:
                raise Undecodable("it has no pages; export it again", code="image-without-pixels")
            counts = [one.pages for one in series]

            def read(number: int) -> Pixels:
                of = 0
                while number >= counts[of]:
                    number -= counts[of]
                    of += 1
                return series[of].read(number)

            pixels = Stack(sum(counts), read).one(wanted)
            tag = tiff.pages.first.tags.get(TAG)
            orientation = tag.value if tag is not None and isinstance(tag.value, int) else 1
            return Picture(upright(pixels, orientation), chosen=series[0].chosen)


class Series:
    """Images of one shape in a TIFF: their axes, and planes read one by one.

    Parameters
    ----------
    series : tifffile.TiffPageSeries
        The series; its letters for axes are X, Y, S (samples), C (channels), and those of pages.
    wanted : Wanted
        The limits, and the channels to take.
    """

    def __init__(self, series: Any, wanted: Wanted) -> None:
        self.series, self.wanted, self.page = series, wanted, series.keyframe
        wanted.check_size(self.page.imagewidth, self.page.imagelength)
        inner = len(self.page.shape)
        axes, shape = series.axes, series.shape
        if axes[len(axes) - inner :] != self.page.axes or shape[len(axes) - inner :] != (
            *self.page.shape,
        ):
            raise Undecodable(
                f"its axes {axes} of {shape} do not fit its pages; export it again",
                code="axes-unknown",
            )
        self.axes, self.shape = axes[: len(axes) - inner], shape[: len(axes) - inner]
        self.depth = self.page.shape[self.page.axes.index("Z")] if "Z" in self.page.axes else 1
        self.channel_axis = self._channel_axis()
        at = self.channel_axis
        self.channels = 1 if at is None else self.shape[at]
        self.rest = tuple(n for axis, n in enumerate(self.shape) if axis != at)
        self.pages = math.prod(self.rest) * self.depth
        self.chosen = at is not None and wanted.channels is not None

    def _channel_axis(self) -> int | None:
        """Return the axis of channels among those of pages; None when there is none.

        An axis without a meaning holds channels where channels are chosen and a page is not.
        """
        if "C" in self.axes:
            return int(self.axes.index("C"))
        several = [axis for axis, length in enumerate(self.shape) if length > 1]
        alone = len(several) == 1 and "S" not in self.page.axes and self.axes[several[0]] in "IQ"
        pages_chosen = self.wanted.page is not None or self.wanted.project is not None
        if alone and self.wanted.channels is not None and not pages_chosen:
            return several[0]
        return None

    def read(self, number: int) -> Pixels:
        """Return page `number` (H, W, C) in grey, RGB or the channels wanted."""
        rest = np.unravel_index(number // self.depth, self.rest) if self.rest else ()
        chosen = self.wanted.channels_of(self.channels) if self.chosen else range(self.channels)
        samples = len(chosen) * self.page.samplesperpixel
        if samples * self.page.imagewidth * self.page.imagelength > (
            MOST_SAMPLES * self.wanted.max_pixels
        ):
            raise Undecodable(
                f"its {samples} channels of {self.page.imagewidth} x {self.page.imagelength} "
                "pixels exceed four times data.max_pixels; choose some by --channels 0",
                code="image-too-large",
            )
        planes = []
        for channel in chosen:
            index = [int(coordinate) for coordinate in rest]
            if self.channel_axis is not None:
                index.insert(self.channel_axis, channel)
            flat = int(np.ravel_multi_index(index, self.shape)) if index else 0
            planes.append(self._plane(flat, number % self.depth))
        return planes[0] if len(planes) == 1 else np.concatenate(planes, axis=2)

    def _plane(self, flat: int, depth: int) -> Pixels:
        values = self._values(flat)
        if "Z" in self.page.axes:
            values = values.take(depth, axis=self.page.axes.index("Z"))
        if self.page.axes.startswith("S"):  # one plane for each sample
            values = np.moveaxis(values, 0, -1)
        return colours(self.page, values.reshape(self.page.imagelength, self.page.imagewidth, -1))

    def _values(self, flat: int) -> Pixels:
        """Return the values of one page of the file, in the page's own shape."""
        several = math.prod(self.shape) > 1
        values: Pixels
        if several and self.series.dataoffset is not None:
            handle = self.page.parent.filehandle
            handle.seek(self.series.dataoffset + flat * self.page.nbytes)
            dtype = self.page.parent.byteorder + self.page.dtype.char
            values = handle.read_array(dtype, self.page.size)
        else:
            page = self.series.pages[flat]
            if page is None:  # a plane that an OME-TIFF announces and does not hold
                return np.zeros(self.page.shape, self.page.dtype)
            values = page.asarray(maxworkers=1)
        return values.reshape(self.page.shape)
