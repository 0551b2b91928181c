from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

from nextlabel import CoreSet, FeatureSpace, NextlabelError, Pool, Seeds, Snapshot, select
from nextlabel.core.errors import AlreadyLabelled, BudgetError, DataError, UnknownId, UsageError
from nextlabel.features.embedding_file import EmbeddingFile
from nextlabel.selection.inputs import class_probabilities
from nextlabel.strategies import create
from nextlabel.strategies.bald import Bald
from nextlabel.strategies.typiclust import TypiClust
from refusals import refused

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


@pytest.mark.parametrize("shape", [(40,), (40, 1)])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_one_column_is_the_probability_of_the_second_of_two_classes(shape, kind) -> None:
    p = np.random.default_rng(3).uniform(size=shape).astype(kind)
    both = np.column_stack([1 - p.astype(float), p])
    for strategy in ("entropy", "margin"):
        expected = select(probabilities=both, budget=9, strategy=strategy)
        chosen = select(probabilities=p, budget=9, strategy=strategy)
        np.testing.assert_array_equal(chosen, expected)
        chosen = select(probabilities=p, budget=9, strategy=strategy, task="multilabel")
        finding = p.reshape(40, 1)
        expected = select(probabilities=finding, budget=9, strategy=strategy, task="multilabel")
        np.testing.assert_array_equal(chosen, expected)
    for task, columns in (("multiclass", 2), ("multilabel", 1)):
        made = class_probabilities(p, task)
        assert made.shape == (40, columns)
        np.testing.assert_allclose(made.sum(axis=1), 1 if columns == 2 else p.ravel(), rtol=1e-15)
    with refused(DataError, "probability-out-of-range", match="row 7"):
        p[7] = -0.1
        select(probabilities=p, budget=1, strategy="entropy")


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"features": X, "budget": 41}, BudgetError, "budget 41 exceeds the 40 unlabelled"),
        ({"features": X, "budget": -1}, BudgetError, "negative"),
        ({"features": X, "budget": 1, "labelled": [40]}, UnknownId, "id 40 is outside"),
        ({"features": X, "budget": 1, "labelled": [-1]}, UnknownId, "id -1 is outside"),
        ({"features": X, "budget": 1, "labelled": [3, 3]}, AlreadyLabelled, "id 3 is listed"),
        ({"features": X, "budget": 1, "labelled": [3], "excluded": [3]}, AlreadyLabelled, "id 3"),
        ({"features": X, "budget": 1, "labelled": [0.5]}, UsageError, "whole numbers, not 0.5"),
        ({"features": X, "budget": 1, "labelled": ["a"]}, UsageError, "whole numbers"),
        ({"budget": 1}, UsageError, "the number of images is not known"),
        ({"features": X[:0], "budget": 0}, UsageError, "the pool is empty"),
        ({"features": 3.0, "budget": 1}, DataError, "single value"),
        ({"features": X[:, 0], "budget": 1}, DataError, r"shape \(40,\)"),
        ({"features": [["a"]], "budget": 1}, DataError, "give real numbers"),
        ({"features": {"a": X, "b": V[:39]}, "budget": 1}, DataError, "'b' has 39 rows but 'a'"),
        ({"features": X, "probabilities": P[:9], "budget": 1}, DataError, "has 9 rows but"),
        ({"features": X, "budget": 1, "strategy": "corr_set"}, UsageError, "mean 'core_set'"),
        ({"features": X, "budget": 1, "strategy": "margin"}, UsageError, "needs probabilities"),
        ({"probabilities": P, "budget": 1}, UsageError, "'core_set' needs features"),
        ({"features": {"vae": X}, "weights": {"vea": 1}, "budget": 1}, UsageError, "mean 'vae'"),
        ({"features": {"vae": X}, "weights": {"vae": 0}, "budget": 1}, UsageError, "weight 0"),
        ({"features": X, "scale": "rsm", "budget": 1}, UsageError, "scale 'rsm'.*rms"),
        ({"features": X, "seed": -1, "budget": 1}, UsageError, "seed -1"),
        ({"probabilities": P / 2, "strategy": "entropy", "budget": 1}, DataError, "row 0"),
        ({"probabilities": P[:, :0], "strategy": "entropy", "budget": 1}, DataError, "one class"),
        ({"probabilities": P[:, 0] * 99, "strategy": "entropy", "budget": 1}, DataError, "row 0"),
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
    with refused(DataError, "not-finite", match=f"block 'vae'.* row {row};"):
        select({"task": X, "vae": broken}, budget=1)
    p = P.copy()
    p[row, 0] = bad
    with refused(DataError, "not-finite", match=f"row {row}"):
        select(probabilities=p, strategy="entropy", budget=1)


