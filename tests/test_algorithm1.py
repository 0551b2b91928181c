"""Algorithm 1 with a learner that trains nothing: what it is asked, in which order."""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextlabel.algorithm1 import algorithm1
from nextlabel.core.errors import AlreadyLabelled, AnswersPending, UnknownId, UsageError
from nextlabel.core.learner import Training
from nextlabel.core.oracle import Reveal
from nextlabel.core.pool import Pool
from nextlabel.core.seeds import Seeds
from nextlabel.core.snapshot import Snapshot
from nextlabel.core.space.embedding import Embedding
from refusals import refused


@dataclass(frozen=True)
class Memory:
    """A "model": a number that depends on labels, order, round and, maybe, what came before."""

    pool: Pool
    state: int
    training: Training

    def snapshot(self, pool, needs):
        assert pool is self.pool
        row = np.random.default_rng(self.state).normal(size=(pool.size, 2))
        return Snapshot(pool, features=Embedding.of(row) if "features" in needs else None)

    def evaluate(self):
        return {"validation/accuracy": (self.state % 1000) / 1000}


@dataclass
class Parrot:
    """A learner that remembers; sequential when a round's model depends on the round before."""

    size: int
    sequential: bool = False
    fits: list = field(default_factory=list)
    needs_seen: list = field(default_factory=list)

    def cold(self, pool, needs):
        self.needs_seen.append(needs)
        features = (
            Embedding.of(np.arange(self.size * 1.0)[:, None]) if "features" in needs else None
        )
        return Snapshot(pool, features=features)

    def fit(self, pool, labels, number, previous):
        assert len(labels) == pool.labelled_count
        self.fits.append((number, pool.labelled.tolist(), labels.tolist()))
        past = (previous.state,) if self.sequential and previous is not None else ()
        state = hash((number, tuple(pool.labelled.tolist()), tuple(labels.tolist()), *past)) % 2**32
        return Memory(pool, state, Training(0.5, 1, number, "random"))


@dataclass(frozen=True)
class Lowest:
    """Chooses the unlabelled with the smallest first feature: it depends on the model."""

    needs = frozenset({"features"})

    def select(self, snapshot, budget, rng):
        free = snapshot.pool.unlabelled
        return free[np.argsort(snapshot.features.rows(free)[:, 0], kind="stable")[:budget]]


@dataclass(frozen=True)
class Drawn:
    """Chooses at random and keeps what it drew."""

    needs = frozenset()
    draws: list = field(default_factory=list)

    def select(self, snapshot, budget, rng):
        self.draws.append(rng.integers(0, 2**62))
        return rng.choice(snapshot.pool.unlabelled, budget, replace=False)


@dataclass(frozen=True)
class Says:
    """Chooses what a test tells it to."""

    answer: object
    needs = frozenset()

    def select(self, snapshot, budget, rng):
        return self.answer(snapshot.pool, budget)


def play(size=20, initial=3, batch=4, target=14, seed=0, **more):
    more.setdefault("oracle", Reveal(np.arange(size) % 5))
    more.setdefault("learner", Parrot(size))
    more.setdefault("strategy", Lowest())
    return algorithm1(
        size=size, initial=initial, batch=batch, target=target, seeds=Seeds(seed), **more
    )


def identities(rounds):
    return [r.identity for r in rounds]


@given(st.integers(1, 40), st.data())
def test_the_target_is_reached_exactly_with_the_last_batch_cut(size, data):
    initial = data.draw(st.integers(1, size))
    target = data.draw(st.integers(initial, size))
    batch = data.draw(st.integers(1, 12))
    learner = Parrot(size)
    rounds = list(play(size, initial, batch, target, learner=learner))
    steps = list(range(initial, target, batch))
    assert [r.labelled_count for r in rounds] == [*steps, target]
    assert [len(r.chosen) for r in rounds] == np.diff([0, *steps, target]).tolist()
    assert [r.number for r in rounds] == list(range(len(rounds)))
    everything = np.concatenate([r.chosen for r in rounds])
    assert len(set(everything.tolist())) == target
    assert learner.fits[-1][1] == everything.tolist()  # in labelling order


