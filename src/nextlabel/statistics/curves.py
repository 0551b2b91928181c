"""Budget curves: the area under them, and the labels that one saves against another.

T label counts, n pairs (seeds), R subsets of the pairs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.errors import UsageError
from nextlabel.statistics.effects import CONFIDENCE
from nextlabel.statistics.inputs import Floats, finite, increasing_counts, rounding_noise
from nextlabel.statistics.subsets import central, means, random_subsets, subsets

DRAWS = 4999
"""Random subsets for the interval of the labels saved, used where there are more subsets."""

Counts = Sequence[int] | NDArray[np.int64]
Interval = tuple[float | None, float | None]
"""The lower and the upper end; None for an end at which the level is not reached."""


@dataclass(frozen=True)
class Saving:
    """Labels that an arm and its baseline need for `level`; `arm_needs` None: not reached."""

    level: float
    baseline_needs: float
    arm_needs: float | None

    @property
    def saved(self) -> float | None:
        """Labels saved; negative when the arm needs more."""
        return None if self.arm_needs is None else self.baseline_needs - self.arm_needs


def aubc(counts: Counts, values: object, scale: Literal["linear", "log2"] = "linear") -> Floats:
    """Return the area under the budget curve, as a mean height.

    Trapezoids over the label counts or their binary logarithms, divided by the range; a single
    count gives its value.

    Parameters
    ----------
    counts
        Increasing label counts, shape (T,).
    values
        Curves, shape (..., T).
    scale
        "linear" in the label counts, or "log2".

    Returns
    -------
    Floats
        Mean heights, shape (...), in the unit of `values`.

    Raises
    ------
    UsageError
        The counts do not increase, or the shapes do not fit.

    """
    x, y = increasing_counts(counts), finite(values, "curve")
    if y.ndim < 1 or y.shape[-1] != len(x):
        raise UsageError(
            f"{len(x)} label counts for curves of shape {y.shape}; give one per point",
            code="unequal-shapes",
        )
    if len(x) == 1:
        return y[..., 0]
    if scale == "log2":
        x = np.log2(x)
    heights = (y[..., 1:] + y[..., :-1]) / 2  # [..., T - 1]
    area: Floats = np.asarray(heights @ np.diff(x) / (x[-1] - x[0]))  # [...]
    return area


def labels_to_reach(counts: Counts, values: object, level: float) -> float | None:
    """Return the label count at which a curve first reaches a level, interpolated linearly.

    A value that equals the level but for rounding reaches it.

    Parameters
    ----------
    counts
        Increasing label counts, shape (T,).
    values
        One curve, shape (T,).
    level
        The level, in the unit of `values`.

    Returns
    -------
    float | None
        A label count, the first one when the curve starts there; None when it is never reached.

    Raises
    ------
    UsageError
        The counts do not increase, or the shapes do not fit.

    """
    x, y = increasing_counts(counts), finite(values, "curve")
    if y.shape != x.shape:
        raise UsageError(
            f"{len(x)} label counts for a curve of shape {y.shape}; give one per point",
            code="unequal-shapes",
        )
    noise = rounding_noise(y, np.array([level]))
    return _reached(_crossings(x, y[None], np.array([level]), noise)[0])


def label_saving(counts: Counts, arm: object, baseline: object) -> list[Saving]:
    """Return, for each label count, the labels that both need for the baseline's best by then.

    Both needs are first crossings, so that an arm against itself saves exactly nothing.

    Parameters
    ----------
    counts
        Increasing label counts, shape (T,).
    arm, baseline
        Mean curves, shape (T,).

    Returns
    -------
    list[Saving]
        One saving per label count.

    Raises
    ------
    UsageError
        The counts do not increase, or the shapes do not fit.

    """
    savings = []
    for level in np.maximum.accumulate(finite(baseline, "baseline")).tolist():
        baseline_needs = labels_to_reach(counts, baseline, level)
        assert baseline_needs is not None
        savings.append(Saving(level, baseline_needs, labels_to_reach(counts, arm, level)))
    return savings


def saving_intervals(
    counts: Counts,
    arm: object,
    baseline: object,
    rng: np.random.Generator,
    confidence: float = CONFIDENCE,
) -> list[Interval] | None:
    """Return intervals of the labels saved, as `label_saving` counts them.

    Both mean curves, and so the level, are taken over subsets of the pairs, and the ends as in
    `sign_flip_interval`. The level is approximate, since the labels saved are not a mean.

    Parameters
    ----------
    counts
        Increasing label counts, shape (T,).
    arm, baseline
        Curves, shape (n, T), one row per pair.
    rng
        Source of the samples.
    confidence
        Level of the intervals, 0 to 1.

    Returns
    -------
    list[Interval] | None
        T intervals, in labels; None for a single pair.

    Raises
    ------
    UsageError
        The counts do not increase, or the shapes do not fit.

    """
    means_of = _means_of_subsets(counts, arm, baseline, rng)
    if means_of is None:
        return None
    x, of_arm, of_baseline, noise = means_of
    return [
        _interval(
            _crossings(x, of_baseline, levels, noise) - _crossings(x, of_arm, levels, noise),
            confidence,
        )
        for levels in np.maximum.accumulate(of_baseline, axis=1).T  # [R]
    ]


def need_interval(
    counts: Counts,
    arm: object,
    baseline: object,
    rng: np.random.Generator,
    confidence: float = CONFIDENCE,
) -> Interval | None:
    """Return the interval of the labels that the arm needs for the baseline's best level.

    It is that of the last label count, made as those of `saving_intervals`. An end is None where
    the level is not reached; the upper one may be so alone.

    Parameters
    ----------
    counts
        Increasing label counts, shape (T,).
    arm, baseline
        Curves, shape (n, T), one row per pair.
    rng
        Source of the samples.
    confidence
        Level of the interval, 0 to 1.

    Returns
    -------
    Interval | None
        In labels; None for a single pair.

    Raises
    ------
    UsageError
        The counts do not increase, or the shapes do not fit.

    """
    means_of = _means_of_subsets(counts, arm, baseline, rng)
    if means_of is None:
        return None
    x, of_arm, of_baseline, noise = means_of
    return _interval(_crossings(x, of_arm, of_baseline.max(axis=1), noise), confidence)


def _means_of_subsets(
    counts: Counts, arm: object, baseline: object, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats, float] | None:
    """Return the counts, the means of arm and baseline by subsets, (R, T) each, and their noise.

    None for a single pair.
    """
    x, a, b = increasing_counts(counts), finite(arm, "arm"), finite(baseline, "baseline")
    if a.ndim != 2 or a.shape != b.shape or a.shape[1] != len(x):
        raise UsageError(
            f"curves of shapes {a.shape} and {b.shape} for {len(x)} label counts; "
            "give two of shape (n, T)",
            code="unequal-shapes",
        )
    n = len(a)
    if n == 1:
        return None
    masks = subsets(n) if 2**n <= DRAWS else random_subsets(n, DRAWS, rng)
    return x, means(masks, a), means(masks, b), rounding_noise(a, b)


def _interval(labels: Floats, confidence: float) -> Interval:
    low, high = central(np.sort(labels), confidence)
    return _reached(low), _reached(high)


def _reached(count: float) -> float | None:
    return float(count) if np.isfinite(count) else None


def _crossings(x: Floats, curves: Floats, levels: Floats, noise: float) -> Floats:
    """Return the count at which each curve (R, T) first reaches its level (R); inf if never."""
    above = curves >= levels[:, None] - noise  # [R, T]
    after = above.argmax(axis=1)  # [R]
    rows, before = np.arange(len(curves)), np.maximum(after - 1, 0)
    y0, y1 = curves[rows, before], curves[rows, after]  # [R]
    rise = np.where(after > 0, y1 - y0, 1.0)
    beyond = np.where(after > 0, np.minimum(levels, y1) - y0, 0.0)
    needs: Floats = x[before] + (x[after] - x[before]) * beyond / rise  # [R]
    needs[~above.any(axis=1)] = np.inf
    return needs
