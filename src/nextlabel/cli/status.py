"""`nextlabel status`: the state of each trial, read from the store."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from nextlabel.cli import options
from nextlabel.cli.output import note, plural, put_json, put_table
from nextlabel.core.errors import StoreError

if TYPE_CHECKING:
    from nextlabel.store.store import Store

Row: TypeAlias = dict[str, Any]

LONGEST = 100
"""Trials of an experiment that are listed one by one; more are counted by arm."""

NOTABLE = 20
"""Trials that are named next to the counts: those that failed, and those that have a driver."""

STATES = ("done", "running", "interrupted", "failed", "pending")


def command(
    experiment: Annotated[
        str | None,
        typer.Argument(metavar="[EXPERIMENT]", help="The experiment's name; all by default."),
    ] = None,
    store: options.StoreAt = None,
    trials: Annotated[
        bool,
        typer.Option(
            "--trials", help=f"List each trial, also of an experiment that has more than {LONGEST}."
        ),
    ] = False,
    json: options.AsJson = False,
) -> None:
    """Show each trial's state, rounds, labels, driver and error, also while it runs."""
    from nextlabel.store.store import Store

    experiments: dict[str, list[Row]] = {}
    rows = []
    for location in store_locations(store, experiment):
        with Store.read(location) as opened:
            for name in names(opened, experiment):
                of_experiment = [{"experiment": name, **row} for row in _rows(opened, name)]
                experiments.setdefault(name, []).extend(of_experiment)
                rows += of_experiment
    if json:
        put_json(rows)
    elif not rows:
        note("the store does not contain an experiment yet")
    else:
        many = {n for n, its in experiments.items() if len(its) > LONGEST and not trials}
        counted = [
            row for name in experiments if name in many for row in _by_arm(experiments[name])
        ]
        notable = [row for row in rows if row["experiment"] in many and _is_notable(row)]
        _put(counted, ("experiment", "arm", "trials", *STATES, "labels"), STATES)
        listed = [row for row in rows if row["experiment"] not in many]
        columns = "experiment", "arm", "seed", "status", "rounds", "labels", "driver", "error"
        _put([*notable[:NOTABLE], *listed], columns, ("driver",))
        if many:
            hidden = max(0, len(notable) - NOTABLE)
            more = f"{plural(hidden, 'more trial')} that run or failed; " if hidden else ""
            note(f"{more}--trials lists each trial")


def _put(rows: Sequence[Row], columns: Sequence[str], optional: Sequence[str]) -> None:
    """Write a table, without those of the `optional` columns that are empty."""
    shown = [c for c in columns if c not in optional or any(row[c] for row in rows)]
    if rows:
        put_table(shown, [["" if row[c] is None else row[c] for c in shown] for row in rows])


def _by_arm(rows: Sequence[Row]) -> list[Row]:
    """Return one row per arm: how many of its trials are in each state, and their mean labels."""
    arms: dict[object, list[Row]] = {}
    for row in rows:
        arms.setdefault(row["arm"], []).append(row)
    return [
        {
            "experiment": its[0]["experiment"],
            "arm": arm,
            "trials": len(its),
            **{state: sum(row["status"] == state for row in its) for state in STATES},
            "labels": f"{sum(row['labels'] for row in its) / len(its):.0f}",
        }
        for arm, its in arms.items()
    ]


def _is_notable(row: Row) -> bool:
    return row["driver"] is not None or row["status"] == "failed"


def _rows(store: "Store", name: str) -> Iterator[Row]:
    from nextlabel.engine.lock import is_held

    stopped, claims = is_held(store) is False, store.claims.read()
    for trial in store.statuses(name):
        claim = claims.get(trial.key)
        left = claim is None if store.claims.shared else stopped
        interrupted = left and trial.status == "running"
        yield {
            "arm": trial.arm,
            "seed": trial.seed,
            "status": "interrupted" if interrupted else trial.status,
            "rounds": trial.rounds,
            "labels": trial.labelled_count,
            "driver": None if claim is None else claim.driver,
            "error": trial.error,
        }


def store_locations(store: str | None, experiment: str | None) -> list[str]:
    """Return the requested store, or those under runs/; StoreError when there is not any."""
    if store is not None:
        return [store]
    paths = sorted(Path("runs").glob(f"{experiment or '*'}/store.db"))
    if not paths:
        missing = "no experiment" if experiment is None else f"no experiment {experiment!r}"
        raise StoreError(
            f"there is {missing} in {Path.cwd() / 'runs'}; give --store, or run one first",
            code="experiment-not-found",
        )
    return [str(path) for path in paths]


def names(store: "Store", experiment: str | None) -> list[str]:
    """Return the experiments to show: the requested one, or all."""
    if experiment is None:
        return store.experiments()
    store.experiment(experiment)  # raises StoreError with the nearest name
    return [experiment]
