"""Covers that continue from an earlier round pick what those from the beginning pick."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nextlabel import Pool, Snapshot, select
from nextlabel.core.carried import Carried
from nextlabel.core.space.embedding import Embedding
from nextlabel.kernels.coverage import ball_counts, gains
from nextlabel.kernels.coverage.ball_cover import ball_cover
from nextlabel.kernels.coverage.covered_images import CoveredImages
from nextlabel.kernels.coverage.max_herding import max_herding
from nextlabel.kernels.coverage.near_pairs import NearPairs
from nextlabel.kernels.inputs import metric_and_pool
from nextlabel.strategies import create

LISTED = gains.HerdingTuning(tile_rows=13), ball_counts.BallTuning(tile_rows=13)
SOME = gains.HerdingTuning(300, last_picks=2, passes=0, tile_rows=13)
GROUPED = gains.HerdingTuning(-1, tile_rows=13), ball_counts.BallTuning(-1, tile_rows=13)


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list to which each cover that begins adds its name."""
    names: list[str] = []
    for module, name in ((gains.Gains, "max_herding"), (ball_counts.BallCounts, "ball_cover")):
        whole = module.__init__

        def counted(
            self: Any, *args: Any, whole: Any = whole, name: str = name, **more: Any
        ) -> None:
            names.append(name)
            whole(self, *args, **more)

        monkeypatch.setattr(module, "__init__", counted)
    return names


@pytest.mark.parametrize("kernel", [0, 1], ids=["max_herding", "ball_cover"])
@pytest.mark.parametrize("sizes", [LISTED, GROUPED], ids=["listed", "grouped"])
@pytest.mark.parametrize("grid", [False, True])
def test_a_carried_cover_picks_the_same(
    kernel: int, sizes: Any, grid: bool, begun: list[str]
) -> None:
    rng = np.random.default_rng(kernel)
    x = rng.integers(0, 4, (90, 3)) / 3 if grid else rng.normal(size=(90, 3))
    cover: Callable[..., Any] = (max_herding, ball_cover)[kernel]
    order, carried = rng.permutation(90), Carried()
    labelled, excluded, references = list(order[:3]), order[80:], order[:60]
    for number in range(6):
        settings = {"excluded": excluded, "references": references, "tuning": sizes[kernel]}
        fresh = cover(x, labelled, 7, 0.9, **settings)
        begun.clear()
        picks = cover(x, labelled, 7, 0.9, carried=carried, **settings)
        assert picks.tolist() == fresh.tolist()
        assert begun == [cover.__name__] * (number == 0)
        others = np.setdiff1d(order[:80], [*labelled, *picks])[: number % 3]
        labelled += [*others.tolist(), *picks.tolist()]  # a person labelled some more