def test_round_0_is_recorded_with_the_named_random_draw():
    first = next(play(seed=9))
    expected = Pool.random(20, 3, Seeds(9).rng("initial"))
    assert first.number == 0
    assert first.chosen.tolist() == expected.labelled.tolist()
    assert first.metrics.keys() == {"validation/accuracy"}


def test_labels_come_from_the_oracle_in_labelling_order():
    learner = Parrot(20)
    list(play(oracle=Reveal(np.arange(100, 120)), learner=learner))
    for _, ids, labels in learner.fits:
        assert labels == [100 + i for i in ids]


def test_each_rounds_choice_is_the_strategys_on_the_model_of_the_round_before():
    learner = Parrot(20)
    rounds = list(play(learner=learner))
    for before, after in pairwise(rounds):
        number, ids, labels = learner.fits[before.number]
        fitted = Parrot(20).fit(Pool(20, np.array(ids)), np.array(labels), number, None)
        snapshot = fitted.snapshot(fitted.pool, Lowest.needs)
        expected = Lowest().select(snapshot, len(after.chosen), np.random.default_rng(0))
        assert after.chosen.tolist() == expected.tolist()


def test_multi_label_answers_are_kept_as_rows():
    learner = Parrot(20)
    truth = np.random.default_rng(0).integers(0, 2, (20, 3))
    learner.fit = lambda pool, labels, number, previous: (
        np.testing.assert_array_equal(labels, truth[pool.labelled])
        or Memory(pool, number, Training(0.5, 1, 1, "random"))
    )
    assert len(list(play(oracle=Reveal(truth), learner=learner))) == 4


@pytest.mark.parametrize("sequential", [False, True])
@pytest.mark.parametrize("strategy", [Lowest(), Drawn()])
@pytest.mark.parametrize("cut", [1, 2, 3, 4])
def test_resuming_gives_the_very_same_rounds(sequential, strategy, cut):
    whole = list(play(learner=Parrot(20, sequential), strategy=strategy))
    learner = Parrot(20, sequential)
    rest = list(play(learner=learner, strategy=strategy, history=whole[:cut]))
    assert len(whole) == 4
    assert identities(rest) == identities(whole[cut:])
    replayed = cut if sequential else 1
    assert len(learner.fits) == replayed + len(rest)  # no training for nothing


@pytest.mark.parametrize("sequential", [False, True])
def test_resuming_again_and_again_changes_nothing(sequential):
    history = []
    for _ in range(4):
        history.append(next(play(learner=Parrot(20, sequential), history=history)))
    assert identities(history) == identities(play(learner=Parrot(20, sequential)))


def test_a_higher_target_goes_on_where_the_lower_one_ended():
    low = list(play(target=11))
    assert identities(low + list(play(target=19, history=low))) == identities(play(target=19))


def test_a_sequential_learner_does_depend_on_the_past():
    """Otherwise the tests of resuming above would show nothing."""
    plain, chained = (list(play(learner=Parrot(20, s))) for s in (False, True))
    assert plain[0].identity == chained[0].identity
    assert identities(plain)[1:] != identities(chained)[1:]


def test_every_round_draws_from_a_stream_of_its_own():
    strategy = Drawn()
    list(play(strategy=strategy, seed=5))
    assert strategy.draws == [
        Seeds(5).rng("select", k).integers(0, 2**62) for k in range(1, len(strategy.draws) + 1)
    ]
    assert len(set(strategy.draws)) == 3


def test_arms_share_initial_labels_though_each_draws_its_own():
    first, second = next(play(strategy=Drawn())), next(play(strategy=Lowest()))
    assert first.chosen.tolist() == second.chosen.tolist()


def test_a_start_strategy_chooses_the_initial_set_without_a_model():
    learner = Parrot(20)
    rounds = list(play(start=Lowest(), learner=learner))
    assert rounds[0].chosen.tolist() == [0, 1, 2]
    assert learner.needs_seen == [Lowest.needs]


