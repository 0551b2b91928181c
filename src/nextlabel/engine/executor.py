"""The executor protocol: the seam between the driver and the machines that run trials."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Protocol, Self, TypeAlias

from nextlabel.core.round import Round
from nextlabel.engine.messages import Message
from nextlabel.features.cache import CacheLocation
from nextlabel.trial.spec import TrialSpec

RunTrial: TypeAlias = Callable[
    [TrialSpec, Sequence[Round], Path | None, CacheLocation], Iterator[Message]
]
"""From trial, history, data folder and cache folder to messages: `worker.run_trial_messages`."""

Emit: TypeAlias = Callable[[Message], object]
"""Hands a message of a trial to the executor, which carries it to the driver."""


@dataclass(frozen=True, eq=False)
class Assignment:
    """A trial as it is handed to a worker.

    Parameters
    ----------
    key : str
        The key of the trial, which the worker's own data must lead to.
    trial : TrialSpec
        The arm and the seed to run.
    history : sequence of Round
        The stored rounds of the trial; it continues after them.
    data_dir : Path or None
        The folder of the data sets.
    cache_dir : Path or str
        The folder, or fsspec URL, of fitted features.
    """

    key: str
    trial: TrialSpec
    history: Sequence[Round]
    data_dir: Path | None
    cache_dir: CacheLocation


Work: TypeAlias = Callable[[Assignment, Emit], None]
"""The function that a worker calls: it runs the trial and emits its messages."""


@dataclass(frozen=True)
class Setup:
    """The settings of an executor, as the command line has them.

    Parameters
    ----------
    jobs : int or None
        The number of trials at a time; None leaves it to the executor.
    threads : int
        The number of threads per trial.
    data_dir : Path or None
        The folder of the data sets.
    cache_dir : Path, str or None
        The folder, or fsspec URL, of fitted features; None is the user's cache folder.
    scheduler : str or None
        The address of a cluster's scheduler; None lets the executor start a cluster of its own.
    mixed_workers : bool
        Whether workers may differ in versions and kind of processor.
    device : str
        `training.device` of the experiment.
    """

    jobs: int | None = None
    threads: int = 1
    data_dir: Path | None = None
    cache_dir: CacheLocation | None = None
    scheduler: str | None = None
    mixed_workers: bool = False
    device: str = "cpu"

    @property
    def cluster_options(self) -> frozenset[str]:
        """The names of the options that were given and that not every executor has."""
        given = {"scheduler": self.scheduler is not None, "mixed_workers": self.mixed_workers}
        return frozenset(name for name, is_given in given.items() if is_given)


class Executor(Protocol):
    """Runs trials somewhere and delivers their messages.

    The driver submits trials, takes their messages and writes the store. An executor never opens
    the store.

    **Order.** The messages of one trial arrive in the order in which they were sent. Messages of
    different trials may arrive in any order.

    **End.** Exactly one `DoneMessage`, `FailedMessage` or `LostMessage` ends each submission, and
    nothing of that submission arrives after it: late messages of a lost worker are dropped.

    **Loss.** A worker that dies is a `LostMessage` and not an exception, also when it dies during
    `submit`. The driver decides on another try. It submits the trial again with the rounds that
    are in the store by then, and the trial may run on another worker.

    **Data.** Images do not travel. A worker loads the data set itself; the trial, its history and
    the messages can be pickled.

    **Closing.** The executor is a context manager. After it no trial runs, also when the driver
    was interrupted; a worker of a cluster may first finish the round that it is in.

    `uses` are the names of the cluster options of `Setup` that the executor has.
    """

    uses: ClassVar[frozenset[str]]

    @classmethod
    def of(cls, setup: Setup) -> Self:
        """Return an executor as `setup` says."""
        ...

    @property
    def jobs(self) -> int:
        """The number of trials that run at a time; the order of the trials depends on it."""
        ...

    @property
    def summary(self) -> str:
        """The place where trials run, in one sentence for the user; empty for this machine."""
        ...

    @property
    def ready(self) -> bool:
        """True when another trial can be submitted now."""
        ...

    def prepare(self) -> None:
        """Start slow preparations, such as imports, in the background.

        Called at most once, before the driver loads the data, and only when trials are expected.
        """
        ...

    def submit(self, key: str, trial: TrialSpec, history: Sequence[Round]) -> None:
        """Start a trial that continues after its stored rounds.

        Parameters
        ----------
        key : str
            Name of the trial in `receive`. A key is not submitted again before its last message.
        trial : TrialSpec
            The arm and the seed to run.
        history : sequence of Round
            The stored rounds of the trial, from round 0 on without a gap; empty for a new trial.
        """
        ...

    def receive(self, timeout: float) -> Iterator[tuple[str, Message]]:
        """Yield the messages that have arrived, with the keys of their trials.

        Parameters
        ----------
        timeout : float
            Seconds to wait when no message has arrived.

        Yields
        ------
        key : str
            The key of the trial.
        message : Message
            The next message of that trial.
        """
        ...

    def __enter__(self) -> Self:
        """Return the executor."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End all trials."""
        ...
