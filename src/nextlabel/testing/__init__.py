"""Contracts of a strategy and of a store, shipped so that another package can run them on its own.

    from nextlabel.testing import check_strategy

    def test_mine():
        check_strategy(Mine())

A strategy may declare three things in addition to `needs`: `prefix = True` (a smaller budget gives
the beginning of a larger one's picks), `tasks` (the tasks that it can do; both by default) and
`cold = False` (at least one image must be labelled; it then refuses an empty set by a UsageError).

`check_store(URL)` tells in the same way whether a database can hold results.
"""

import warnings

from nextlabel.core.strategy import Strategy
from nextlabel.testing.contracts import (
    CONTRACTS,
    check_picks,
    draws_from_its_generator_alone,
    has_honest_needs,
    ignores_the_order_of_rows,
    is_the_same_in_a_fresh_process,
    keeps_its_prefix,
    leaves_inputs_alone,
    picks_distinct_unlabelled_ids,
    refuses_budgets_beyond_the_pool,
    works_at_the_edges,
)
from nextlabel.testing.snapshots import example, tasks_of
from nextlabel.testing.store_contracts import STORE_CONTRACTS, check_store

__all__ = [
    "CONTRACTS",
    "STORE_CONTRACTS",
    "check_picks",
    "check_store",
    "check_strategy",
    "draws_from_its_generator_alone",
    "example",
    "has_honest_needs",
    "ignores_the_order_of_rows",
    "is_the_same_in_a_fresh_process",
    "keeps_its_prefix",
    "leaves_inputs_alone",
    "picks_distinct_unlabelled_ids",
    "refuses_budgets_beyond_the_pool",
    "tasks_of",
    "works_at_the_edges",
]


def check_strategy(strategy: Strategy | type[Strategy]) -> None:
    """Run every contract on a strategy.

    Parameters
    ----------
    strategy
        A strategy, or a class of strategies that needs no arguments.

    Raises
    ------
    AssertionError
        A contract is broken; the message says which one, and how.
    """
    made: Strategy = strategy() if isinstance(strategy, type) else strategy
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # rows that are all the same are one of the edges
        for contract in CONTRACTS:
            contract(made)
