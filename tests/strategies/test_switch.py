"""Two strategies one after the other: `then`, and TCM."""

from typing import Any

import numpy as np
import pytest

from nextlabel import Snapshot, select
from nextlabel.core.errors import UsageError
from nextlabel.core.pool import Pool
from nextlabel.core.strategy import needs_now
from nextlabel.strategies import create
from nextlabel.testing import example, has_honest_needs, keeps_its_prefix, works_at_the_edges
from refusals import refused

RNG = np.random.default_rng
THEN = {"after": 15, "strategy": "uherding", "options": {"bandwidth": 2.0}}


def picks(name: str, options: dict[str, Any], snapshot: Snapshot, budget: int) -> list[int]:
    return create(name, options).select(snapshot, budget, RNG(0)).tolist()


def test_a_batch_is_divided_where_the_strategy_changes() -> None:
    """12 are labelled: TypiClust chooses 3, then UHerding with these counted as labelled."""
    snapshot = example()
    first = picks("typiclust", {}, snapshot, 3)
    after = Snapshot(snapshot.pool.label(np.array(first)), signals=snapshot.signals)
    rest = picks("uherding", {"bandwidth": 2.0}, after, 6)
    assert picks("typiclust", {"then": THEN}, snapshot, 9) == first + rest


def test_before_and_after_only_one_chooses() -> None:
    snapshot = example()
    for after, name, options in ((12, "margin", {}), (21, "core_set", {})):
        then = {"after": after, "strategy": "margin"}
        assert picks("core_set", {"then": then}, snapshot, 9) == picks(name, options, snapshot, 9)


def test_tcm_is_typiclust_then_margin() -> None:
    snapshot = example()
    then = {"after": 20, "strategy": "margin"}
    assert picks("tcm", {}, snapshot, 30) == picks("typiclust", {"then": then}, snapshot, 30)
    assert picks("tcm", {"after": 12}, snapshot, 9) == picks("margin", {}, snapshot, 9)


def test_three_strategies_follow_each_other() -> None:
    last = {"after": 16, "strategy": "random"}
    middle = {"after": 14, "strategy": "margin", "options": {"then": last}}
    chosen = picks("core_set", {"then": middle}, example(), 9)
    assert chosen[:2] == picks("core_set", {}, example(), 2)
    assert len(set(chosen)) == 9


def test_signals_are_needed_only_when_their_strategy_chooses() -> None:
    tcm = create("tcm")
    labelled = np.arange(30)
    assert needs_now(tcm, Pool(50), 20) == {"features"}
    assert needs_now(tcm, Pool(50), 21) == {"features", "probabilities"}
    assert needs_now(tcm, Pool(50, labelled), 0) == {"probabilities"}
    assert needs_now(create("margin"), Pool(50), 3) == {"probabilities"}
    x = RNG(0).normal(size=(50, 3))
    assert len(select(x, 10, strategy="tcm")) == 10  # without any model
    with refused(UsageError, "missing-signal"):
        select(x, 21, strategy="tcm")


def test_contracts_hold_for_two() -> None:
    for strategy in (create("typiclust", {"then": THEN}), create("core_set", {"then": THEN})):
        for contract in (has_honest_needs, works_at_the_edges, keeps_its_prefix):
            with pytest.warns(UserWarning) if contract is works_at_the_edges else _silence():
                contract(strategy)
    assert create("core_set", {"then": THEN}).prefix
    assert not create("typiclust", {"then": THEN}).prefix


def _silence() -> Any:
    from contextlib import nullcontext

    return nullcontext()


@pytest.mark.parametrize(
    ("then", "code"),
    [
        ("margin", "then-not-a-table"),
        ({"after": 3}, "then-incomplete"),
        ({"strategy": "margin"}, "then-incomplete"),
        ({"after": 3, "strategy": "margin", "option": {}}, "unknown-key"),
        ({"after": 3, "strategy": "margins"}, "unknown-name"),
        ({"after": 0, "strategy": "margin"}, "option-not-whole"),
        ({"after": 3, "strategy": "margin", "options": {"x": 1}}, "unknown-option"),
    ],
)
def test_a_faulty_table_is_refused(then: Any, code: str) -> None:
    with refused(UsageError, code):
        create("typiclust", {"then": then})


def test_a_second_strategy_that_begins_without_a_model_has_labels_by_then():
    """UHerding needs no probabilities for an empty pool; after TypiClust's images it does."""
    joined = create("typiclust", {"then": {"after": 4, "strategy": "uherding"}})
    assert needs_now(joined, Pool(50), 4) == {"features"}
    assert needs_now(joined, Pool(50), 5) == {"features", "probabilities"}


def test_each_pick_has_the_score_of_the_strategy_that_chose_it():
    rng = RNG(1)
    x, p = rng.normal(size=(40, 3)), rng.dirichlet(np.ones(3), 40)
    then = {"after": 6, "strategy": "margin"}
    chosen, scores = select(
        x, 5, strategy="core_set", options={"then": then}, probabilities=p,
        labelled=[0, 1, 2], return_scores=True,
    )  # fmt: skip
    first, of_first = select(x, 3, labelled=[0, 1, 2], return_scores=True)
    second, of_second = select(
        None, 2, strategy="margin", probabilities=p, labelled=[0, 1, 2, *first], return_scores=True
    )
    assert chosen.tolist() == [*first, *second]
    assert scores.tolist() == [*of_first, *of_second]
    then = {"after": 6, "strategy": "core_set"}
    _, scores = select(
        x, 5, strategy="random", options={"then": then}, labelled=[0, 1, 2], return_scores=True
    )
    assert np.isnan(scores).tolist() == [True, True, True, False, False]
