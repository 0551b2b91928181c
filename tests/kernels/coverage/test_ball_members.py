"""Bits that say which images a ball holds: the same as the table, within their room."""

from typing import Any

import numpy as np
import pytest

from nextlabel.kernels.coverage.ball_counts import BallCounts, BallTuning
from nextlabel.kernels.coverage.ball_cover import ball_cover
from nextlabel.kernels.coverage.ball_members import BallMembers

SIZE = 150


def add(members: BallMembers, inside: np.ndarray, images: np.ndarray, tile: int) -> None:
    members.begin()
    for start in range(0, SIZE, 40):
        rows = np.arange(start, min(start + 40, SIZE))
        for first in range(0, len(images), tile):
            columns = images[first : first + tile]
            members.add(rows, columns, inside[np.ix_(rows, columns)])
    members.end()


@pytest.mark.parametrize("tile", [13, 64, 90])
@pytest.mark.parametrize("share", [0.02, 0.6])
def test_bits_are_those_of_the_table(tile: int, share: float) -> None:
    rng = np.random.default_rng(tile)
    inside, order = rng.random((SIZE, SIZE)) < share, rng.permutation(SIZE)
    members = BallMembers(SIZE, 10**6)
    add(members, inside, order[:100], tile)
    add(members, inside, order[100:130], tile)
    assert np.flatnonzero(members.keeps(np.arange(SIZE))).tolist() == sorted(order[:130])
    some = order[70:120]
    np.testing.assert_array_equal(members.count(some), inside[:, some].sum(axis=1))
    for candidate in (0, 77, SIZE - 1):
        near = np.sort(members.images_near(candidate))
        assert (
            near.tolist()
            == np.flatnonzero(inside[candidate] & members.keeps(np.arange(SIZE))).tolist()
        )


def test_only_images_for_which_there_is_room_are_kept() -> None:
    inside, ids = np.ones((SIZE, SIZE), bool), np.arange(SIZE)
    members = BallMembers(SIZE, 2 * SIZE)
    add(members, inside, ids[:64], 64)
    add(members, inside, ids[64:], 64)  # two words more for each candidate: too many
    assert members.keeps(ids).tolist() == [True] * 64 + [False] * (SIZE - 64)
    add(members, inside, ids[64:128], 64)
    assert members.keeps(ids).sum() == 128 and members.room == 0
    assert (members.count(ids[:128]) == 128).all()


@pytest.mark.parametrize("words", [2**24, 40, -1])
def test_each_image_is_measured_once_where_there_is_room(
    words: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The picks go through several covers of the pool, of which each begins with counting."""
    x = np.random.default_rng(0).normal(size=(SIZE, 2))
    measured = np.zeros((SIZE, SIZE), int)
    within = BallCounts._within

    def counted(self: Any, rows: Any, columns: Any) -> Any:
        measured[np.ix_(rows.positions, columns.positions)] += 1
        return within(self, rows, columns)

    monkeypatch.setattr(BallCounts, "_within", counted)
    ball_cover(x, [], 60, 1.0, tuning=BallTuning(words, tile_rows=13))
    again = (measured > 1).mean()
    assert again == 0 if words == 2**24 else again > 0.5
