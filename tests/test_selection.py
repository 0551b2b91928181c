from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextlabel import CoreSet, FeatureSpace, NextlabelError, Pool, Seeds, Snapshot, select
from nextlabel.core.errors import AlreadyLabelled, BudgetError, DataError, UnknownId, UsageError

X = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)
V = np.random.default_rng(1).normal(size=(40, 3))
P = np.random.default_rng(2).dirichlet(np.ones(4), 40)


def test_it_is_the_strategy_on_the_space() -> None:
    space = FeatureSpace({"task": 1.0, "vae": 0.5}).embed({"task": X, "vae": V})
    expected = CoreSet().select(
        Snapshot(Pool(40, np.arange(5)), features=space), 7, np.random.default_rng(0)
    )
    chosen = select({"task": X, "vae": V}, weights={"vae": 0.5}, labelled=range(5), budget=7)
    np.testing.assert_array_equal(chosen, expected)
    assert chosen.dtype == np.int64


def test_an_array_a_map_a_tensor_and_lists_give_the_same(tmp_path: Path) -> None:
    import torch

    np.save(tmp_path / "x.npy", X)
    expected = select(X, budget=9).tolist()
    for given_ in (np.load(tmp_path / "x.npy", mmap_mode="r"), torch.tensor(X), X.tolist()):
        assert select(given_, budget=9).tolist() == expected
    assert select(X, budget=9, labelled=torch.arange(3)).tolist() == (
        select(X, budget=9, labelled=[0, 1, 2]).tolist()
    )


def test_a_weight_of_zero_is_the_baseline() -> None:
    both = {"task": X, "vae": V}
    np.testing.assert_array_equal(
        select(both, weights={"vae": 0}, budget=9), select({"task": X}, budget=9)
    )


def test_random_comes_from_the_seed() -> None:
    first = select(X, budget=9, strategy="random", seed=3)
    np.testing.assert_array_equal(first, select(X, budget=9, strategy="random", seed=3))
    assert first.tolist() != select(X, budget=9, strategy="random", seed=4).tolist()
    expected = Seeds(3).rng("select", 1).permutation(40)[:9]
    np.testing.assert_array_equal(first, expected)


def test_probabilities_are_enough_for_uncertainty() -> None:
    top = int(np.argmin(P.max(axis=1)))
    assert select(probabilities=P, budget=1, strategy="least_confidence").tolist() == [top]
    assert len(select(X, probabilities=P, budget=3, strategy="medal", options={"entropy_top": 8}))
    findings = np.random.default_rng(3).uniform(size=(40, 3))
    chosen = select(probabilities=findings, budget=1, strategy="margin", task="multilabel")
    assert chosen[0] == np.abs(2 * findings - 1).mean(axis=1).argmin()


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"features": X, "budget": 41}, BudgetError, "budget 41 exceeds the 40 unlabelled"),
        ({"features": X, "budget": -1}, BudgetError, "negative"),
        ({"features": X, "budget": 1, "labelled": [40]}, UnknownId, "id 40 is outside"),
        ({"features": X, "budget": 1, "labelled": [-1]}, UnknownId, "id -1 is outside"),
        ({"features": X, "budget": 1, "labelled": [3, 3]}, AlreadyLabelled, "id 3 stands 2 times"),
        ({"features": X, "budget": 1, "labelled": [3], "excluded": [3]}, AlreadyLabelled, "id 3"),
        ({"features": X, "budget": 1, "labelled": [0.5]}, UsageError, "whole numbers, not 0.5"),
        ({"features": X, "budget": 1, "labelled": ["a"]}, UsageError, "whole numbers"),
        ({"features": X, "budget": 1, "excluded": [True] * 40}, UsageError, "flatnonzero"),
        ({"budget": 1}, UsageError, "the number of images is not known"),
        ({"features": X[:0], "budget": 0}, UsageError, "the pool is empty"),
        ({"features": 3.0, "budget": 1}, DataError, "single value"),
        ({"features": X[:, 0], "budget": 1}, DataError, r"shape \(40,\)"),
        ({"features": [["a"]], "budget": 1}, DataError, "give real numbers"),
        ({"features": {"a": X, "b": V[:39]}, "budget": 1}, DataError, "'b' has 39 rows but 'a'"),
        ({"features": X, "probabilities": P[:9], "budget": 1}, DataError, "has 9 rows but"),
        ({"features": X, "budget": 1, "strategy": "coreset"}, UsageError, "mean 'core_set'"),
        ({"features": X, "budget": 1, "strategy": "margin"}, UsageError, "needs probabilities"),
        ({"probabilities": P, "budget": 1}, UsageError, "'core_set' needs features"),
        ({"features": {"vae": X}, "weights": {"vea": 1}, "budget": 1}, UsageError, "mean 'vae'"),
        ({"features": {"vae": X}, "weights": {"vae": 0}, "budget": 1}, UsageError, "weight 0"),
        ({"features": X, "scale": "rsm", "budget": 1}, UsageError, "scale 'rsm'.*'rms'"),
        ({"features": X, "seed": -1, "budget": 1}, UsageError, "seed -1"),
        ({"probabilities": P / 2, "strategy": "entropy", "budget": 1}, DataError, "row 0"),
        ({"probabilities": P[:, :1], "strategy": "entropy", "budget": 1}, DataError, "one class"),
        ({"probabilities": [["a"]], "strategy": "entropy", "budget": 1}, DataError, "hold <U1"),
        ({"features": X, "options": {"alpha": 1}, "budget": 1}, UsageError, "no option 'alpha'"),
    ],
)
def test_bad_input_gets_one_clear_sentence(arguments, kind, message) -> None:
    with pytest.raises(kind, match=message):
        select(**arguments)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@given(row=st.integers(0, 39))
def test_what_is_not_finite_is_named_by_row(bad: float, row: int) -> None:
    broken = X.copy()
    broken[row, 1] = bad
    with pytest.raises(DataError, match=f"block 'vae' is not finite in row {row};"):
        select({"task": X, "vae": broken}, budget=1)
    p = P.copy()
    p[row, 0] = bad
    with pytest.raises(DataError, match=f"row {row}"):
        select(probabilities=p, strategy="entropy", budget=1)


@given(
    labelled=st.lists(st.integers(-3, 14), max_size=6),
    excluded=st.lists(st.integers(-3, 14), max_size=6),
    budget=st.integers(-2, 16),
    strategy=st.sampled_from(["core_set", "medal", "random", "entropy", "margin", "bald"]),
)
def test_any_ids_and_budget_give_picks_or_a_nextlabel_error(
    labelled, excluded, budget, strategy
) -> None:
    both = labelled + excluded
    sound = len(set(both)) == len(both) and all(0 <= i < 12 for i in both)
    fits = sound and 0 <= budget <= 12 - len(both) and strategy != "bald"
    arguments = {"probabilities": P[:12], "labelled": labelled, "excluded": excluded}
    if not fits:
        with pytest.raises(NextlabelError):
            select(X[:12], budget=budget, strategy=strategy, **arguments)
        return
    chosen = select(X[:12], budget=budget, strategy=strategy, **arguments)
    assert len(set(chosen.tolist()) - set(both)) == budget


def test_a_block_that_does_not_vary_warns_and_gives_the_smallest_ids() -> None:
    with pytest.warns(UserWarning, match="the same"):
        assert select(np.ones((9, 2)), budget=3, labelled=[1]).tolist() == [0, 2, 3]
