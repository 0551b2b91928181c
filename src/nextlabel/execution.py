"""Experiments from Python: running them, and reading their results."""

from collections.abc import Callable, Sequence
from contextlib import closing
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING

from nextlabel.core.errors import NextlabelError, UsageError
from nextlabel.experiment.parse import load_experiment
from nextlabel.experiment.spec import Experiment
from nextlabel.files.output_mark import make_output

if TYPE_CHECKING:
    from nextlabel.engine.events import Event
    from nextlabel.report.results import Results


def run(
    experiment: Experiment | str | PathLike[str],
    store: str | PathLike[str] | None = None,
    jobs: int = 1,
    on_event: "Callable[[Event], object] | None" = None,
    *,
    overrides: Sequence[str] = (),
    arms: Sequence[str] | None = None,
    data_dir: str | PathLike[str] | None = None,
    cache_dir: str | PathLike[str] | None = None,
) -> "Results":
    """Run an experiment to its end and return its results.

    Every finished round is in the store, so the same call again continues an interrupted run, and
    returns at once when all is done.

    Parameters
    ----------
    experiment
        The path of a TOML file, or an Experiment.
    store
        The path or URL of the database; by default runs/NAME/store.db, as for `nextlabel run`.
    jobs
        The number of trials that run at the same time, each in a process of its own.
    on_event
        A function that is called with each event of the run, for example to print it.
    overrides
        Changes to the file, such as "seeds=[0, 1]" or "arms.0.features.vae=2".
    arms
        The names of the arms to run; all by default.
    data_dir
        The folder of the data sets; by default that of the environment variable NEXTLABEL_DATA.
    cache_dir
        The folder of fitted features, or an fsspec URL; the user's cache folder by default.

    Returns
    -------
    Results
        The results, as `read_results` returns them.

    Raises
    ------
    UsageError
        The experiment, or an argument, is wrong.
    DataError
        The data set cannot be used.
    NextlabelError
        A trial failed. All others ran to their end, and the same call tries this one again.

    Notes
    -----
    Trials run in processes of their own. In a script, call this below
    ``if __name__ == "__main__":``, as Python's multiprocessing demands.

    Examples
    --------
    >>> from nextlabel import run
    >>> results = run("first.toml", jobs=2)  # doctest: +SKIP
    >>> results.summary()  # doctest: +SKIP
    """
    from nextlabel.engine.events import TrialFailed
    from nextlabel.engine.run import run as events_of
    from nextlabel.project.exchange.experiment_data import with_project_data
    from nextlabel.store.store import Store

    if isinstance(experiment, Experiment):
        spec = experiment
        if overrides:
            raise UsageError(
                "overrides change a file, and an Experiment was given; give its path, or change it "
                "by experiment.model_copy(update={…})",
                code="overrides-without-a-file",
            )
    else:
        spec = load_experiment(experiment, overrides, with_project_data)
    location = str(store or Path("runs") / spec.name / "store.db")
    if "://" not in location:
        make_output(Path(location).parent)
    failures = []
    with (
        Store.open(location) as opened,
        closing(
            events_of(
                spec,
                opened,
                data_dir=None if data_dir is None else Path(data_dir),
                cache_dir=None if cache_dir is None else fspath(cache_dir),
                jobs=jobs,
                arms=arms,
            )
        ) as events,
    ):
        for event in events:
            if isinstance(event, TrialFailed):
                failures.append(event)
            if on_event is not None:
                on_event(event)
    if failures:
        first = failures[0]
        raise NextlabelError(
            f"{len(failures)} of the trials failed, the first of them arm {first.arm!r} with seed "
            f"{first.seed}: {first.error}; the same call tries them again",
            code="trials-failed",
        )
    return read_results(location, spec.name)


def read_results(store: str | PathLike[str], experiment: str | None = None) -> "Results":
    """Read the results of an experiment from a store.

    Parameters
    ----------
    store
        The path or URL of the database, or the folder that has a `store.db`.
    experiment
        The name of the experiment; needed when the store holds several.

    Returns
    -------
    Results
        The trials with their rounds, and tables of them.

    Raises
    ------
    UsageError
        The store does not hold the experiment, or holds several.
    StoreError
        The store is missing or damaged.

    Examples
    --------
    >>> from nextlabel import read_results
    >>> results = read_results("runs/first")  # doctest: +SKIP
    """
    from nextlabel.report.results import read_results as read_store
    from nextlabel.store.store import Store

    location = str(store)
    if "://" not in location and Path(location).is_dir():
        location = str(Path(location) / "store.db")
    with Store.read(location) as opened:
        return read_store(opened, experiment)
