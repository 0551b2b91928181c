"""The contracts of stores hold on each database, and notice a store that breaks them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from nextlabel.store import claims, store, writes
from nextlabel.store.statuses import TrialCount, count_statuses
from nextlabel.testing import STORE_CONTRACTS, check_store
from nextlabel.testing.store_contracts import (
    a_trial_has_one_claim_at_a_time,
    counts_are_those_of_the_states,
    rounds_are_added_once_and_in_order,
    writers_at_the_same_time_lose_nothing,
)


def test_all_contracts_hold_on_one_database(location: Path | str) -> None:
    check_store(str(location))
    assert len(STORE_CONTRACTS) == 10


def test_a_store_that_takes_any_round_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writes, "append", lambda *_: None)
    with pytest.raises(AssertionError, match="round-out-of-order was not refused"):
        rounds_are_added_once_and_in_order(str(tmp_path / "store.db"))
    with pytest.raises(AssertionError, match="a round is missing"):
        writers_at_the_same_time_lose_nothing(str(tmp_path / "store.db"))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda count: replace(count, trials=1),
        lambda count: replace(count, labels=count.labels // count.trials),
        lambda count: replace(count, single=None),
    ],
)
def test_a_store_that_counts_wrongly_is_noticed(
    wrong: Callable[[TrialCount], TrialCount], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        store, "count_statuses", lambda *given: [wrong(count) for count in count_statuses(*given)]
    )
    with pytest.raises(AssertionError, match="other counts"):
        counts_are_those_of_the_states(str(tmp_path / "store.db"))


def test_a_claim_that_two_drivers_get_is_noticed(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "take", lambda session, keys, *_: keys[0])
    with pytest.raises(AssertionError, match="a claimed trial was given away"):
        a_trial_has_one_claim_at_a_time(postgresql_url)
