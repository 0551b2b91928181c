"""The state of the greedy loop: bounds, centres, and the number of centres that each row has seen.

N images, W top rows, n rows, L centres, p pairs of a row and a centre.
"""

import numpy as np

from nextlabel.core.types import Ids
from nextlabel.kernels.k_centre.bounds import TopRows, UpperBounds
from nextlabel.kernels.k_centre.centres import Centres, NormedRows


class GreedyState:
    """Bounds and centres of a selection.

    The bound of a row is the smallest squared distance to its first `seen` centres, or its initial
    bound when that is smaller.

    Parameters
    ----------
    centres
        The centres so far (L).
    bounds
        The bounds of all rows (N).

    Attributes
    ----------
    seen
        The number of centres that the bound of each row accounts for, int64 (N).
    screened, wasted
        Pairs compared by products, and pairs measured that lowered no bound.

    """

    def __init__(self, centres: Centres, bounds: UpperBounds) -> None:
        self.centres, self.bounds = centres, bounds
        self.shifted, self.metric = centres.shifted, centres.shifted.metric
        self.tuning = centres.tuning
        self.seen = np.zeros(self.metric.size, np.int64)  # [N]
        self.wasted, self.screened = 0, 0

    def sharpen(self) -> None:
        """Turn to products in float64 where float32 rules out too few pairs."""
        allowed = self.tuning.wasted_share * self.screened + self.tuning.wasted_pairs
        if self.wasted > allowed and self.centres.precision is np.float32:
            self.centres = self.centres.in_float64()

    def rows(self, ids: Ids) -> NormedRows:
        """Return rows in the centres' precision."""
        rows = self.shifted.rows(ids, self.centres.precision)
        return NormedRows(rows, self.shifted.squares(rows))

    def update(self, top: TopRows, rows: NormedRows) -> None:
        """Compare each of the top rows with all centres, until its bound falls below those outside.

        `rows` are those of `top.ids`.
        """
        ids, total = top.ids, len(self.centres)
        grid, chunk = self.tuning.grid, self.tuning.chunk
        seen = self.seen[ids]  # [W]
        behind = np.flatnonzero(seen < total)  # [≤ W]
        while behind.size:
            level = seen[behind] // grid * grid  # [≤ W]
            begin = int(level.min())
            later = level[level > begin]
            end = min(begin + chunk, total, int(later.min()) if later.size else total)
            now = behind[level == begin]
            for start in range(0, len(now), self.tuning.compared_rows):
                some = now[start : start + self.tuning.compared_rows]
                self._see(ids[some], rows if len(some) == len(ids) else rows.take(some), begin, end)
            seen[now] = end
            behind = behind[
                (seen[behind] < total) & top.ahead(self.bounds.value[ids[behind]], ids[behind])
            ]
        self.seen[ids] = seen

    def _see(self, ids: Ids, rows: NormedRows, begin: int, end: int) -> None:
        """Lower the bounds of rows (n) to the nearest of centres begin … end - 1."""
        before = self.bounds.value[ids]  # [n]
        hits, columns = self.centres.pairs_to_measure(rows, before, begin, end)  # [p], [p]
        self.screened += len(ids) * (end - begin)
        if hits.size:
            measured = self.metric.pair_distances(ids[hits], self.centres.ids[columns])  # [p]
            np.minimum.at(self.bounds.value, ids[hits], measured)
            self.wasted += hits.size - int((self.bounds.value[ids] < before).sum())
