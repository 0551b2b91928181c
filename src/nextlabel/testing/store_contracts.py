"""Contracts of a store: a database that keeps them can hold results; it is filled by the checks."""

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from nextlabel.core.errors import StoreError
from nextlabel.core.learner import Training
from nextlabel.core.round import Round
from nextlabel.store.statuses import TrialCount
from nextlabel.store.store import Store, TrialRecord

ENVIRONMENT = {"processor": "a", "packages": {"numpy": "2"}}
ARMS = ("core-set", "random")
SEEDS = (0, 2**40)


def rounds_come_back_as_they_were_added(location: str) -> None:
    """Every number of a round is the same to the last bit, and so are its pictures."""
    with _enrolled(location, "exact") as (store, (first, *_)):
        added = [_round(number) for number in range(3)]
        for round in added:
            store.append(first.key, round, {"picked": b"\x89PNG %d" % round.number})
        with Store.read(location) as reader:
            read = reader.history(first.key)
            pictures = reader.pictures(first.key)
    assert [r.identity for r in read] == [r.identity for r in added], "rounds differ"
    assert [r.seconds for r in read] == [r.seconds for r in added], "times differ"
    assert [p.png for p in pictures] == [b"\x89PNG %d" % n for n in range(3)], "pictures differ"


def rounds_are_added_once_and_in_order(location: str) -> None:
    """No round is taken that is not the next one, and none that is there."""
    with _enrolled(location, "order") as (store, (first, *_)):
        store.append(first.key, _round(0))
        for number in (0, 2):
            _refused("round-out-of-order", store.append, first.key, _round(number))
        assert len(store.history(first.key)) == 1, "a refused round was stored"


def a_round_is_stored_whole_or_not_at_all(location: str) -> None:
    """Nothing is left of a round with a picture that cannot be stored, or a number that is NaN."""
    with _enrolled(location, "whole") as (store, (first, *_)):
        bad = replace(_round(0), metrics={"validation/accuracy": float("nan")})
        _refused("metric-not-finite", store.append, first.key, bad)
        try:
            store.append(first.key, _round(0), {"picked": None})  # type: ignore[dict-item]
        except Exception:
            assert store.history(first.key) == [], "a round was stored without its picture"
        else:
            raise AssertionError("a picture without bytes was stored")
        store.append(first.key, _round(0))


def pairs_begin_with_the_same_labels(location: str) -> None:
    """Arms of one seed have the same initial labels; the first one decides."""
    with _enrolled(location, "pairs") as (store, (first, _, second, _)):
        store.append(first.key, _round(0, (4, 2)))
        _refused("not-a-pair", store.append, second.key, _round(0, (4, 3)))
        store.append(second.key, _round(0, (2, 4)))  # in any order


def states_follow_a_trial(location: str) -> None:
    """Trials are pending, running, then done or failed; their rounds stay."""
    with _enrolled(location, "states") as (store, (first, other, *_)):
        store.begin(first.key, ENVIRONMENT)
        store.append(first.key, _round(0))
        store.begin(other.key, ENVIRONMENT)
        store.fail(other.key, "the loss is not finite")
        states = {state.record.key: state for state in store.trials("states")}
        statuses = [state.status for state in states.values()]
        assert statuses == ["running", "failed", "pending", "pending"], statuses
        assert states[other.key].error == "the loss is not finite"
        assert states[first.key].environment == ENVIRONMENT
        assert (states[first.key].rounds, states[first.key].labelled_count) == (1, 2)
        store.finish(first.key)
        assert store.trials("states")[0].status == "done"


def counts_are_those_of_the_states(location: str) -> None:
    """Trials are counted by arm and status, of one experiment alone; some are counted singly."""
    with _enrolled(location, "counts") as (store, trials):
        first, second, third, _ = trials
        store.enrol("fewer", {"name": "fewer"}, [trials[3], *trials[:2]])
        store.append(first.key, _round(0))
        for number in range(2):
            store.append(second.key, _round(number))
        for done in (first, second):
            store.finish(done.key)
        for singly in ((), [second.key], [trial.key for trial in trials]):
            _same_counts(store, singly)
        store.begin(first.key, ENVIRONMENT)
        store.fail(third.key, "the loss is not finite")
        _same_counts(store, ())


def _same_counts(store: Store, singly: Sequence[str]) -> None:
    for name in ("counts", "fewer"):
        expected: dict[tuple[str, str, str | None], TrialCount] = {}
        for one in store.statuses(name):
            single = one if one.status in ("running", "failed") or one.key in singly else None
            group = one.arm, one.status, None if single is None else single.key
            before = expected.get(group, TrialCount(one.arm, one.status, 0, 0, single))
            labels = before.labels + one.labelled_count
            expected[group] = replace(before, trials=before.trials + 1, labels=labels)
        assert store.counts(name, singly) == list(expected.values()), "other counts"


def enrolment_replaces_the_members_and_keeps_the_rounds(location: str) -> None:
    """Members of an experiment are exactly the trials given last, in their order."""
    with _enrolled(location, "members") as (store, trials):
        store.append(trials[0].key, _round(0))
        store.enrol("members", {"name": "members"}, [trials[3], trials[0]])
        states = store.trials("members")
        assert [state.record for state in states] == [trials[3], trials[0]], "other members"
        assert [state.rounds for state in states] == [0, 1], "rounds were lost"
        (of_seed,) = store.trials("members", trials[3].seed)
        assert of_seed.record == trials[3], "a trial of another seed"


