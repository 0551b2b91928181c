"""Budget curves: the area under them, and the labels that one saves against another."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.errors import UsageError
from nextlabel.statistics.effects import CONFIDENCE, expanded
from nextlabel.statistics.numbers import Floats, finite, label_counts

DRAWS = 4999
"""How often curves are drawn again for the interval of what they save."""


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


def aubc(
    counts: Sequence[int] | NDArray[np.int64],
    values: object,
    scale: Literal["linear", "log2"] = "linear",
) -> Floats:
    """Return the area under the budget curve, as a mean height: in the unit of `values`.

    `counts` (T) increase; `values` (..., T) give (...). Trapezoids over the label counts or their
    binary logarithms, divided by the range; a single count gives its value.
    """
    x, y = label_counts(counts), finite(values, "curve")
    if y.ndim < 1 or y.shape[-1] != len(x):
        raise UsageError(f"{len(x)} label counts for curves of shape {y.shape}; give one a point")
    if len(x) == 1:
        return y[..., 0]
    if scale == "log2":
        x = np.log2(x)
    heights = (y[..., 1:] + y[..., :-1]) / 2
    area: Floats = np.asarray(heights @ np.diff(x) / (x[-1] - x[0]))
    return area


def labels_to_reach(
    counts: Sequence[int] | NDArray[np.int64], values: object, level: float
) -> float | None:
    """Return the label count at which a curve (T) first reaches `level`, interpolated linearly.

    The first count when the curve starts there; None when it is never reached.
    """
    x, y = label_counts(counts), finite(values, "curve")
    if y.shape != x.shape:
        raise UsageError(f"{len(x)} label counts for a curve of shape {y.shape}; give one a point")
    needs = _crossings(x, y[None], np.array([level]))[0]
    return _reached(needs)


def label_saving(
    counts: Sequence[int] | NDArray[np.int64], arm: object, baseline: object
) -> list[Saving]:
    """Return, for each label count, what both need for the best that the baseline had by then.

    `arm` and `baseline` (T) are mean curves; both needs are first crossings, so that an arm
    against itself saves exactly nothing.
    """
    savings = []
    for level in np.maximum.accumulate(finite(baseline, "baseline")).tolist():
        baseline_needs = labels_to_reach(counts, baseline, level)
        assert baseline_needs is not None
        savings.append(Saving(level, baseline_needs, labels_to_reach(counts, arm, level)))
    return savings


def saving_intervals(
    counts: Sequence[int] | NDArray[np.int64],
    arm: object,
    baseline: object,
    rng: np.random.Generator,
    confidence: float = CONFIDENCE,
) -> list[tuple[float | None, float | None]] | None:
    """Return bootstrap intervals of what `label_saving` says of the mean of curves (n, T).

    Pairs are drawn again, both mean curves and so the level with them, and the percentiles widened
    as in `bootstrap_interval`. An end is None where the arm does not reach the level; the whole is
    None for a single pair.
    """
    x, a, b = label_counts(counts), finite(arm, "arm"), finite(baseline, "baseline")
    if a.ndim != 2 or a.shape != b.shape or a.shape[1] != len(x):
        raise UsageError(
            f"curves of shapes {a.shape} and {b.shape} for {len(x)} label counts; "
            "give two of shape (n, T)"
        )
    n = len(a)
    if n == 1:
        return None
    rows = rng.integers(0, n, (DRAWS, n))
    mine, theirs = a[rows].mean(axis=1), b[rows].mean(axis=1)
    tail = (1 - expanded(n, confidence)) / 2
    found: list[tuple[float | None, float | None]] = []
    for levels in np.maximum.accumulate(theirs, axis=1).T:
        saved = np.sort(_crossings(x, theirs, levels) - _crossings(x, mine, levels))
        ends = saved[int(tail * DRAWS)], saved[DRAWS - 1 - int(tail * DRAWS)]
        found.append((_reached(ends[0]), _reached(ends[1])))
    return found


def _reached(count: float) -> float | None:
    return float(count) if np.isfinite(count) else None


def _crossings(x: Floats, curves: Floats, levels: Floats) -> Floats:
    """Return where each curve (R, T) first reaches its level (R), as `labels_to_reach`, or inf."""
    above = curves >= levels[:, None]
    after = above.argmax(axis=1)
    rows, before = np.arange(len(curves)), np.maximum(after - 1, 0)
    y0, y1 = curves[rows, before], curves[rows, after]
    rise = np.where(after > 0, y1 - y0, 1.0)
    beyond = np.where(after > 0, levels - y0, 0.0)
    needs: Floats = x[before] + (x[after] - x[before]) * beyond / rise
    needs[~above.any(axis=1)] = np.inf
    return needs