@pytest.mark.parametrize(
    ("answer", "error", "code", "message"),
    [
        (
            lambda pool, n: pool.unlabelled[: n - 1],
            UsageError,
            "wrong-number-chosen",
            "chose 3 images where .* is 4",
        ),
        (
            lambda pool, n: pool.unlabelled[: n + 1],
            UsageError,
            "wrong-number-chosen",
            "chose 5 images where .* is 4",
        ),
        (
            lambda pool, n: np.repeat(pool.unlabelled[:1], n),
            AlreadyLabelled,
            "id-listed-twice",
            "listed 4 times",
        ),
        (
            lambda pool, n: [*pool.unlabelled[: n - 1], pool.labelled[0]],
            AlreadyLabelled,
            "id-listed-twice",
            "listed 2 times",
        ),
        (
            lambda pool, n: [*pool.unlabelled[: n - 1], pool.size],
            UnknownId,
            "id-outside-pool",
            "id 20 is outside",
        ),
        (
            lambda pool, n: [*pool.unlabelled[: n - 1], -1],
            UnknownId,
            "id-outside-pool",
            "id -1 is outside",
        ),
        (lambda pool, n: pool.unlabelled[:n] + 0.5, UsageError, "id-not-whole", "whole numbers"),
    ],
)
def test_a_strategy_that_breaks_its_contract_is_refused(answer, error, code, message):
    rounds = play(strategy=Says(answer))
    assert next(rounds).number == 0  # what was there before is not lost
    with refused(error, code, match=message):
        next(rounds)


@pytest.mark.parametrize("wrong", [2, 4])
def test_a_start_strategy_must_choose_the_initial_number(wrong):
    start = Says(lambda pool, n: np.arange(wrong))
    with refused(UsageError, "wrong-number-chosen", match=f"chose {wrong} images"):
        next(play(start=start))


def test_ids_may_come_in_any_form():
    as_lists = Says(lambda pool, n: pool.unlabelled[:n].tolist())
    rounds = list(play(strategy=as_lists))
    assert rounds[1].chosen.dtype == np.int64
    assert identities(rounds) == identities(
        play(strategy=Says(lambda pool, n: pool.unlabelled[:n].astype(np.int32)))
    )


@dataclass
class Person:
    """Answers only what is in the book, and remembers what it was asked."""

    truth: np.ndarray
    book: set = field(default_factory=set)
    asked: set = field(default_factory=set)

    def __call__(self, ids):
        missing = set(ids.tolist()) - self.book
        if missing:
            self.asked |= missing
            raise AnswersPending(f"{len(missing)} images wait for an answer; label them")
        return self.truth[ids]


@pytest.mark.parametrize("sequential", [False, True])
def test_a_person_may_take_their_time_and_nothing_is_lost(sequential):
    truth = np.arange(20) % 5
    person, known, pauses = Person(truth), [], 0
    for _ in range(10):
        try:
            for finished in play(oracle=person, learner=Parrot(20, sequential), history=known):
                known.append(finished)
            break
        except AnswersPending:
            pauses += 1
            assert len(person.asked) in (3, 4)  # the initial set, or one batch
            person.book |= person.asked
            person.asked = set()
    assert pauses == 4
    assert identities(known) == identities(play(learner=Parrot(20, sequential)))


@pytest.mark.parametrize(
    ("sizes", "code", "message"),
    [
        ({"size": 0}, "pool-empty", None),
        ({"initial": 0}, "initial-out-of-range", "initial 0 must lie between 1 and .* 20"),
        ({"initial": 21}, "initial-out-of-range", None),
        ({"target": 2}, "target-out-of-range", "target 2 must lie between initial 3 and .* 20"),
        ({"target": 21}, "target-out-of-range", None),
        ({"batch": 0}, "batch-too-small", "batch 0 must be at least 1"),
    ],
)
def test_sizes_that_do_not_fit_are_refused_before_any_training(sizes, code, message):
    learner = Parrot(20)
    with refused(UsageError, code, match=message):
        next(play(**sizes, learner=learner, oracle=Reveal(np.zeros(20, np.int64))))
    assert not learner.fits


def test_seconds_and_memory_are_recorded_and_are_not_part_of_the_identity():
    rounds = list(play())
    assert {"signals", "select", "evaluate"} <= rounds[1].seconds.keys()
    assert all(s >= 0 for s in rounds[1].seconds.values())
    assert 10e6 < rounds[1].peak_memory < 1e12
    assert rounds[1].identity[:2] == (1, 7)
