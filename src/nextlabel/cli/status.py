"""`nextlabel status`: the state of each trial, read from the store."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from nextlabel.cli import options
from nextlabel.cli.output import note, plural, put_json, put_table
from nextlabel.core.errors import StoreError

if TYPE_CHECKING:
    from nextlabel.store.claims import Claim
    from nextlabel.store.statuses import TrialCount, TrialStatus
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

    shown: dict[str, _Experiment] = {}
    for location in store_locations(store, experiment):
        with Store.read(location) as opened:
            for name in names(opened, experiment):
                of_name = shown.setdefault(name, _Experiment(name))
                of_name.read(opened, whole=json or trials)
    experiments = list(shown.values())
    many = [its for its in experiments if its.trials > LONGEST]
    listed = [row for its in experiments if its not in many for row in its.rows]
    if json:
        put_json(listed)
    elif not many and not listed:
        note("the store does not contain an experiment yet")
    else:
        counted = [row for its in many for row in its.by_arm()]
        notable = [row for its in many for row in its.notable]
        _put(counted, ("experiment", "arm", "trials", *STATES, "labels"), STATES)
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


@dataclass(eq=False)
class _Experiment:
    """An experiment as it is shown: its trials counted by arm, or listed where they are few.

    `rows` lists the trials of each store that has at most LONGEST of them, or of all stores if the
    whole was read; nothing is counted then. `notable` are those that failed or have a driver.
    """

    name: str
    trials: int = 0
    arms: dict[str, Counter[str]] = field(default_factory=dict)
    notable: list[Row] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)

    def read(self, store: "Store", whole: bool) -> None:
        """Add what a store has of the experiment; each trial of it with `whole`."""
        drivers = _Drivers.of(store)
        if not whole:
            counts = store.counts(self.name, drivers.claims)
            for count in counts:
                self._add(count, drivers)
            whole = sum(count.trials for count in counts) <= LONGEST
        if whole:
            self.rows += [drivers.row(self.name, trial) for trial in store.statuses(self.name)]

    def _add(self, count: "TrialCount", drivers: "_Drivers") -> None:
        status = count.status
        if count.single is not None:
            row = drivers.row(self.name, count.single)
            status = row["status"]
            if row["driver"] is not None or status == "failed":
                self.notable.append(row)
        self.trials += count.trials
        arm = self.arms.setdefault(count.arm, Counter())
        arm.update({"trials": count.trials, "labels": count.labels, status: count.trials})

    def by_arm(self) -> list[Row]:
        """Return one row per arm: its number of trials in each state, and their mean labels."""
        return [
            {
                "experiment": self.name,
                "arm": arm,
                "trials": its["trials"],
                **{state: its[state] for state in STATES},
                "labels": f"{its['labels'] / its['trials']:.0f}",
            }
            for arm, its in self.arms.items()
        ]


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