@given(
    labelled=st.lists(st.integers(-3, 14), max_size=6),
    excluded=st.lists(st.integers(-3, 14), max_size=6),
    budget=st.integers(-2, 16),
    strategy=st.sampled_from(["core_set", "medal", "random", "entropy", "margin", "batchbald"]),
)
def test_any_ids_and_budget_give_picks_or_a_nextlabel_error(
    labelled, excluded, budget, strategy
) -> None:
    both = labelled + excluded
    sound = len(set(both)) == len(both) and all(0 <= i < 12 for i in both)
    fits = sound and 0 <= budget <= 12 - len(both) and strategy != "batchbald"
    arguments = {"probabilities": P[:12], "labelled": labelled, "excluded": excluded}
    if not fits:
        with pytest.raises(NextlabelError):
            select(X[:12], budget=budget, strategy=strategy, **arguments)
        return
    chosen = select(X[:12], budget=budget, strategy=strategy, **arguments)
    assert len(set(chosen.tolist()) - set(both)) == budget


def test_a_block_that_does_not_vary_warns_and_gives_the_smallest_id() -> None:
    with pytest.warns(UserWarning, match="the same|1 of 3 images"):
        assert select(np.ones((9, 2)), budget=3, excluded=[0]).tolist() == [1]


EXPECTED = select(X, 5, labelled=[2, 7, 30]).tolist()


@pytest.mark.parametrize(
    "labelled",
    [
        {30, 2, 7},
        frozenset({2, 7, 30}),
        (i for i in (2, 7, 30)),
        {2: "cat", 7: "dog", 30: "cat"}.keys(),
        np.isin(np.arange(40), [2, 7, 30]),
        [i in (2, 7, 30) for i in range(40)],
        np.where(np.isin(np.arange(40), [2, 7, 30]), 1.5, np.nan),
        pd.Series([2, 7, 30]),
        np.array([2, 7, 30], np.uint8),
    ],
    ids=lambda values: type(values).__name__,
)
def test_labelled_ids_may_be_any_collection_or_a_mask(labelled) -> None:
    assert select(X, 5, labelled=labelled).tolist() == EXPECTED


def test_excluded_may_be_a_mask_and_nothing_may_be_none() -> None:
    mask = np.zeros(40, bool)
    mask[EXPECTED[0]] = True
    assert EXPECTED[0] not in select(X, 30, labelled=[2, 7, 30], excluded=mask)
    assert select(X, 5, labelled=None, excluded=None).tolist() == select(X, 5).tolist()
    assert select(X, 5, strategy=None).tolist() == select(X, 5, strategy="core_set").tolist()


def test_a_set_counts_as_labelled_in_ascending_order() -> None:
    ids = {33, 8, 21, 0, 16}
    first = select(X, 9, strategy="medal", probabilities=P, labelled=ids)
    again = select(X, 9, strategy="medal", probabilities=P, labelled=sorted(ids))
    np.testing.assert_array_equal(first, again)


def test_a_strategy_may_be_an_object_a_class_or_another_name() -> None:
    options = {"neighbours": np.int64(3)}
    expected = select(X, 5, strategy="typiclust", options={"neighbours": 3}).tolist()
    assert select(X, 5, strategy=TypiClust(neighbours=3)).tolist() == expected
    assert select(X, 5, strategy=TypiClust, options=options).tolist() == expected
    for name in ("core-set", "coreset", "k-center", "Core_Set", "k_centre"):
        assert select(X, 5, strategy=name).tolist() == select(X, 5).tolist()


def table(index) -> pd.DataFrame:
    return pd.DataFrame(X, index=index)


