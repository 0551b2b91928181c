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
    groups
        The largest number of groups of candidates, each with a memory of its own of the coverage.
    tile_rows
        Rows and columns of a tile of distances, and the smallest group.

    """

    listed_pairs: int = 2**23
    groups: int = 64
    tile_rows: int = TILE_ROWS


STANDARD = HerdingTuning()