@pytest.mark.parametrize("cover", [max_herding, ball_cover])
def test_a_cover_begins_again_for_other_content_and_for_labels_not_given(
    cover: Any, begun: list[str]
) -> None:
    x = np.random.default_rng(0).normal(size=(60, 3))
    carried = Carried()
    first = cover(x, [1], 5, 0.8, carried=carried).tolist()
    other = x.copy()
    other[7] += 1e-9
    for rows, labelled, width, excluded in (
        (x, [1, *first[:2]], 0.8, []),  # three picks were not labelled
        (other, [1, *first[:2]], 0.8, []),
        (other, [1, *first[:2]], 0.7, []),
        (other, [1, *first[:2]], 0.7, [50]),
    ):
        fresh = cover(rows, labelled, 4, width, excluded=excluded).tolist()
        begun.clear()
        picks = cover(rows, labelled, 4, width, excluded=excluded, carried=carried).tolist()
        assert picks == fresh
        assert begun == [cover.__name__]


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list to which each use of carried pairs adds the number of images without any."""
    counts: list[int] = []
    within = NearPairs.within

    def counted(self: NearPairs, images: Any) -> Any:
        pairs = within(self, images)
        counts.append(len(pairs.others))
        return pairs

    monkeypatch.setattr(NearPairs, "within", counted)
    return counts


@pytest.mark.parametrize("sizes", [LISTED[0], GROUPED[0], SOME], ids=["listed", "grouped", "some"])
@pytest.mark.parametrize("grid", [False, True])
def test_near_pairs_are_carried_to_other_weights_and_widths(
    sizes: gains.HerdingTuning, grid: bool, measured: list[int]
) -> None:
    rng = np.random.default_rng(2)
    x = rng.integers(0, 4, (90, 3)) / 3 if grid else rng.normal(size=(90, 3))
    order, carried = rng.permutation(90), Carried()
    labelled, excluded, references = order[:3], order[80:], order[:60]
    for width in (0.9, 0.7, 0.7, 0.3, 0.01):
        weights = rng.uniform(0.01, 1, size=90)
        settings = {"weights": weights, "excluded": excluded, "references": references}
        settings["tuning"] = sizes
        fresh = max_herding(x, labelled, 7, width, **settings)
        measured.clear()
        picks = max_herding(x, labelled, 7, width, carried=carried, **settings)
        assert picks.tolist() == fresh.tolist()
        assert not any(measured)
        labelled = np.concatenate([labelled, picks])
    assert measured  # the pairs were used


def test_a_later_round_of_max_herding_lists_the_pairs_of_the_first(measured: list[int]) -> None:
    x, carried = np.random.default_rng(1).normal(size=(150, 2)), Carried()
    labelled: list[int] = []
    listed: list[bool] = []
    for _ in range(4):
        fresh = max_herding(x, labelled, 5, 1.0).tolist()
        tuning = gains.HerdingTuning(900, tile_rows=13)
        assert max_herding(x, labelled, 5, 1.0, carried=carried, tuning=tuning).tolist() == fresh
        labelled += fresh
        [(_, cover)] = carried._kept.values()
        listed.append(cover.lists is not None)
    assert listed[0] is False and listed[-1] is True
    assert measured and not any(measured)


def test_pairs_that_an_earlier_round_did_not_need_are_measured(measured: list[int]) -> None:
    x = np.random.default_rng(3).normal(size=(80, 2))
    carried, even = Carried(), np.ones(80)
    some = np.where(np.arange(80) % 8 > 0, even, 0.0)

    def others(labelled: Any, width: float, weights: Any, rows: Any = x, excluded: Any = ()) -> int:
        settings = {"weights": weights, "excluded": excluded, "tuning": LISTED[0]}
        fresh = max_herding(rows, labelled, 5, width, **settings)
        measured.clear()
        picks = max_herding(rows, labelled, 5, width, carried=carried, **settings)
        assert picks.tolist() == fresh.tolist()
        return sum(measured) if measured else -1

    assert others([1, 2], 0.01, some, excluded=[30]) == -1  # the first round
    assert others([1, 2], 0.01, even, excluded=[30]) == 10  # they had no weight
    assert 40 < others([1, 2], 0.3, even, excluded=[30]) < 78  # farther than where kernels are 0
    assert others([1, 2, 5], 0.3, even, excluded=[30]) == 0
    assert 0 < others([1, 2], 0.3, even, excluded=[30]) < 78  # a label was taken back
    assert others([1, 2], 0.3, even) == 78  # 30 could not be picked
    assert others([1, 2], 0.3, even, x + np.eye(80, 2)) == -1  # other features


def test_a_round_without_any_weight_leaves_nothing_to_the_next() -> None:
    x = np.random.default_rng(6).normal(size=(30, 2))
    carried = Carried()
    for weights in (np.zeros(30), np.zeros(30), np.ones(30)):
        picks = max_herding(x, [3], 4, 0.9, weights=weights, carried=carried)
        assert picks.tolist() == max_herding(x, [3], 4, 0.9, weights=weights).tolist()


def test_too_many_near_pairs_are_not_kept() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(50, 3))
    metric, pool = metric_and_pool(Embedding.of(x), [0], [], 1)
    images = CoveredImages(metric, pool, np.ones(49), 1.0, LISTED[0])
    near = NearPairs(images, most=4)
    for count in (3, 2, 1):
        near.add(np.arange(count), np.arange(count), np.zeros(count))
    assert near.full and near.tile(images.quick, pool.unlabelled, np.arange(3)) is None
    assert len(near.within(images).others) == 49


@pytest.mark.parametrize("name", ["max_herding", "uherding", "prob_cover"])
@pytest.mark.parametrize("references", ["all", 50])
def test_rounds_of_a_strategy_keep_their_sample_and_widths(name: str, references: Any) -> None:
    rng = np.random.default_rng(3)
    x, p = Embedding.of(rng.normal(size=(200, 4))), rng.dirichlet([1, 1, 1], 200)
    strategy = create(name, {"references": references})
    labelled, carried = np.arange(4), Carried()
    once: list[Any] = []
    for seed in range(3):
        view = Snapshot(Pool(200, labelled), features=x, probabilities=p, carried=carried)
        picks = strategy.select(view, 6, np.random.default_rng(seed))
        assert len(np.intersect1d(picks, labelled)) == 0
        scores = strategy.scores(view, picks, np.random.default_rng(seed))  # type: ignore[attr-defined]
        assert (np.diff(scores) <= 1e-9).all()  # of the very sample that was covered
        labelled = np.concatenate([labelled, picks])
        once.append(picks)
    if references == "all" and name != "prob_cover":  # the radius begins with random means
        view = Snapshot(Pool(200, np.arange(4)), features=x, probabilities=p)
        assert strategy.select(view, 6, np.random.default_rng(9)).tolist() == once[0].tolist()


def test_select_carries_from_round_to_round(begun: list[str]) -> None:
    x = np.random.default_rng(5).normal(size=(80, 4))
    carried, labelled = Carried(), np.array([], int)
    for _ in range(3):
        labelled = np.concatenate(
            [labelled, select(x, 5, strategy="max_herding", labelled=labelled, carried=carried)]
        )
    assert begun == ["max_herding"]
    assert labelled.tolist() == select(x, 15, strategy="max_herding").tolist()
