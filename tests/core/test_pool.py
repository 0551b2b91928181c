import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextlabel.core.errors import AlreadyLabelled, BudgetError, UnknownId, UsageError
from nextlabel.core.pool import Pool
from refusals import refused


@st.composite
def partitions(draw):
    """Draw a pool size and two disjoint lists of ids, in any order."""
    size = draw(st.integers(0, 30))
    order = draw(st.permutations(range(size)))
    first = draw(st.integers(0, size))
    second = draw(st.integers(first, size))
    return size, order[:first], order[first:second]


@given(partitions())
def test_labelled_excluded_and_unlabelled_part_the_pool(case):
    size, labelled, excluded = case
    pool = Pool(size).label(labelled).exclude(excluded)
    assert pool.labelled.tolist() == labelled  # in labelling order
    assert pool.unlabelled.tolist() == sorted(set(range(size)) - set(labelled) - set(excluded))
    assert pool.unlabelled.dtype == pool.labelled.dtype == np.int64
    assert pool.labelled_count == len(labelled)


@given(partitions(), st.randoms(use_true_random=False))
def test_labelling_in_steps_is_labelling_at_once(case, random):
    size, labelled, _ = case
    cut = random.randint(0, len(labelled))
    stepwise = Pool(size).label(labelled[:cut]).label(labelled[cut:])
    np.testing.assert_array_equal(stepwise.labelled, Pool(size, labelled).labelled)


def test_a_pool_never_changes():
    ids = np.array([2, 0])
    pool = Pool(4, ids)
    ids[0] = 3
    assert pool.labelled.tolist() == [2, 0]
    pool.label(np.array([1]))
    assert pool.labelled_count == 2
    for array in (pool.labelled, pool.unlabelled, pool.excluded):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


@given(st.integers(1, 50), st.data())
def test_random_draws_distinct_ids_without_replacement(size, data):
    initial = data.draw(st.integers(0, size))
    pool = Pool.random(size, initial, np.random.default_rng(0))
    assert len(set(pool.labelled.tolist())) == initial
    assert pool.labelled_count + len(pool.unlabelled) == size


def test_random_labels_each_image_equally_often():
    rng = np.random.default_rng(1)
    counts = np.zeros(10)
    for _ in range(2000):
        counts[Pool.random(10, 3, rng).labelled] += 1
    assert np.abs(counts / 2000 - 0.3).max() < 0.05


@pytest.mark.parametrize("bad", [-1, 5, 2**40])
def test_an_id_outside_is_named_with_the_limit(bad):
    with refused(
        UnknownId, "id-outside-pool", match=rf"id {bad} is outside the pool of 5 images.* 0 to 4"
    ):
        Pool(5).label([0, bad])


def test_an_id_listed_twice_is_refused_in_any_of_the_lists():
    for make in (
        lambda: Pool(5, [1, 1]),
        lambda: Pool(5, [1]).label([1]),
        lambda: Pool(5, [1]).exclude([1]),
        lambda: Pool(5, excluded=[1]).label([1]),
        lambda: Pool(5).label([3, 1, 1]),
        lambda: Pool(5, [2, 1, 1, 3, 3, 3]),
    ):
        with refused(AlreadyLabelled, "id-listed-twice", match="id 1 is listed 2 times"):
            make()


def test_budgets_have_limits():
    pool = Pool(5, [0], [4])
    pool.check_budget(0)
    pool.check_budget(3)
    with refused(
        BudgetError,
        "budget-too-large",
        match="budget 4 exceeds the 3 unlabelled images; lower the budget to 3",
    ):
        pool.check_budget(4)
    with refused(BudgetError, "budget-negative", match="budget -1 is negative; give 0 to 3"):
        pool.check_budget(-1)
    assert Pool.random(5, 5, np.random.default_rng(0)).labelled_count == 5
    with refused(BudgetError, "initial-too-large", match="lower initial to 5"):
        Pool.random(5, 6, np.random.default_rng(0))


@pytest.mark.parametrize("bad", [3.0, True, "3", None])
def test_a_budget_is_a_whole_number(bad):
    Pool(5, [0]).check_budget(np.int64(4))
    with refused(BudgetError, "budget-not-whole", match="give 0 to 4"):
        Pool(5, [0]).check_budget(bad)


def test_the_included_are_all_but_the_excluded() -> None:
    included = Pool(6, np.array([4]), np.array([5, 0])).included
    assert included.tolist() == [1, 2, 3, 4]
    assert included.dtype == np.int64
    with pytest.raises(ValueError, match="read-only"):
        included[0] = 9


@pytest.mark.parametrize("size", ["x", 10.5, True, -1, None])
def test_a_size_is_a_whole_number(size):
    with refused(UsageError, "bad-pool-size"):
        Pool(size)


def test_a_size_may_be_a_numpy_number():
    assert len(Pool(np.int64(3)).unlabelled) == 3
