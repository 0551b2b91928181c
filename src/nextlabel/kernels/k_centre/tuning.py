"""Sizes of the k-centre selection."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class KCentreTuning:
    """Sizes that decide speed and memory; the picks are the same with any.

    Parameters
    ----------
    top_rows
        Rows of the largest bounds that are brought up to date together, and the number to which
        it shrinks back after picks.
    most_top_rows
        The largest such number, reached by doubling while there are no picks; `of_pool` raises it.
    top_share
        Images of a large pool for each of its most top rows: with few centres, a pick brings a
        whole cluster up to date.
    reservoir
        Rows from which the top rows are drawn, so that drawing them does not visit all N.
    grid
        The number of centres seen by a row is rounded down to a multiple of this, so that rows
        which are almost equally out of date share a product.
    chunk
        Centres at a time, at least `grid`: then rows that have fallen behind are dropped.
    compared_rows
        Rows that are compared with a chunk of centres at a time.
    prepared_rows
        Rows whose products with all candidates are computed together when the first is picked.
    cached_bytes
        Memory for the rows of centres; those beyond are read again when needed.
    tile_values
        Feature values at a time for the initial bounds; in float32 four bytes each.
    wasted_share, wasted_pairs
        Share of pairs measured needlessly, and a number of them that is free, from which products
        in float64 cost less than products in float32.

    """

    top_rows: int = 512
    most_top_rows: int = 8192
    top_share: int = 128
    reservoir: int = 16384
    grid: int = 64
    chunk: int = 1024
    compared_rows: int = 8192
    prepared_rows: int = 64
    cached_bytes: int = 2**27
    tile_values: int = 2**23
    wasted_share: float = 0.005
    wasted_pairs: int = 5000

    def of_pool(self, size: int, dimensions: int) -> "KCentreTuning":
        """Return the sizes for N images of d columns: more top rows where there are millions."""
        most = min(size // self.top_share, self.tile_values // dimensions)
        if most <= self.most_top_rows:
            return self
        return replace(self, most_top_rows=most, reservoir=max(self.reservoir, 4 * most))


STANDARD = KCentreTuning()