@pytest.mark.parametrize(
    "index",
    [
        [f"image {i}" for i in range(40)],
        list(range(100, 140)),
        pd.date_range("2026-01-01", periods=40),
        [(i // 5, i % 5) for i in range(40)],
    ],
    ids=["text", "numbers", "dates", "pairs"],
)
def test_a_table_has_its_index_labels_in_and_out(index) -> None:
    labels = pd.Index(index).tolist()
    chosen = select(table(index), 5, labelled=[labels[i] for i in (2, 7, 30)])
    assert pd.Index(chosen).tolist() == [labels[i] for i in EXPECTED]
    np.testing.assert_array_equal(table(index).loc[list(chosen)].to_numpy(), X[EXPECTED])
    mask = table(index).index.isin([labels[i] for i in (2, 7, 30)])
    assert pd.Index(select(table(index), 5, labelled=mask)).tolist() == pd.Index(chosen).tolist()
    y = pd.Series(np.where(mask, 1, np.nan), table(index).index)[::-1]
    for labelled in (y, y.astype("Int64"), y.astype(object).where(y.notna(), None)):
        picks = select(table(index), 5, labelled=labelled)
        assert pd.Index(picks).tolist() == pd.Index(chosen).tolist()
    with refused(UnknownId, "unknown-label"):
        select(table(index), 5, labelled=y.map({1.0: True}))


def test_a_series_of_vectors_is_a_table() -> None:
    series = pd.Series(list(X), index=[f"image {i}" for i in range(40)])
    chosen = select(series, 5, labelled=["image 2", "image 7", "image 30"])
    assert chosen.tolist() == [f"image {i}" for i in EXPECTED]


def test_a_path_is_read_and_its_names_are_the_labels(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "p.npy", P)
    assert select(tmp_path / "x.npy", 5, labelled=[2, 7, 30]).tolist() == EXPECTED
    assert select(str(tmp_path / "x.npy"), 5, labelled=[2, 7, 30]).tolist() == EXPECTED
    chosen = select(probabilities=tmp_path / "p.npy", budget=5, strategy="margin")
    assert chosen.tolist() == select(probabilities=P, budget=5, strategy="margin").tolist()
    names = tuple(f"{i:02}.png" for i in range(40))
    part = np.repeat(["train", "test"], [39, 1])
    EmbeddingFile(X, names, part).save(tmp_path / "x.npz")
    picked = select({"a": tmp_path / "x.npz"}, 36, labelled=["02.png", "07.png", "30.png"])
    assert sorted(picked) == [n for i, n in enumerate(names[:39]) if i not in (2, 7, 30)]


@pytest.mark.parametrize(
    ("arguments", "kind", "code"),
    [
        ({"features": X, "labelled": [True] * 39}, UsageError, "mask-of-another-length"),
        ({"features": X, "labelled": "0, 1"}, UsageError, "ids-are-text"),
        ({"features": np.ma.masked_greater(X, 0)}, DataError, "masked-values"),
        ({"features": list(np.ma.masked_greater(X, 0))}, DataError, "masked-values"),
        ({"features": X, "labelled": np.ma.masked_equal([1, 2], 2)}, DataError, "masked-values"),
        ({"features": scipy.sparse.csr_matrix(X)}, DataError, "sparse-matrix"),
        ({"features": [X, X]}, DataError, "list-of-arrays"),
        ({"features": [X, V]}, DataError, "list-of-arrays"),
        ({"features": X, "options": "radius=2"}, UsageError, "options-not-a-mapping"),
        ({"features": X, "weights": [1]}, UsageError, "weights-not-a-mapping"),
        ({"features": X, "weights": {7: 1}}, UsageError, "unknown-block"),
        ({"features": X, "strategy": 7}, UsageError, "not-a-strategy"),
        ({"features": X, "strategy": dict}, UsageError, "not-a-strategy"),
        ({"features": X, "strategy": CoreSet, "options": {"a": 1}}, UsageError, "unknown-option"),
        ({"features": X, "strategy": CoreSet(), "options": {"a": 1}}, UsageError, "options-twice"),
        ({"features": X, "strategy": "BatchBALD"}, UsageError, "strategy-not-available"),
        ({"features": X, "budget": None}, UsageError, "no-budget"),
        ({"features": table([0] * 40)}, DataError, "label-twice"),
        ({"features": table(range(1, 41)), "labelled": [0]}, UnknownId, "unknown-label"),
        (
            {"features": table(range(40)), "probabilities": pd.DataFrame(P, range(1, 41))},
            DataError,
            "rows-of-other-images",
        ),
    ],
)
def test_what_is_not_clear_is_refused_by_a_value_error(arguments, kind, code) -> None:
    with refused(kind, code) as refusal:
        select(**{"budget": 1, **arguments})
    assert isinstance(refusal.value, ValueError)


def test_messages_name_what_the_user_gave() -> None:
    broken = X.copy()
    broken[3, 1] = np.nan
    with refused(DataError, "not-finite", match=r"^the table of features .*row 3; ") as refusal:
        select(broken, 1)
    assert "block" not in str(refusal.value)
    with refused(
        DataError, "sparse-matrix", match=r"a sparse matrix of shape .* give values\.toarray"
    ):
        select(scipy.sparse.csr_matrix(X), 1)
    with refused(
        UsageError, "strategy-not-available", match="'batchbald' is not available: bald ranks"
    ):
        select(X, 1, strategy="batchbald")
    with refused(
        UnknownId, "unknown-label", match="0 is not a label in the index of features; the first"
    ):
        select(table(range(1, 41)), 1, labelled=[0])


def test_a_mask_with_an_index_is_matched_by_it():
    rows = pd.DataFrame(np.arange(20.0)[:, None] ** 2, index=[f"n{k}" for k in range(20)])
    mask = pd.Series([k in (3, 8) for k in range(20)], index=rows.index)
    plain = select(rows, 4, labelled=["n3", "n8"]).tolist()
    assert select(rows, 4, labelled=mask).tolist() == plain
    assert select(rows, 4, labelled=mask.sample(frac=1, random_state=0)).tolist() == plain
    assert select(rows.to_numpy(), 4, labelled=mask.astype(object).tolist()).tolist() == [
        int(name[1:]) for name in plain
    ]
    objects = np.array(mask.tolist(), object)
    assert len(select(rows.to_numpy(), 4, labelled=objects)) == 4


def test_errors_name_a_strategy_as_the_lists_do() -> None:
    for strategy in (
        "bald",
        Bald,
        Bald(),
        create("bald", {"then": {"after": 1, "strategy": "vaal"}}),
    ):
        with refused(UsageError, "missing-signal", match="'bald'"):
            select(X, 1, strategy=strategy)


def test_an_array_with_masked_values_is_named():
    with refused(DataError, "masked-values", match="^masked values in block 'vae' "):
        select({"vae": np.ma.masked_greater(X, 0)}, 1)
