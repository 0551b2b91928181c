from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from nextlabel import (
    CoreSet,
    Entropy,
    LeastConfidence,
    Margin,
    MedAL,
    Pool,
    Random,
    Snapshot,
    strategies,
)
from nextlabel.core.errors import BudgetError, DataError, UsageError
from nextlabel.core.space.embedding import Embedding
from nextlabel.kernels import reference
from nextlabel.strategies import STRATEGIES, create
from nextlabel.testing import example, tasks_of
from refusals import refused

RNG = np.random.default_rng


def snapshot(probabilities, task="multiclass", labelled=(), excluded=()) -> Snapshot:
    pool = Pool(len(probabilities), np.array(labelled, int), np.array(excluded, int))
    return Snapshot(pool, task, probabilities=np.array(probabilities))


def test_uncertainty_on_three_classes() -> None:
    seen = snapshot(
        [[0.5, 0.5, 0], [0.6, 0.2, 0.2], [0.4, 0.3, 0.3], [0.4, 0.35, 0.25], [0.4, 0.3, 0.3]]
    )
    assert Entropy().select(seen, 5, RNG(0)).tolist() == [2, 4, 3, 1, 0]
    assert Margin().select(seen, 5, RNG(0)).tolist() == [0, 3, 2, 4, 1]
    assert LeastConfidence().select(seen, 5, RNG(0)).tolist() == [2, 3, 4, 0, 1]


def test_uncertainty_on_findings() -> None:
    seen = snapshot([[0.9, 0.9], [0.5, 1.0], [0.6, 0.4], [0.4, 0.4]], "multilabel")
    assert Margin().select(seen, 4, RNG(0)).tolist() == [2, 3, 1, 0]
    assert LeastConfidence().select(seen, 4, RNG(0)).tolist() == [2, 3, 1, 0]
    assert Entropy().select(seen, 4, RNG(0)).tolist() == [2, 3, 1, 0]


@pytest.mark.parametrize("strategy", [Entropy(), Margin(), LeastConfidence()])
def test_ids_are_those_of_the_data_set_not_positions_in_the_pool(strategy) -> None:
    p = np.full((6, 2), [0.9, 0.1])
    p[4] = 0.5
    p[1] = 0.5
    seen = snapshot(p, labelled=[1, 0], excluded=[2])
    assert strategy.select(seen, 3, RNG(0)).tolist() == [4, 3, 5]


def test_random_draws_without_replacement_and_every_image_alike() -> None:
    pool = Pool(10, np.array([0]), np.array([9]))
    counts = np.zeros(10, int)
    rng = RNG(1)
    for _ in range(2000):
        picks = Random().select(Snapshot(pool), 4, rng)
        assert len(set(picks.tolist())) == 4
        counts[picks] += 1
    assert counts[0] == counts[9] == 0
    assert abs(counts[1:9] - 1000).max() < 120  # 5 standard deviations of a fair draw


def test_distances_use_the_pool_and_its_excluded() -> None:
    seen = example(labelled=12, excluded=5)
    pool = seen.pool
    assert (
        CoreSet().select(seen, 9, RNG(0)).tolist()
        == reference.farthest_first(seen.features, pool.labelled, 9, pool.excluded).tolist()
    )
    assert (
        MedAL().select(seen, 9, RNG(0)).tolist()
        == reference.farthest_from_mean(seen.features, pool.labelled, 9, pool.excluded).tolist()
    )


def test_medal_narrows_to_the_most_entropic() -> None:
    seen = example()
    entropic = Entropy().select(seen, 15, RNG(0))
    chosen = MedAL(entropy_top=15).select(seen, 6, RNG(0))
    assert set(chosen.tolist()) <= set(entropic.tolist())
    others = np.setdiff1d(np.arange(seen.pool.size), np.append(entropic, seen.pool.labelled))
    expected = reference.farthest_from_mean(seen.features, seen.pool.labelled, 6, others)
    assert chosen.tolist() == expected.tolist() != MedAL().select(seen, 6, RNG(0)).tolist()
    # Never fewer candidates than asked for, and all of them when there are fewer than that.
    assert set(MedAL(entropy_top=2).select(seen, 15, RNG(0)).tolist()) == set(entropic.tolist())
    np.testing.assert_array_equal(
        MedAL(entropy_top=999).select(seen, 9, RNG(0)), MedAL().select(seen, 9, RNG(0))
    )


def test_needs_follow_the_hyper_parameters() -> None:
    assert MedAL().needs == {"features"}
    assert MedAL(entropy_top=3).needs == {"features", "probabilities"}
    assert Random().needs == frozenset()


@pytest.mark.parametrize("top", [0, -3, 1.5, "many", True])
def test_medal_refuses_a_senseless_entropy_top(top) -> None:
    with refused(UsageError, "option-not-whole", match=r"entropy_top .* at least 1"):
        MedAL(entropy_top=top)


@pytest.mark.parametrize("name", list(STRATEGIES))
def test_a_missing_signal_is_named(name) -> None:
    strategy = create(name)
    full = example(tasks_of(strategy)[0], needs=strategy.needs)
    for signal in strategy.needs:
        others = {other: full.signals[other] for other in strategy.needs - {signal}}
        with refused(UsageError, "missing-signal", match=f"needs {signal}"):
            strategy.select(Snapshot(full.pool, full.task, signals=others), 9, RNG(0))


