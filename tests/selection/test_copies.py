import tracemalloc
from unittest.mock import Mock

import numpy as np
import pytest

from nextlabel import Pool, select
from nextlabel.core.errors import BudgetError, DataError
from nextlabel.kernels import equal_rows
from nextlabel.selection import choice
from nextlabel.selection.copies import first_of_each, without_copies
from refusals import refused

STRATEGIES = ("core_set", "typiclust", "max_herding", "prob_cover", "random")
BURST = np.array([[0.0, 0.0]] * 8 + [[5.0, 1.0]] + [[0.0, 0.0]] * 3 + [[1.0, 7.0]])
"""Eleven copies of one picture and two others, at 8 and 12."""


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_burst_is_asked_once(strategy: str) -> None:
    options = {"radius": 0.1} if strategy == "prob_cover" else {}
    chosen = select(BURST, 3, strategy=strategy, options=options)
    assert sorted(chosen.tolist()) == [0, 8, 12]


def test_a_copy_of_what_is_labelled_is_not_asked() -> None:
    assert sorted(select(BURST, 2, labelled=[10], strategy="typiclust").tolist()) == [8, 12]


def test_copies_are_left_out_and_it_is_said_once() -> None:
    with pytest.warns(UserWarning) as caught:
        chosen = select(BURST, 5, labelled=[3])
    assert sorted(chosen.tolist()) == [8, 12]
    (warning,) = caught
    assert str(warning.message).startswith("2 of 5 images are chosen: the other 10 unlabelled")
    with refused(BudgetError, "budget-too-large"):
        select(BURST, 13, labelled=[3])


def test_a_pool_of_copies_of_labelled_images_has_nothing_to_ask() -> None:
    with refused(BudgetError, "only-copies", match="the 10 unlabelled images are copies"):
        select(BURST, 1, labelled=[3, 8, 12])
    assert select(BURST, 0, labelled=[3, 8, 12]).tolist() == []


def test_progress_ends_at_the_images_that_are_chosen() -> None:
    steps: list[tuple[int, int]] = []
    with pytest.warns(UserWarning, match="2 of 5"):
        select(BURST, 5, labelled=[3], progress=lambda *step: steps.append(step))
    assert steps[-1] == (2, 2)


def test_a_list_of_copies_can_be_excluded_without_losing_the_picture() -> None:
    copies = [*range(1, 8), 9, 10, 11]
    assert sorted(select(BURST, 3, excluded=copies).tolist()) == [0, 8, 12]


def test_images_are_copies_when_all_blocks_say_so() -> None:
    one, other = np.array([[1], [1], [1], [2]]), np.array([[0.5], [0.5], [0.7], [0.5]])
    assert first_of_each([one, other]).tolist() == [0, 0, 2, 3]
    assert first_of_each([one]).tolist() == [0, 0, 0, 3]


def test_equal_probabilities_are_no_copies() -> None:
    same = np.full((4, 2), 0.5)
    assert select(probabilities=same, budget=3, strategy="entropy").tolist() == [0, 1, 2]


def test_a_pool_without_copies_stays_itself() -> None:
    pool = Pool(4, np.array([1]), np.array([2]))
    same, copies = without_copies(pool, np.arange(4))
    assert same is pool and not len(copies)
    once, copies = without_copies(pool, np.array([0, 1, 2, 1]))
    assert once.unlabelled.tolist() == [0] and copies.tolist() == [3]
    once, copies = without_copies(pool, np.array([0, 1, 2, 2]))
    assert once.unlabelled.tolist() == [0, 3]


def test_features_of_text_are_refused() -> None:
    with refused(DataError, "not-numbers", match="features hold <U1"):
        select(np.array([["a"], ["b"]]), 1, probabilities=np.ones((2, 1)), strategy="entropy")


def test_a_large_pool_with_few_copies_takes_few_bytes_per_image(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(equal_rows, "TILE_BYTES", 2**16)
    x = np.random.default_rng(0).normal(size=(200_000, 2)).astype(np.float32)
    x[[7, 199_999]] = x[3]
    pool = Pool(len(x), [5])
    assert len(pool.unlabelled) == len(x) - 1  # is kept in the pool
    tracemalloc.start()
    without, copies = without_copies(pool, first_of_each([x]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert copies.tolist() == [7, 199_999] and without.excluded.tolist() == [7, 199_999]
    assert peak < 50 * len(x)  # a list of one array per image has more than 100


def test_what_is_not_finite_is_refused_before_the_search_for_copies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken = BURST.copy()
    broken[-1, 1] = np.inf
    search = Mock(side_effect=AssertionError("the search came first"))
    monkeypatch.setattr(choice, "first_of_each", search)
    with refused(DataError, "not-finite", match="features holds inf in column 1 of row 12;"):
        select(broken, 1)
