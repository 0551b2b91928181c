"""Grey levels: values of more than 8 bits scaled to 0 … 255, by one range for all images."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.errors import DataError
from nextlabel.data.pixels.grey_range import DEFAULT, GreyRange
from nextlabel.data.resize import Pixels

QUANTILES = 1024
"""Values kept of each channel of an image, for the percentiles of all images."""
SAMPLE = 2**16
"""Pixels of an image, spread over it, that the quantiles are taken from."""
REMEDY = '--range min-max keeps them, in experiments data.range = "min-max"'
FEW = 5
"""Images below which none is called an exception."""
NAMED = 3
"""Files that a warning names."""
_NOTE = re.compile(r"(\S+) range")
_PAIR = re.compile(r"(\S+) to (\S+?)(?:,| in )")


@dataclass(frozen=True, eq=False)
class Spread:
    """The spread of the values of one image.

    Parameters
    ----------
    kind : str
        The type of the values, as "uint16".
    low, high : float
        The smallest and the largest value of all channels.
    quantiles : float32 array (Q, C)
        For each channel, up to 1,024 values at equal distances in rank, sorted.
    """

    kind: str
    low: float
    high: float
    quantiles: NDArray[np.float32]

    @classmethod
    def of(cls, pixels: Pixels) -> "Spread | None":
        """Return the spread of (H, W, C); None for 8 bit, which stays as it is."""
        if pixels.dtype == np.uint8:
            return None
        flat = pixels.reshape(-1, pixels.shape[2])
        step = max(1, math.ceil(len(flat) / SAMPLE))
        while step > 1 and math.gcd(step, pixels.shape[1]) > 1:  # else whole columns are left out
            step += 1
        ordered = np.sort(flat[::step], axis=0)
        count = min(len(ordered), QUANTILES)
        ranks = ((np.arange(count) + 0.5) * len(ordered) / count).astype(np.int64)
        kept = ordered[ranks].astype(np.float32)
        return cls(str(pixels.dtype), float(pixels.min()), float(pixels.max()), kept)


@dataclass(frozen=True)
class GreyLevels:
    """Values that become black and white, for each type of values.

    `ranges` holds for a type, such as "uint16", one pair for all channels or one for each.
    """

    ranges: Mapping[str, tuple[tuple[float, float], ...]]
    notes: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @classmethod
    def over(
        cls,
        spreads: Mapping[str, Spread],
        rule: str | None = None,
        *,
        by_channel: bool = False,
        remedy: str = REMEDY,
    ) -> "GreyLevels":
        """Return the grey levels of all images together.

        Parameters
        ----------
        spreads : mapping of str to Spread
            The spread of each image of more than 8 bits, by the name of its file.
        rule : str, optional
            As `GreyRange.parse` reads it; p0.1-p99.9 when None.
        by_channel : bool
            Give each channel a range of its own, as for stains that were chosen one by one. Types
            of which all images have two channels always get one for each.
        remedy : str
            The end of the warning that names images far outside the range.

        Raises
        ------
        DataError
            When all values of a type are one constant.
        """
        text = rule or DEFAULT
        parsed = GreyRange.parse(text)
        ranges, notes, warnings = {}, {}, []
        for dtype in sorted({spread.kind for spread in spreads.values()}):
            of_type = {name: s for name, s in spreads.items() if s.kind == dtype}
            own_ranges = by_channel or all(s.quantiles.shape[1] == 2 for s in of_type.values())
            pairs = _pairs(list(of_type.values()), parsed, own_ranges)
            ranges[dtype] = pairs
            label = _bits(dtype)
            shown = ", ".join(f"{low:.12g} to {high:.12g}" for low, high in pairs)
            notes[f"{label} range"] = f"{shown} in {len(of_type)} images"
            if parsed.kind != "all":
                notes[f"{label} range"] += f" ({text})"
            warnings += _far_outside(of_type, pairs, text, remedy)
            if parsed.kind == "percentiles" and not own_ranges:
                warnings += _alone(of_type, pairs[0], parsed, remedy)
        return cls(ranges, notes, tuple(warnings))

    @classmethod
    def from_notes(cls, notes: Mapping[str, str]) -> "GreyLevels":
        """Return the grey levels that the notes of a data set record."""
        ranges = {}
        for name, text in notes.items():
            match = _NOTE.fullmatch(name)
            if match is not None:
                dtype = "uint16" if match[1] == "16-bit" else match[1]
                ranges[dtype] = tuple((float(a), float(b)) for a, b in _PAIR.findall(text))
        return cls(ranges)

    def eight_bit(self, pixels: Pixels, dtype: str | None = None) -> NDArray[np.uint8]:
        """Return (H, W, C) as uint8, grey (H, W, 1) or RGB (H, W, 3), clipped to the range.

        `dtype` is the type that the values had before resizing. Of two channels the first becomes
        red, the second green.
        """
        dtype = dtype or str(pixels.dtype)
        eight = pixels if dtype == "uint8" else self._stretched(pixels, self.ranges[dtype])
        if eight.shape[2] != 2:
            return eight
        return np.concatenate([eight, np.zeros_like(eight[..., :1])], axis=2)

    def _stretched(self, pixels: Pixels, pairs: Sequence[tuple[float, float]]) -> NDArray[np.uint8]:
        low, high = np.array(pairs[: pixels.shape[2]], np.float64).T
        width = np.where(high > low, high - low, 1)
        # Chunks of rows keep the float64 copies small.
        out = np.empty(pixels.shape, np.uint8)
        for row, values in enumerate(pixels):
            out[row] = np.rint(np.clip((values - low) * 255 / width, 0, 255))
        return out


def _pairs(
    spreads: list[Spread], rule: GreyRange, by_channel: bool
) -> tuple[tuple[float, float], ...]:
    """Return the range of all channels together, or one for each channel."""
    if rule.kind == "numbers":
        return ((rule.low, rule.high),)
    low, high = min(s.low for s in spreads), max(s.high for s in spreads)
    if low == high:
        raise DataError(
            f"every pixel of the {_bits(spreads[0].kind)} images is {low:g}; there is nothing to "
            "distinguish, give images that vary",
            code="images-constant",
        )
    if rule.kind == "all" and not by_channel:
        return ((low, high),)
    count = max(s.quantiles.shape[1] for s in spreads) if by_channel else 1
    pairs = []
    for channel in range(count):
        pieces = [
            s.quantiles[:, channel] if by_channel else s.quantiles.ravel()
            for s in spreads
            if s.quantiles.shape[1] > channel
        ]
        ordered = np.sort(np.concatenate(pieces))
        ends = (rule.low, rule.high) if rule.kind == "percentiles" else (0, 100)
        limits = [float(f"{v:.12g}") for v in np.percentile(ordered, ends)]
        # Nearly all values are one, as in masks: the few others must not be lost.
        pairs.append((limits[0], limits[1]) if limits[0] < limits[1] else (low, high))
    return tuple(pairs)


def _bits(dtype: str) -> str:
    return "16-bit" if dtype == "uint16" else dtype


def _alone(
    spreads: Mapping[str, Spread], pair: tuple[float, float], rule: GreyRange, remedy: str
) -> list[str]:
    """Return a warning for an image without which the range would be a quarter as wide, or less."""
    if len(spreads) < FEW:
        return []
    messages = []
    brightest = max(spreads, key=lambda n: float(spreads[n].quantiles.max()))
    darkest = min(spreads, key=lambda n: float(spreads[n].quantiles.min()))
    for name in sorted({brightest, darkest}):
        others = [spread for n, spread in spreads.items() if n != name]
        if not others or min(s.low for s in others) == max(s.high for s in others):
            continue
        ((low, high),) = _pairs(others, rule, by_channel=False)
        if pair[1] - pair[0] >= 4 * (high - low):
            messages.append(
                f"{name} alone widens the range of the {len(spreads)} "
                f"{_bits(next(iter(spreads.values())).kind)} images from {low:g} to {high:g} to "
                f"{pair[0]:g} to {pair[1]:g}, which leaves fewer grey levels to the others; leave "
                f"it out, or give the range, as --range {low:g}-{high:g}"
            )
    return messages


def _far_outside(
    spreads: Mapping[str, Spread],
    pairs: Sequence[tuple[float, float]],
    rule: str,
    remedy: str,
) -> list[str]:
    """Return a warning that names files which alone would at least double the range."""
    low, high = min(a for a, _ in pairs), max(b for _, b in pairs)
    width = high - low
    far = [n for n, s in spreads.items() if s.high > high + width or s.low < low - width]
    if not far:
        return []
    shown = [f"{n} ({spreads[n].low:g} to {spreads[n].high:g})" for n in sorted(far)[:NAMED]]
    more = f" and {len(far) - NAMED} more" if len(far) > NAMED else ""
    return [
        f"{len(far)} of {len(spreads)} {_bits(next(iter(spreads.values())).kind)} images hold "
        f"values far outside {low:g} to {high:g}, the range of all ({rule}): "
        f"{', '.join(shown)}{more}; they are clipped there, and {remedy}"
    ]
