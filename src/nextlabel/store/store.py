"""The store: experiments, trials and rounds in a database."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self, TypeVar

from sqlalchemy import URL, Engine
from sqlalchemy.orm import Session

from nextlabel.core.errors import StoreError
from nextlabel.core.round import Round
from nextlabel.core.types import Ids
from nextlabel.store import queries, writes
from nextlabel.store.claims import Claims
from nextlabel.store.data_records import keep_data, read_data
from nextlabel.store.database import address, connect, place, quick_check, sentences
from nextlabel.store.integrity import damage, table
from nextlabel.store.maps import Map, keep_map, read_maps
from nextlabel.store.read_only import read
from nextlabel.store.records import DataRecord, Picture, TrialRecord, TrialState
from nextlabel.store.rows import check_finite, find_experiment, find_trial, initial_hash
from nextlabel.store.statuses import TrialCount, TrialStatus, count_statuses, read_statuses
from nextlabel.store.transactions import write

__all__ = ["DataRecord", "Picture", "Store", "TrialRecord", "TrialState", "initial_hash"]

T = TypeVar("T")

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Store:
    """Experiments, trials, rounds and pictures in SQLite or another SQL database.

    A store is a context manager that closes the database.

    **Rows are never changed.** Rounds, their metrics, seconds and pictures are added once and
    stay. Only a trial's status, its block logs, its next picks and its map are replaced.

    **One transaction per call.** After a crash at any moment a round is there in full, with its
    seconds and pictures, or not at all.

    **One writer.** One driver writes to a SQLite file at a time; another one gets a StoreError.
    Several drivers write to a server's database: each claims a trial before it runs it.

    **Pairing.** Trials of the same experiment, seed, start and data have the same initial labels.
    A round 0 or a `begin` that breaks this is refused.

    **Damage.** A value that no run has written is a StoreError with the code ``store-damaged``.
    """

    def __init__(self, engine: Engine, url: URL, busy: float) -> None:
        self._engine, self._writer = engine, engine.execution_options(writing=True)
        self._url, self._busy = url, busy

    @classmethod
    def open(cls, location: str | Path, *, create: bool = True, busy: float = 30.0) -> "Store":
        """Open a store for reading and writing; an older schema is upgraded.

        Parameters
        ----------
        location : str or Path
            A path, or a database URL such as ``postgresql://host/name``.
        create : bool
            Whether to make a store where there is none.
        busy : float
            Seconds to wait for another writer.

        Raises
        ------
        StoreError
            When the store is missing and not to be created, not writable, locked, not a store of
            nextlabel, or of a newer schema.
        """
        url = address(location)
        return cls(connect(url, create=create, busy=busy), url, busy)

    @classmethod
    def read(cls, location: str | Path, *, busy: float = 30.0) -> "Store":
        """Open a store for reading alone; no file is written or made.

        Parameters
        ----------
        location, busy
            As `open` has them.

        Raises
        ------
        StoreError
            When the store is missing, damaged, not a store of nextlabel, of a newer schema, or of
            an older schema and not writable: only an older one is upgraded.
        """
        url = address(location)
        return cls(read(url, busy), url, busy)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Store({self.location!r})"

    @property
    def location(self) -> str:
        """The file, or the URL without its password."""
        return place(self._url)

    def close(self) -> None:
        """Close the database."""
        self._engine.dispose()

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        with (
            sentences(self._url, self._busy),
            damage(lambda: quick_check(self._engine)),
            Session(self._engine) as session,
            session.begin(),
        ):
            yield session

    def _write(self, function: Callable[..., T], *arguments: Any) -> T:
        with sentences(self._url, self._busy):
            return write(self._writer, function, *arguments)

    def enrol(
        self, experiment: str, spec: Mapping[str, Any], trials: Sequence[TrialRecord]
    ) -> None:
        """Store an experiment, and that exactly `trials` are its members.

        Parameters
        ----------
        experiment : str
            Its name.
        spec : mapping
            Its settings with all defaults, as JSON values.
        trials : sequence of TrialRecord
            In the order of `trials`. Stored ones keep their rounds.

        Raises
        ------
        StoreError
            When two trials have the same key, or the hypotheses changed after the first round.
        """
        if len({trial.key for trial in trials}) < len(trials):
            raise StoreError(
                f"two trials of {experiment!r} have the same key; give each arm and seed once",
                code="trial-twice",
            )
        self._write(writes.enrol, experiment, spec, trials)

    def begin(
        self, key: str, environment: Mapping[str, Any], initial_hash: str | None = None
    ) -> None:
        """Set an enrolled trial to running; its next rounds belong to `environment`.

        Parameters
        ----------
        key : str
            The key of the trial.
        environment : mapping
            Hardware, versions and files, as JSON values.
        initial_hash : str, optional
            `initial_hash` of the initial ids, where they are known.

        Raises
        ------
        StoreError
            When the trial is not enrolled, or its initial labels break the pairing.
        """
        self._write(writes.begin, key, environment, initial_hash)

    def append(self, key: str, round: Round, pictures: Mapping[str, bytes] = NOTHING) -> None:
        """Add the next round of an enrolled trial.

        Parameters
        ----------
        key : str
            The key of the trial.
        round : Round
            The round; its number is the number of rounds that are stored.
        pictures : mapping of str to bytes
            PNG files by kind.

        Raises
        ------
        StoreError
            When the round is not the next one, holds a number that is not finite, or breaks the
            pairing. Nothing of it is stored then.
        """
        check_finite(key, round)
        self._write(writes.append, key, round, pictures)

    def log_block(
        self,
        key: str,
        block: str,
        log: Sequence[Mapping[str, float]],
        pictures: Mapping[str, bytes] = NOTHING,
    ) -> None:
        """Store the numbers per epoch and the PNG pictures of a feature block, the latest only."""
        self._write(writes.log_block, key, block, log, pictures)

    def finish(self, key: str) -> None:
        """Set a trial to done: it has reached its target."""
        self._write(writes.finish, key)

    def fail(self, key: str, error: str, traceback: str = "") -> None:
        """Set a trial to failed with its error; its rounds stay."""
        self._write(writes.fail, key, error, traceback)

    def keep_map(self, map: Map, environment: Mapping[str, Any]) -> None:
        """Store a map in the place of an earlier one; a new experiment is added without trials."""
        self._write(keep_map, map, environment)

    def keep_data(self, record: DataRecord) -> None:
        """Store the names, labels and counts of a data set, once per checksum."""
        self._write(keep_data, record)

    def keep_next_picks(self, key: str, ids: Ids) -> None:
        """Store the ids to pick after a trial's last round; StoreError when it has no round."""
        self._write(writes.keep_next_picks, key, ids)

    def data_record(self, key: str) -> DataRecord | None:
        """Return the data set of a trial; None when an older nextlabel ran it."""
        with self._reading() as session:
            return read_data(session, find_trial(session, key))

    def next_picks(self, key: str) -> Ids | None:
        """Return the ids (n,) that a trial picks after its last round; None before its end."""
        with self._reading() as session:
            return queries.read_next_picks(session, queries.one(session, key)).get(key)

    def history(self, key: str) -> list[Round]:
        """Return a trial's rounds in order, equal to those that were appended."""
        with self._reading() as session:
            return queries.read_history(session, key)

    def histories(self, experiment: str) -> Mapping[str, list[Round]]:
        """Return the `history` of every trial of an experiment, by key."""
        with self._reading() as session:
            return queries.read_histories(session, experiment)

    def environments(self, key: str) -> list[Mapping[str, Any]]:
        """Return the environments of a trial's rounds, each once, in their order."""
        with self._reading() as session:
            return queries.read_environments(session, queries.one(session, key)).get(key, [])

    def experiments(self) -> list[str]:
        """Return the names of the experiments, in the order in which they were enrolled."""
        with self._reading() as session:
            return queries.read_experiments(session)

    def experiment(self, name: str) -> Mapping[str, Any]:
        """Return an experiment's settings; StoreError when the store does not have it."""
        with self._reading() as session:
            return table("spec", find_experiment(session, name).spec)

    def trials(self, experiment: str, seed: int | None = None) -> list[TrialState]:
        """Return an experiment's trials in the enrolled order, or those of one seed."""
        with self._reading() as session:
            return queries.read_trials(session, experiment, seed)

    def statuses(self, experiment: str) -> list[TrialStatus]:
        """Return the `trials` in short: without settings and environments."""
        with self._reading() as session:
            return read_statuses(session, experiment)

    def counts(self, experiment: str, alone: Collection[str] = ()) -> list[TrialCount]:
        """Return the `statuses` by arm and status; those that run, failed or are `alone` singly."""
        with self._reading() as session:
            return count_statuses(session, experiment, alone)

    def pictures(self, key: str) -> list[Picture]:
        """Return a trial's pictures: those of its blocks, then those of its rounds in order."""
        with self._reading() as session:
            return queries.read_pictures(session, key)

    def block_logs(self, key: str) -> Mapping[str, list[Mapping[str, float]]]:
        """Return the numbers per epoch of each feature block of a trial."""
        with self._reading() as session:
            return queries.read_block_logs(session, queries.one(session, key)).get(key, {})

    def details(self, experiment: str) -> queries.Details:
        """Return environments, next picks and block logs of all trials, read when needed."""
        return queries.Details(self._reading, experiment)

    def maps(self, experiment: str) -> list[Map]:
        """Return an experiment's maps, in the order of its arms, then by seed."""
        with self._reading() as session:
            return read_maps(session, experiment)

    @property
    def claims(self) -> Claims:
        """The claims of drivers on trials, where several drivers share the database."""
        return Claims(self._engine.dialect.name == "postgresql", self._write, self._reading)