@pytest.mark.parametrize("name", list(STRATEGIES))
def test_the_budget_is_checked_before_anything_else(name) -> None:
    with refused(BudgetError, "budget-too-large"):
        create(name).select(example(), 100, RNG(0))


def test_bad_probabilities_are_named_by_row() -> None:
    with refused(DataError, "probability-out-of-range", match="row 1"):
        Entropy().select(snapshot([[0.5, 0.5], [3.0, -2.0]]), 1, RNG(0))
    with refused(DataError, "probabilities-do-not-sum-to-one", match="row 0"):
        MedAL(entropy_top=1).select(
            Snapshot(
                Pool(2), features=Embedding.of([[0.0], [1.0]]), probabilities=[[0.1, 0.1]] * 2
            ),
            1,
            RNG(0),
        )


def test_unknown_names_and_options_come_with_the_nearest() -> None:
    with refused(UsageError, "unknown-name"):
        create("coreset")
    with refused(UsageError, "unknown-option"):
        create("medal", {"entropy_tops": 3})
    with refused(UsageError, "unknown-option", match="'random' has no option 'seed'; it has none"):
        create("random", {"seed": 3})
    assert create("medal", {"entropy_top": 3}) == MedAL(3)


@pytest.mark.parametrize(
    ("name", "option", "value", "stored"),
    [
        ("typiclust", "neighbours", np.int64(3), 3),
        ("medal", "entropy_top", np.int32(5), 5),
        ("predicted_loss", "sub_pool", np.uint8(7), 7),
        ("max_herding", "bandwidth", np.float32(1.5), 1.5),
        ("uherding", "bandwidth", np.int64(2), 2.0),
        ("prob_cover", "radius", np.float64(0.5), 0.5),
        ("prob_cover", "classes", np.int16(4), 4),
    ],
)
def test_numpy_numbers_are_options_and_become_python_numbers(name, option, value, stored) -> None:
    made = getattr(create(name, {option: value}), option)
    assert made == stored and type(made) is type(stored)


@pytest.mark.parametrize(
    ("name", "options", "code"),
    [
        ("typiclust", {"neighbours": np.float64(3)}, "option-not-whole"),
        ("typiclust", {"neighbours": np.bool_(True)}, "option-not-whole"),
        ("max_herding", {"bandwidth": np.float32("inf")}, "option-out-of-range"),
        ("max_herding", {"bandwidth": "labelled"}, "option-out-of-range"),
        ("prob_cover", {"purity": np.float64(1.5)}, "option-out-of-range"),
        ("core_set", {"radius": 1}, "unknown-option"),
        ("coreset", None, "unknown-name"),
        (["margin"], None, "unknown-name"),
        ("random", {"then": {"after": 3, "strategy": {"name": "margin"}}}, "unknown-name"),
        ("bait", {"ridge": 10**400}, "option-out-of-range"),
    ],
)
def test_senseless_options_are_refused(name, options, code) -> None:
    with refused(UsageError, code):
        create(name, options)


def test_a_refused_option_states_name_value_limit_and_remedy() -> None:
    with refused(UsageError, "option-out-of-range") as caught:
        create("prob_cover", {"purity": 2})
    assert str(caught.value) == (
        "purity 2 must be a share above 0 and up to 1; leave it out for 0.95"
    )


def test_every_strategy_can_be_imported_from_the_package() -> None:
    classes = {STRATEGIES[name].__name__ for name in STRATEGIES}
    assert classes == set(strategies.__all__) - {"STRATEGIES", "create", "register"}
    for name in classes:
        assert getattr(strategies, name).__name__ == name
    assert not hasattr(strategies, "Nothing")


@pytest.fixture
def powered(monkeypatch) -> None:
    @dataclass(frozen=True)
    class Powered(Random):
        power: float = 1.0
        count: int = 1
        deep: bool = False
        top: int | None = None
        mode: str = "a"
        weights: Sequence[float] = ()

    monkeypatch.setitem(STRATEGIES._things, "powered", Powered)


@pytest.mark.parametrize(
    ("option", "wrong", "words", "right"),
    [
        ("power", "a", "a number", np.int64(2)),
        ("power", True, "a number", 0.5),
        ("count", 1.5, "a whole number", np.uint8(3)),
        ("deep", 1, "true or false", np.bool_(True)),
        ("top", "many", "a whole number or None", None),
        ("mode", 3, "text", "b"),
    ],
)
def test_an_option_has_the_type_of_its_field(powered, option, wrong, words, right) -> None:
    says = f"'powered': option {option} {wrong!r} must be {words}; "
    with refused(UsageError, "option-of-another-type", match=says):
        create("powered", {option: wrong})
    assert getattr(create("powered", {option: right}), option) == right


def test_other_types_are_left_to_the_strategy(powered) -> None:
    assert create("powered", {"weights": "any"}).weights == "any"


def test_options_are_a_mapping_of_names() -> None:
    with refused(UsageError, "options-not-a-mapping"):
        create("medal", "x")
    with refused(UsageError, "unknown-option", match="has no option 3"):
        create("medal", {3: 1})
