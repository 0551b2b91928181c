"""`nextlabel status`: how far each trial is, read from the store alone."""

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
    """Show each trial's state, rounds, labels and error, also while it runs."""
    found = []
    for location in places(store, experiment):
        from nextlabel.store.store import Store

        with Store.read(location) as opened:
            for name in names(opened, experiment):
                found += [{"experiment": name, **row} for row in _rows(opened, name)]
    if json:
        put_json(found)
    elif not found:
        note("the store holds no experiment yet")
    else:
        headers = ("experiment", "arm", "seed", "status", "rounds", "labels", "error")
        put_table(
            headers,
            [[row[h] or ("" if h == "error" else row[h]) for h in headers] for row in found],
        )


def _rows(store: "Store", name: str) -> Iterator[dict[str, object]]:
    for trial in store.trials(name):
        yield {
            "arm": trial.record.arm,
            "seed": trial.record.seed,
            "status": trial.status,
            "rounds": trial.rounds,
            "labels": trial.labelled_count,
            "error": trial.error,
        }


def places(store: str | None, experiment: str | None) -> list[str]:
    """Return the store asked for, else those under runs/; StoreError when there is none."""
    if store is not None:
        return [store]
    found = sorted(Path("runs").glob(f"{experiment or '*'}/store.db"))
    if not found:
        wanted = f"runs/{experiment or '*'}/store.db"
        raise StoreError(f"there is no {wanted} in {Path.cwd()}; give --store, or run one first")
    return [str(path) for path in found]


def names(store: "Store", experiment: str | None) -> list[str]:
    """Return the experiments to show: the one asked for, if the store has it, or all."""
    known = store.experiments()
    if experiment is None:
        return known
    store.experiment(experiment)  # raises StoreError with the nearest name
    return [experiment]
