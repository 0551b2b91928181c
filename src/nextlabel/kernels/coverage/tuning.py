"""Sizes of MaxHerding that decide speed and memory."""

from dataclasses import dataclass

from nextlabel.kernels.distance.tiles import TILE_ROWS


@dataclass(frozen=True)
class HerdingTuning:
    """Sizes that decide speed and memory; the picks are the same with any.

    Parameters
    ----------
    listed_pairs
        Pairs in lists, at 24 bytes each when sorted both ways.
    last_picks, passes
        Pairs are listed when the picks to come, at the work of the last ones, need more than this
        number of passes over all pairs.
    groups
        The largest number of groups of candidates, each with a memory of its own of the coverage.
    seen_values
        Values in the memories of all groups, at 8 bytes each.
    delayed
        Share of a group's best gain by which its gains may be too high after an update: small rises
        in coverage, of images whose nearest centre is far, wait for a later one.
    tile_rows
        Rows and columns of a tile of distances, and the smallest group.
    wide_tiles
        Tiles of columns that few rows take at a time, where columns are kept: each step would cost
        more than its arithmetic.

    """

    listed_pairs: int = 2**21
    last_picks: int = 16
    passes: float = 4.0
    groups: int = 64
    seen_values: int = 2**25
    delayed: float = 2.0**-10
    tile_rows: int = TILE_ROWS
    wide_tiles: int = 16


STANDARD = HerdingTuning()