def the_latest_log_and_picks_count(location: str) -> None:
    """Earlier logs of a block and next picks are replaced."""
    with _enrolled(location, "latest") as (store, (first, *_)):
        store.append(first.key, _round(0))
        for loss in (2.0, 1.0):
            store.log_block(first.key, "vae", [{"loss": loss}], {"latent": b"%f" % loss})
            store.keep_next_picks(first.key, np.array([int(loss), 9]))
        assert store.block_logs(first.key) == {"vae": [{"loss": 1.0}]}
        picks = store.next_picks(first.key)
        assert picks is not None and picks.tolist() == [1, 9]
        assert [picture.png for picture in store.pictures(first.key)] == [b"%f" % 1.0]


def writers_at_the_same_time_lose_nothing(location: str) -> None:
    """Several writers store the same pictures and environments, each row once."""
    with _enrolled(location, "writers") as (_, trials):
        failures: list[BaseException] = []

        def write(trial: TrialRecord) -> None:
            try:
                with Store.open(location) as store:
                    store.begin(trial.key, {"processor": "b"})
                    for number in range(4):
                        pictures = {f"{i}": b"same %d" % i for i in range(4)}
                        store.append(trial.key, _round(number), pictures)
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=write, args=(trial,)) for trial in trials]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures, failures
        with Store.read(location) as reader:
            for trial in trials:
                assert len(reader.history(trial.key)) == 4, "a round is missing"
                assert len(reader.pictures(trial.key)) == 16, "a picture is missing"


def a_trial_has_one_claim_at_a_time(location: str) -> None:
    """Claims in a shared database are exclusive until they lapse or are released."""
    with _enrolled(location, "claims") as (store, trials):
        claims, keys = store.claims, [trial.key for trial in trials]
        if not claims.shared:
            assert claims.read() == {}
            return
        assert claims.take(keys, "a", 60.0) == keys[0]
        assert claims.take(keys, "b", 60.0) == keys[1], "a claimed trial was given away"
        assert claims.take(keys[:2], "c", 60.0) is None, "a claimed trial was given away"
        assert claims.renew("a", 0.0) == {keys[0]}  # it lapses now
        assert claims.take(keys[:1], "c", 60.0) == keys[0], "a lapsed claim was kept"
        assert claims.renew("a", 60.0) == set(), "a lost claim was renewed"
        claims.release("b", keys[1])
        assert claims.take(keys[1:2], "c", 60.0) == keys[1], "a released claim was kept"
        theirs = {key: claim.driver for key, claim in claims.read().items() if key in keys}
        assert theirs == {keys[0]: "c", keys[1]: "c"}, theirs
        claims.release("c")
        assert not claims.read().keys() & set(keys), "a claim was not released"


STORE_CONTRACTS: tuple[Callable[[str], None], ...] = (
    rounds_come_back_as_they_were_added,
    rounds_are_added_once_and_in_order,
    a_round_is_stored_whole_or_not_at_all,
    pairs_begin_with_the_same_labels,
    states_follow_a_trial,
    counts_are_those_of_the_states,
    enrolment_replaces_the_members_and_keeps_the_rounds,
    the_latest_log_and_picks_count,
    writers_at_the_same_time_lose_nothing,
    a_trial_has_one_claim_at_a_time,
)


def check_store(location: str) -> None:
    """Run every contract of a store on a database.

    Parameters
    ----------
    location
        The path of a new file, or the URL of an empty database, which is filled. With the URL of a
        server this tells whether it can hold results.

    Raises
    ------
    AssertionError
        A contract is broken; the message says which one, and how.
    StoreError
        The database cannot be used at all.
    """
    for contract in STORE_CONTRACTS:
        contract(location)


@contextmanager
def _enrolled(location: str, experiment: str) -> Iterator[tuple[Store, list[TrialRecord]]]:
    """Yield a store with an experiment of two arms and two seeds, and its trials."""
    trials = [
        TrialRecord(
            hashlib.sha256(f"{experiment} {arm} {seed}".encode()).hexdigest(),
            arm,
            seed,
            {"start": "random", "data_checksum": experiment},
        )
        for arm in ARMS
        for seed in SEEDS
    ]
    with Store.open(location) as store:
        store.enrol(experiment, {"name": experiment}, trials)
        yield store, trials


def _round(number: int, chosen: tuple[int, ...] = (7, 5)) -> Round:
    return Round(
        number,
        2 * (number + 1),
        np.array(chosen, np.int64) + 10 * number,
        {"validation/accuracy": 0.1 + 0.2, "test/accuracy": 1 / 3},
        Training(0.99, 8, 2**40, "random", reached=False, shared=True, seconds={"fit": 0.1}),
        {"select": 1e-9, "train": 12.5},
        2**40,
    )


def _refused(code: str, call: Callable[..., None], *arguments: object) -> None:
    try:
        call(*arguments)
    except StoreError as error:
        assert error.code == code, f"refused by {error.code} and not {code}: {error}"
    else:
        raise AssertionError(f"{code} was not refused")
