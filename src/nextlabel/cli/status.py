"""`nextlabel status`: the state of each trial, read from the store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from nextlabel.cli import options
from nextlabel.cli.output import note, plural, put_json, put_table
from nextlabel.core.errors import StoreError

if TYPE_CHECKING:
    from nextlabel.store.claims import Claim
    from nextlabel.store.statuses import TrialStatus
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

    counted: list[Row] = []
    notable: list[Row] = []
    listed: list[Row] = []
    for location in store_locations(store, experiment):
        with Store.read(location) as opened:
            drivers = _Drivers.of(opened)
            for name in names(opened, experiment):
                by_arm, by_name = ([], []) if json or trials else _counted(opened, name, drivers)
                counted += by_arm
                notable += by_name
                if not by_arm:
                    listed += [drivers.row(name, trial) for trial in opened.statuses(name)]
    if json:
        put_json(listed)
    elif not counted and not listed:
        note("the store does not contain an experiment yet")
    else:
        _put(counted, ("experiment", "arm", "trials", *STATES, "labels"), STATES)
        columns = "experiment", "arm", "seed", "status", "rounds", "labels", "driver", "error"
        _put([*notable[:NOTABLE], *listed], columns, ("driver",))
        if counted:
            hidden = max(0, len(notable) - NOTABLE)
            more = f"{plural(hidden, 'more trial')} that run or failed; " if hidden else ""
            note(f"{more}--trials lists each trial")


def _put(rows: Sequence[Row], columns: Sequence[str], optional: Sequence[str]) -> None:
    """Write a table, without those of the `optional` columns that are empty."""
    shown = [c for c in columns if c not in optional or any(row[c] for row in rows)]
    if rows:
        put_table(shown, [["" if row[c] is None else row[c] for c in shown] for row in rows])


@dataclass(frozen=True)
class _Drivers:
    """The claims in a store, and whether its file is known to have no driver."""

    claims: "Mapping[str, Claim]"
    shared: bool
    idle: bool

    @classmethod
    def of(cls, store: "Store") -> "_Drivers":
        from nextlabel.engine.lock import is_held

        return cls(store.claims.read(), store.claims.shared, is_held(store) is False)

    def row(self, experiment: str, trial: "TrialStatus") -> Row:
        """Return the state of a trial with its driver; one that lost its driver is interrupted."""
        claim = self.claims.get(trial.key)
        left = claim is None if self.shared else self.idle
        interrupted = left and trial.status == "running"
        return {
            "experiment": experiment,
            "arm": trial.arm,
            "seed": trial.seed,
            "status": "interrupted" if interrupted else trial.status,
            "rounds": trial.rounds,
            "labels": trial.labelled_count,
            "driver": None if claim is None else claim.driver,
            "error": trial.error,
        }


def _counted(store: "Store", name: str, drivers: _Drivers) -> tuple[list[Row], list[Row]]:
    """Return one row per arm with its number of trials in each state, and one per notable trial.

    Notable are those that failed or have a driver. Both are empty when there are few trials.
    """
    counts = store.counts(name, drivers.claims)
    if sum(count.trials for count in counts) <= LONGEST:
        return [], []
    arms: dict[str, Row] = {}
    notable = []
    for count in counts:
        if count.arm not in arms:
            arms[count.arm] = {"experiment": name, "arm": count.arm, "trials": 0, "labels": 0}
            arms[count.arm] |= dict.fromkeys(STATES, 0)
        row = None if count.single is None else drivers.row(name, count.single)
        if row is not None and (row["driver"] is not None or row["status"] == "failed"):
            notable.append(row)
        arm = arms[count.arm]
        arm[count.status if row is None else row["status"]] += count.trials
        arm["trials"] += count.trials
        arm["labels"] += count.labels
    means = ({"labels": f"{arm['labels'] / arm['trials']:.0f}"} for arm in arms.values())
    return [arm | mean for arm, mean in zip(arms.values(), means, strict=True)], notable


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
