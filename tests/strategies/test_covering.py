"""TypiClust, MaxHerding, UHerding and ProbCover as strategies."""

import warnings
from itertools import product, zip_longest
from typing import Any

import numpy as np
import pytest

from nextlabel import Embedding, FeatureSpace, Pool, Snapshot
from nextlabel.core.errors import DataError, UsageError
from nextlabel.core.progress import part_of_preparation, prepared, reporting_to
from nextlabel.kernels import reference
from nextlabel.kernels.coverage.bandwidth import closest_pair, neighbour_distance
from nextlabel.kernels.distance.exact import Metric
from nextlabel.kernels.k_means import k_means
from nextlabel.strategies import create
from nextlabel.strategies import references as sampling
from nextlabel.strategies.max_herding import MaxHerding
from nextlabel.strategies.prob_cover import ProbCover
from nextlabel.strategies.references import indicator, references
from nextlabel.strategies.typiclust import TypiClust, order_of
from nextlabel.strategies.uherding import UHerding
from nextlabel.testing import example
from refusals import refused

RNG = np.random.default_rng


def clouds(sizes: list[int]) -> np.ndarray:
    """Return rows of points about 0, 100, 200 …, the first of each in the middle."""
    steps = [np.arange(1, size + 1) // 2 * (-1.0) ** np.arange(size) for size in sizes]
    return np.concatenate([100 * i + own for i, own in enumerate(steps)])[:, None]


def seen(x: Any, labelled: Any = (), excluded: Any = (), **signals: Any) -> Snapshot:
    pool = Pool(len(x), np.array(labelled, int), np.array(excluded, int))
    return Snapshot(pool, features=Embedding.of(x), **signals)


def test_typiclust_takes_the_densest_image_of_each_cloud_the_largest_first() -> None:
    sizes = [9, 21, 15]
    x, firsts = clouds(sizes), np.cumsum([0, *sizes])[:3]
    assert TypiClust().select(seen(x), 3, RNG(0)).tolist() == firsts[[1, 2, 0]].tolist()


def test_typiclust_skips_the_clouds_that_have_a_label() -> None:
    sizes = [9, 21, 15]
    x, firsts = clouds(sizes), np.cumsum([0, *sizes])[:3]
    picks = TypiClust(max_clusters=3).select(seen(x, [firsts[1] + 5]), 2, RNG(0))
    assert picks.tolist() == firsts[[2, 0]].tolist()
    # Then the one with a label, then round again in the same order.
    picks = TypiClust(max_clusters=3).select(seen(x, [firsts[1] + 5]), 6, RNG(0))
    cloud = np.searchsorted(firsts, picks, side="right") - 1
    assert cloud.tolist() == [2, 0, 1, 2, 0, 1]
    assert picks[2] == firsts[1]


def test_typiclust_leaves_small_clouds_to_the_last() -> None:
    x = np.concatenate([clouds([6, 7]), [[300.0], [400.0], [400.1]]])
    picks = TypiClust(max_clusters=4).select(seen(x), 16, RNG(0))
    assert sorted(picks[:13].tolist()) == list(range(13))
    assert picks[13:].tolist() in (
        [14, 13, 15],
        [15, 13, 14],
        [14, 15, 13],
        [15, 14, 13],
        [14, 13, 15],
    )
    # An excluded image is not a neighbour, makes no cloud and is not picked.
    picks = TypiClust(max_clusters=4).select(seen(x, excluded=[13, 14, 15]), 13, RNG(0))
    assert sorted(picks.tolist()) == list(range(13))


def test_typiclust_is_the_inverse_mean_distance_to_the_neighbours_asked_for() -> None:
    x = np.array([[0.0], [0.1], [3], [3.2], [3.5], [3.9], [4.5]])
    assert TypiClust(1, 1).select(seen(x), 1, RNG(0)).tolist() == [0]
    assert TypiClust(1, 20).select(seen(x), 1, RNG(0)).tolist() == [3]


def test_order_is_by_labels_then_size_then_id() -> None:
    clusters = np.repeat([3, 0, 1, 2, 4], [5, 6, 4, 5, 9])
    labelled = np.zeros(29, bool)
    labelled[5] = True
    assert order_of(clusters, labelled) == ([4, 3, 2, 0], [1])


def test_max_herding_has_the_bandwidth_of_the_space_or_its_own() -> None:
    snapshot = example()
    pool, space = snapshot.pool, snapshot.features
    here = np.setdiff1d(np.arange(60), pool.excluded)
    for option, width in ((MaxHerding(), neighbour_distance(space, here)), (MaxHerding(0.7), 0.7)):
        expected = reference.max_herding(space, pool.labelled, 9, width, excluded=pool.excluded)
        assert option.select(snapshot, 9, RNG(0)).tolist() == expected.tolist()


@pytest.mark.parametrize("task", ["multiclass", "multilabel"])
def test_uherding_weighs_by_doubt(task: Any) -> None:
    snapshot = example(task)
    pool, space, p = snapshot.pool, snapshot.features, snapshot.probabilities
    best = np.sort(p, axis=1)
    doubt = 1 - best[:, -1] + best[:, -2] if task == "multiclass" else 1 - np.abs(2 * p - 1).mean(1)
    here = np.setdiff1d(np.arange(60), pool.excluded)
    widths = {"labelled": closest_pair(space, pool.labelled), 2.0: 2.0}
    widths["neighbour"] = neighbour_distance(space, here)
    for option, width in widths.items():
        expected = reference.max_herding(space, pool.labelled, 9, width, doubt, pool.excluded)
        assert UHerding(option).select(snapshot, 9, RNG(0)).tolist() == expected.tolist()


def test_uherding_of_even_doubt_is_max_herding() -> None:
    x, p = RNG(0).normal(size=(50, 3)), np.full((50, 4), 0.25)
    for labelled in ([], [7]):  # no two labelled: the neighbours' distance is used
        plain = MaxHerding().select(seen(x, labelled), 9, RNG(0)).tolist()
        assert UHerding().select(seen(x, labelled, probabilities=p), 9, RNG(0)).tolist() == plain


def test_uherding_picks_nothing_to_cover_what_is_certain() -> None:
    x = clouds([12, 7])
    p = np.array([[1.0, 0]] * 12 + [[0.5, 0.5]] * 7)
    assert UHerding("neighbour").select(seen(x, [3], probabilities=p), 1, RNG(0)).tolist() == [12]
    with refused(DataError, "probability-out-of-range", match="row 2"):
        UHerding().select(seen(x[:3], [0], probabilities=[[1.0, 0], [0, 1], [2, 0]]), 1, RNG(0))


def test_uherding_has_even_weights_while_nothing_is_labelled() -> None:
    x, p = RNG(0).normal(size=(50, 3)), RNG(1).dirichlet(np.ones(3), 50)
    plain = MaxHerding().select(seen(x), 9, RNG(0)).tolist()
    for signals in ({}, {"probabilities": p}):
        assert UHerding().select(seen(x, **signals), 9, RNG(0)).tolist() == plain
    assert UHerding().needs_now(Pool(50), 9) == {"features"}
    with refused(UsageError, "missing-signal"):
        UHerding().select(seen(x, [7]), 9, RNG(0))


def test_prob_cover_with_a_radius() -> None:
    snapshot = example()
    pool, space = snapshot.pool, snapshot.features
    expected = reference.ball_cover(space, pool.labelled, 9, 3.0, pool.excluded)
    assert ProbCover(radius=3.0).select(snapshot, 9, RNG(0)).tolist() == expected.tolist()


def test_prob_cover_finds_the_radius_of_the_clouds() -> None:
    """Three clouds as three clusters are pure up to the gap: a ball holds a whole cloud."""
    sizes = [9, 21, 15]
    x, firsts = clouds(sizes), np.cumsum([0, *sizes])
    picks = ProbCover(classes=3, purity=1.0).select(seen(x), 3, RNG(0))
    assert (np.searchsorted(firsts, picks, side="right") - 1).tolist() == [1, 2, 0]
    assert ProbCover().select(seen(x[:4]), 4, RNG(0)).shape == (4,)


@pytest.mark.parametrize(
    ("name", "options", "code", "message"),
    [
        (
            "max_herding",
            {"bandwidth": 0},
            "option-out-of-range",
            "bandwidth 0 must be 'neighbour' or a distance above 0",
        ),
        (
            "max_herding",
            {"bandwidth": "labelled"},
            "option-out-of-range",
            "bandwidth 'labelled' must be 'neighbour' or",
        ),
        (
            "uherding",
            {"bandwidth": float("inf")},
            "option-out-of-range",
            "bandwidth inf must be 'labelled' or 'neighbour' or a distance",
        ),
        ("uherding", {"bandwidth": True}, "option-out-of-range", "bandwidth True must be"),
        (
            "prob_cover",
            {"radius": -1.0},
            "option-out-of-range",
            "radius -1.0 must be a distance above 0; leave it out",
        ),
        (
            "prob_cover",
            {"classes": 1},
            "option-not-whole",
            "classes 1 must be a whole number of at least 2",
        ),
        (
            "prob_cover",
            {"purity": 1.5},
            "option-out-of-range",
            "purity 1.5 must be a share above 0 and up to 1",
        ),
        (
            "typiclust",
            {"max_clusters": 0},
            "option-not-whole",
            "max_clusters 0 must be a whole number of at least 1",
        ),
        (
            "typiclust",
            {"neighbours": 2.5},
            "option-not-whole",
            "neighbours 2.5 must be a whole number",
        ),
    ],
)
def test_senseless_options_are_refused(
    name: str, options: dict[str, Any], code: str, message: str
) -> None:
    with refused(UsageError, code, match=f"^{message}"):  # without words of `create` around it
        create(name, options)


@pytest.mark.parametrize("name", ["typiclust", "max_herding", "uherding", "prob_cover"])
def test_blocks_of_the_same_rows_are_the_rows(name: str) -> None:
    """A space of two halves picks what their concatenation picks, at any scale."""
    x = RNG(5).normal(size=(90, 6))
    p = RNG(6).dirichlet(np.ones(3), 90)
    halves = FeatureSpace({"a": 1.0, "b": 1.0}, "none").embed({"a": x[:, :3], "b": x[:, 3:]})
    pool = Pool(90, np.arange(4))
    chosen = [
        create(name).select(Snapshot(pool, features=space, probabilities=p), 12, RNG(0)).tolist()
        for space in (halves, Embedding.of(x), Embedding.of(x * 1e-120))
    ]
    assert chosen[0] == chosen[1] == chosen[2]


@pytest.mark.parametrize("name", ["typiclust", "max_herding", "uherding", "prob_cover"])
def test_images_that_are_all_the_same_come_by_id(name: str) -> None:
    snapshot = seen(np.ones((9, 2)), [0], probabilities=np.full((9, 2), 0.5))
    with pytest.warns(UserWarning, match="the features of all 9 images are the same"):
        assert create(name).select(snapshot, 3, RNG(0)).tolist() == [1, 2, 3]


@pytest.mark.parametrize("name", ["max_herding", "uherding", "prob_cover"])
def test_a_sample_stands_for_a_large_pool(name: str) -> None:
    rng = RNG(0)
    x, labelled = rng.normal(size=(400, 3)), [7, 8]
    view = seen(x, labelled, probabilities=np.full((400, 2), 0.5))
    options = {"references": 60} | ({"radius": 1.0} if name == "prob_cover" else {"bandwidth": 1.0})
    picks = create(name, options).select(view, 5, RNG(1))
    covered = references(view.pool, 60, RNG(1))
    assert covered is not None and len(covered) == 60
    assert not np.isin(covered, labelled).any()
    if name == "prob_cover":
        plain = reference.ball_cover(x, labelled, 5, 1.0, references=covered)
    else:
        plain = reference.max_herding(x, labelled, 5, 1.0, indicator(covered, 400))
    assert picks.tolist() == plain.tolist()
    assert not np.isin(picks, covered).all()  # any image may be picked
    scores = create(name, options).scores(view, picks, RNG(1))
    assert (np.diff(scores) <= 1e-9).all() and scores[0] <= 60


def test_references_are_all_of_a_small_pool_and_a_sample_of_a_large_one() -> None:
    assert references(Pool(20_000, np.array([], int)), "auto", RNG(0)) is None
    large = Pool(20_001, np.array([], int))
    sample = references(large, "auto", RNG(0))
    assert sample is not None and len(np.unique(sample)) == 10_000
    np.testing.assert_array_equal(sample, references(large, "auto", RNG(0)))
    assert references(large, "all", RNG(0)) is None
    with pytest.warns(UserWarning, match="references 30000"):
        assert references(large, 30_000, RNG(0)) is None


@pytest.mark.parametrize("count", [0, -1, 2.5, "some", True])
def test_other_references_are_refused(count: Any) -> None:
    with refused(UsageError, "option-not-whole"):
        MaxHerding(references=count)


@pytest.mark.parametrize("name", ["max_herding", "uherding", "prob_cover"])
def test_a_choice_of_minutes_is_announced_with_what_a_sample_takes(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pace of the machine is pretended, and the work is stopped at its start."""

    class StoppedError(Exception):
        pass

    def stop(share: float) -> None:
        raise StoppedError

    size = 40_000
    once = name == "prob_cover"  # it measures each pair once
    whole, sample = ("27 minutes", "7 minutes") if once else ("1 hour", "20 minutes")
    rng = np.random.default_rng(0)
    x, p = Embedding.of(rng.normal(size=(size, 2))), rng.dirichlet([1, 1], size)
    options: dict[str, Any] = {"radius": 0.1} if name == "prob_cover" else {"bandwidth": 0.5}
    for pace, count in product((1e-12, 1e-6), ("all", "auto")):
        monkeypatch.setattr(sampling, "pair_seconds", lambda columns, pace=pace: pace)
        strategy = create(name, {"references": count, **options})
        with (
            warnings.catch_warnings(record=True) as raised,
            pytest.raises(StoppedError),
            reporting_to(None, stop),
        ):
            warnings.simplefilter("always")
            strategy.select(
                Snapshot(Pool(size, [0, 1]), features=x, probabilities=p),
                1,
                np.random.default_rng(0),
            )
        said = [str(warning.message) for warning in raised]
        if pace < 1e-6:
            assert not said
        elif count == "all":
            assert f"39,998 images by 39,998 candidates takes about {whole};" in said[0]
            assert f"references=10000 takes about {sample}" in said[0]
        else:
            assert f"10,000 images by 39,998 candidates takes about {sample}" in said[0]


@pytest.mark.parametrize("name", ["typiclust", "prob_cover"])
def test_the_work_before_the_first_pick_is_reported_as_shares_that_only_rise(name: str) -> None:
    x = Embedding.of(np.random.default_rng(0).normal(size=(3000, 4)))
    shares: list[float] = []
    counts: list[int] = []
    with reporting_to(lambda done, budget: counts.append(done), shares.append):
        create(name).select(Snapshot(Pool(3000), features=x), 80, RNG(0))
    assert counts == list(range(1, 81))
    first = shares[: shares.index(1) + 1]  # later covers of the pool report again
    assert first == sorted(first)
    assert len(np.unique(first)) > 3 and first[0] < 0.1 and first[-1] == 1


def test_a_part_of_the_work_takes_a_part_of_the_shares() -> None:
    with part_of_preparation(0.2, 0.4):
        prepared(0.5)
    shares: list[float] = []
    with reporting_to(None, shares.append), part_of_preparation(0.2, 0.4):
        prepared(0.5)
    assert shares == pytest.approx([0.3])


@pytest.mark.parametrize("budget", [5, 95])
def test_typiclust_goes_round_its_clusters_by_typicality(budget: int) -> None:
    """By the definition, on a grid with equal distances and copies, with labels in the clusters."""
    x = np.round(RNG(0).normal(size=(120, 2)) * 3)
    labelled, ids = np.arange(0, 75, 3), np.arange(120)
    picks = TypiClust(max_clusters=6, neighbours=3).select(seen(x, labelled), budget, RNG(5))
    clusters = k_means(Metric(Embedding.of(x)), ids, 6, RNG(5))
    large, small = order_of(clusters, np.isin(ids, labelled))
    expected: list[int] = []
    for names in (large, small):
        queues = []
        for name in names:
            members = np.flatnonzero(clusters == name)
            apart = ((x[members, None] - x[members]) ** 2).sum(axis=2)
            nearest = np.sort(apart, axis=1)[:, 1:4]  # without itself
            means = np.sqrt(nearest).sum(axis=1) / max(1, nearest.shape[1])
            ranked = members[np.argsort(means, kind="stable")]
            queues.append([i for i in ranked.tolist() if i not in labelled])
        expected += [i for turn in zip_longest(*queues) for i in turn if i is not None]
    assert picks.tolist() == expected[:budget]
