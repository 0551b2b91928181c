"""Every registered strategy keeps every contract, and the contracts catch those that do not."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from nextlabel import testing
from nextlabel.core.errors import UsageError
from nextlabel.core.strategy import Strategy
from nextlabel.strategies import STRATEGIES, create
from nextlabel.strategies.core_set import CoreSet

MADE = [(name, create(name)) for name in STRATEGIES]
MADE += [
    (f"medal, entropy_top = {top}", create("medal", {"entropy_top": top})) for top in (1, 20, 999)
]
CASES = [
    pytest.param(contract, strategy, id=f"{name} {contract.__name__}")
    for name, strategy in MADE
    for contract in testing.CONTRACTS
]


@pytest.mark.filterwarnings("ignore:the features of all")
@pytest.mark.parametrize(("contract", "strategy"), CASES)
def test_contract(contract: Any, strategy: Strategy) -> None:
    contract(strategy)


@pytest.mark.parametrize("name", list(STRATEGIES))
def test_is_a_strategy_with_a_docstring(name: str) -> None:
    assert isinstance(create(name), Strategy)
    assert STRATEGIES[name].__doc__
    assert create(name) == create(name)


@dataclass(frozen=True)
class Broken:
    """A strategy that breaks one contract at a time."""

    fault: str
    needs: frozenset[Any] = frozenset({"features"})
    prefix = True

    def select(self, snapshot: Any, budget: int, rng: np.random.Generator) -> Any:
        pool = snapshot.pool
        if self.fault != "any budget":
            pool.check_budget(budget)
        if self.fault != "requires nothing":
            snapshot.require("features")
        free = pool.unlabelled
        if self.fault == "none labelled":
            1 / pool.labelled_count
        if self.fault == "reads more":
            return free[np.argsort(snapshot.probabilities[free, 0])[:budget]]
        if self.fault == "labelled":
            return np.arange(budget)
        if self.fault == "pool positions":
            return np.argsort(-snapshot.features.rows(free)[:, 0], kind="stable")[:budget]
        if self.fault == "twice":
            return free[rng.integers(0, len(free), budget)]
        if self.fault == "int32":
            return free[:budget].astype(np.int32)
        if self.fault == "list":
            return free[:budget].tolist()
        if self.fault == "global":
            return np.random.permutation(free)[:budget]  # noqa: NPY002
        if self.fault == "seeds the world":
            np.random.seed(0)  # noqa: NPY002
            return free[:budget]
        if self.fault == "hash":
            return np.array(sorted(free.tolist(), key=lambda i: hash(str(i))), np.int64)[:budget]
        if self.fault == "order":
            return free[:budget].copy()
        if self.fault == "prefix":
            return free[len(free) - budget :].copy()
        if self.fault == "writes":
            rows = snapshot.features.blocks[0][0]
            rows.flags.writeable = True
            rows[0] = 0
        scores = snapshot.features.rows(free)[:, 0]
        return free[np.argsort(-scores, kind="stable")][:budget]


@pytest.mark.parametrize(
    ("fault", "contract", "message"),
    [
        ("labelled", testing.picks_distinct_unlabelled_ids, "labelled, excluded or unknown"),
        ("pool positions", testing.picks_distinct_unlabelled_ids, "labelled, excluded or unknown"),
        ("twice", testing.picks_distinct_unlabelled_ids, "chosen twice"),
        ("int32", testing.picks_distinct_unlabelled_ids, "int32"),
        ("list", testing.picks_distinct_unlabelled_ids, "not numpy"),
        ("any budget", testing.refuses_budgets_beyond_the_pool, "is accepted"),
        ("global", testing.draws_from_its_generator_alone, "global random generator"),
        ("seeds the world", testing.draws_from_its_generator_alone, "global random generator"),
        ("hash", testing.is_the_same_in_a_fresh_process, "fresh process"),
        ("order", testing.ignores_the_order_of_rows, "shuffled rows"),
        ("prefix", testing.keeps_its_prefix, "a larger one begins with"),
        ("writes", testing.leaves_inputs_alone, "WRITEABLE|was changed"),
        ("never reads", testing.has_honest_needs, "nothing is missed without it"),
        ("requires nothing", testing.has_honest_needs, "breaks by AttributeError; begin with"),
        ("reads more", testing.has_honest_needs, "NoneType"),
        ("none labelled", testing.works_at_the_edges, "division by zero"),
    ],
)
def test_a_broken_strategy_is_caught(fault: str, contract: Any, message: str) -> None:
    more = {"probabilities"} if fault == "never reads" else set()
    with pytest.raises(Exception, match=message):
        contract(Broken(fault, frozenset({"features"} | more)))


def test_the_sound_one_of_these_passes() -> None:
    for contract in testing.CONTRACTS:
        if contract is not testing.is_the_same_in_a_fresh_process:
            contract(Broken("none"))  # type: ignore[arg-type]


def test_reading_an_undeclared_signal_is_caught_even_where_it_changes_nothing() -> None:
    class Peeks(CoreSet):
        def select(self, snapshot: Any, budget: int, rng: np.random.Generator) -> Any:
            _ = snapshot.predicted_loss
            return super().select(snapshot, budget, rng)

    with pytest.raises(AssertionError, match="reads 'predicted_loss'"):
        testing.has_honest_needs(Peeks())


def test_a_strategy_may_need_labels_when_it_says_so() -> None:
    class Warm(CoreSet):
        cold = False

        def select(self, snapshot: Any, budget: int, rng: np.random.Generator) -> Any:
            if not snapshot.pool.labelled_count:
                raise UsageError("nothing is labelled; start with random")
            return super().select(snapshot, budget, rng)

    with pytest.warns(UserWarning):
        testing.works_at_the_edges(Warm())
    Warm.cold = True
    with pytest.raises(UsageError), pytest.warns(UserWarning):
        testing.works_at_the_edges(Warm())


def test_check_strategy_takes_a_class_or_an_instance() -> None:
    testing.check_strategy(CoreSet)
    with pytest.raises(AssertionError):
        testing.check_strategy(Broken("labelled"))  # type: ignore[arg-type]


def test_a_class_of_a_script_is_told_to_move(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Broken, "__module__", "__main__")
    with pytest.raises(AssertionError, match="cannot import Broken from a script or notebook"):
        testing.is_the_same_in_a_fresh_process(Broken("none"))  # type: ignore[arg-type]
