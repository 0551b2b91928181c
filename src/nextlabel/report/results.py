"""The results of an experiment, read once from a store."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath
from typing import TYPE_CHECKING

from nextlabel.core.errors import UsageError, nearest
from nextlabel.core.round import Round
from nextlabel.report.comparisons import Pair, compare_arms
from nextlabel.report.experiment_record import ExperimentRecord, Trial
from nextlabel.report.frame import make_frame
from nextlabel.report.hypotheses import HypothesisResult, judge_hypotheses
from nextlabel.report.picks import (
    ClassShares,
    class_share_frame,
    class_shares,
    next_pick_frame,
    pick_frame,
)
from nextlabel.report.run_time import time_frame
from nextlabel.report.summary import SummaryRow, summarise
from nextlabel.report.sweeps import Sweep, find_sweeps
from nextlabel.report.tables import (
    area_frame,
    count_frame,
    curve_frame,
    hypothesis_frame,
    metric_frame,
    round_frame,
    saving_frame,
    trial_frame,
)
from nextlabel.store.maps import Map
from nextlabel.store.queries import Details
from nextlabel.store.records import DataRecord
from nextlabel.store.store import Store, TrialState
from nextlabel.store.stored_spec import check_arms, check_spec

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True, eq=False)
class Results(ExperimentRecord):
    """The results of an experiment: trials, tests and tables, each computed once when needed.

    The methods return pandas DataFrames. Pictures and file names stay in the database until they
    are needed, so it must not be moved before.

    Examples
    --------
    >>> from nextlabel import read_results
    >>> read_results("runs/first").summary()  # doctest: +SKIP
    """

    store: Store

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """Each arm with a baseline against that baseline, in the arms' order."""
        return compare_arms(self)

    @cached_property
    def hypotheses(self) -> tuple[HypothesisResult, ...]:
        """The stated hypotheses with their tests, in the experiment's order."""
        return judge_hypotheses(self)

    @cached_property
    def sweeps(self) -> tuple[Sweep, ...]:
        """The sweeps over the weight of a block."""
        return find_sweeps(self)

    @cached_property
    def maps(self) -> tuple[Map, ...]:
        """The maps of feature spaces that the store holds for the experiment."""
        return tuple(self.store.maps(self.name))

    @cached_property
    def data(self) -> DataRecord | None:
        """The data set; None when an earlier version of nextlabel wrote the store."""
        return self.store.data_record(self.trials[0].key) if self.trials else None

    @property
    def data_name(self) -> str:
        """The name of the data set; of a folder, the name of the folder."""
        if self.data is not None:
            return self.data.name
        spec = self.spec["data"]
        path = spec.get("path")
        folder = PurePath(path).name if isinstance(path, str) and spec["name"] == "folder" else ""
        return folder or str(spec["name"])

    @cached_property
    def class_shares(self) -> tuple[ClassShares, ...]:
        """The share of each class among the picks, per arm."""
        return class_shares(self, self.data)

    @cached_property
    def summary_rows(self) -> tuple[SummaryRow, ...]:
        """One row per arm, in the experiment's order."""
        return tuple(summarise(self, self.pairs))

    def summary(self) -> "DataFrame":
        """Return one row per arm: its curve in short, and the difference to its baseline."""
        columns = SummaryRow.__dataclass_fields__
        return make_frame(tuple(columns), map(vars, self.summary_rows))

    def rounds(self) -> "DataFrame":
        """Return one row per round of every trial, with all its measurements."""
        return round_frame(self)

    def picks(self) -> "DataFrame":
        """Return one row per picked image: arm, seed, round, order, id, file name, true class."""
        return pick_frame(self, self.data)

    def next_picks(self) -> "DataFrame":
        """Return the images that each trial would label next, as `picks` does."""
        return next_pick_frame(self, self.data)

    def class_share_table(self) -> "DataFrame":
        """Return the share of each class among the picks, per arm and round."""
        return class_share_frame(self.class_shares)

    def trials_table(self) -> "DataFrame":
        """Return one row per trial, with its state."""
        return trial_frame(self)

    def curves(self) -> "DataFrame":
        """Return the mean and s.d. of the headline metric per arm and label count."""
        return curve_frame([self.curve(arm) for arm in self.drawn])

    def areas(self) -> "DataFrame":
        """Return one row per arm: the area under its curve, and the test against its baseline."""
        return area_frame(self, self.pairs)

    def p_values(self) -> "DataFrame":
        """Return the paired t test of every pair at every label count."""
        return count_frame(self.pairs)

    def label_savings(self) -> "DataFrame":
        """Return the labels saved by every arm against its baseline, at every label count."""
        return saving_frame(self.pairs)

    def hypothesis_tests(self) -> "DataFrame":
        """Return one row per stated hypothesis."""
        return hypothesis_frame(self.hypotheses)

    def metrics_table(self) -> "DataFrame":
        """Return every metric of the last round per arm: mean and s.d. over seeds."""
        return metric_frame(self)

    def times(self) -> "DataFrame":
        """Return the mean time of a complete trial and the peak memory, per arm."""
        return time_frame(self)


def read_results(store: Store, experiment: str | None = None) -> Results:
    """Read the results of an experiment.

    Parameters
    ----------
    store
        An open store.
    experiment
        The name of the experiment; None when the store holds only one.

    Returns
    -------
    Results
        The experiment with its trials. Rounds beyond its target are left out, since a trial may be
        shared with a longer experiment.

    Raises
    ------
    UsageError
        The store does not hold the experiment, or holds several and none is named.
    StoreError
        The store is damaged.
    """
    name = _choose(store, experiment)
    spec = check_spec(store.experiment(name), store.location)
    states = store.trials(name)
    check_arms(spec, {state.record.arm for state in states}, store.location)
    histories, target = store.histories(name), spec["target"]
    details = store.details(name)
    trials = tuple(
        _trial(store, details, s, histories.get(s.record.key, []), target) for s in states
    )
    return Results(name, spec, trials, store)


def _choose(store: Store, experiment: str | None) -> str:
    names = store.experiments()
    if experiment is None:
        if len(names) != 1:
            remedy = f" ({', '.join(names)}); name one" if names else "; run one first"
            raise UsageError(
                f"{store.location} holds {len(names)} experiments{remedy}",
                code="experiment-not-named" if names else "no-experiment",
            )
        return names[0]
    if experiment not in names:
        hint = nearest(experiment, names) if names else "run it first"
        raise UsageError(
            f"experiment {experiment!r} is not in {store.location}; {hint}",
            code="experiment-not-in-store",
        )
    return experiment


def _trial(
    store: Store, details: Details, state: TrialState, history: list[Round], target: int
) -> Trial:
    rounds = tuple(r for r in history if r.labelled_count <= target)
    return Trial(
        state, rounds, bool(rounds) and rounds[-1].labelled_count == target, store, details
    )
