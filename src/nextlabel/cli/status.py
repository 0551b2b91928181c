"""`nextlabel status`: the state of each trial, read from the store."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nextlabel.cli import options
from nextlabel.cli.output import note, put_json, put_table
from nextlabel.core.errors import StoreError

if TYPE_CHECKING:
    from nextlabel.store.store import Store


def command(
    experiment: Annotated[
        str | None, typer.Argument(metavar="[EXPERIMENT]", help="Its name; all by default.")
    ] = None,
    store: options.StoreAt = None,
    json: options.AsJson = False,
) -> None:
    """Show each trial's state, rounds, labels, driver and error, also while it runs."""
    from nextlabel.store.store import Store

    rows = []
    for location in store_locations(store, experiment):
        with Store.read(location) as opened:
            for name in names(opened, experiment):
                rows += [{"experiment": name, **row} for row in _rows(opened, name)]
    if json:
        put_json(rows)
    elif not rows:
        note("the store does not contain an experiment yet")
    else:
        headers = ["experiment", "arm", "seed", "status", "rounds", "labels", "driver", "error"]
        if not any(row["driver"] for row in rows):
            headers.remove("driver")
        put_table(headers, [["" if row[h] is None else row[h] for h in headers] for row in rows])


def _rows(store: "Store", name: str) -> Iterator[dict[str, object]]:
    from nextlabel.engine.lock import is_held

    stopped, claims = is_held(store) is False, store.claims.read()
    for trial in store.trials(name):
        claim = claims.get(trial.record.key)
        left = claim is None if store.claims.shared else stopped
        interrupted = left and trial.status == "running"
        yield {
            "arm": trial.record.arm,
            "seed": trial.record.seed,
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
        missing = "an experiment" if experiment is None else f"experiment {experiment!r}"
        raise StoreError(
            f"{missing} was not found in {Path.cwd() / 'runs'}; give --store, or run one first",
            code="experiment-not-found",
        )
    return [str(path) for path in paths]


def names(store: "Store", experiment: str | None) -> list[str]:
    """Return the experiments to show: the requested one, or all."""
    if experiment is None:
        return store.experiments()
    store.experiment(experiment)  # raises StoreError with the nearest name
    return [experiment]
