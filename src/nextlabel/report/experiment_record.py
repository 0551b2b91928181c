"""An experiment as the store holds it: specification, trials and curves."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.errors import UsageError, nearest
from nextlabel.core.round import Round
from nextlabel.core.types import Ids
from nextlabel.statistics.reliability import NAME as RELIABILITY
from nextlabel.store.integrity import damaged
from nextlabel.store.queries import Details
from nextlabel.store.store import Picture, Store, TrialState

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Trial:
    """One arm with one seed: its rounds up to the experiment's target.

    Pictures are read from the store when they are first needed, and so are the `details`, those of
    all trials at once.
    """

    state: TrialState
    rounds: tuple[Round, ...]
    complete: bool
    store: Store = field(repr=False)
    details: Details = field(repr=False)

    @property
    def arm(self) -> str:
        """The name of the arm."""
        return self.state.record.arm

    @property
    def seed(self) -> int:
        """The seed."""
        return self.state.record.seed

    @property
    def key(self) -> str:
        """The key of the trial in the store."""
        return self.state.record.key

    @property
    def name(self) -> str:
        """The name of the trial in a sentence."""
        return f"{self.arm}, seed {self.seed}"

    @cached_property
    def pictures(self) -> tuple[Picture, ...]:
        """The pictures of the trial's blocks, then those of its rounds in order."""
        pictures = self.store.pictures(self.key)
        return tuple(p for p in pictures if p.number is None or p.number < len(self.rounds))

    @cached_property
    def block_logs(self) -> Mapping[str, Sequence[Mapping[str, float]]]:
        """The numbers that each feature block reported, one mapping per epoch."""
        return {block: log for block, log in self._logs.items() if block != RELIABILITY}

    @property
    def reliability(self) -> Sequence[Mapping[str, float]]:
        """The last round's record of `statistics.reliability`; empty where there is none."""
        return self._logs.get(RELIABILITY, ())

    @cached_property
    def _logs(self) -> Mapping[str, Sequence[Mapping[str, float]]]:
        return self.details.block_logs.get(self.key, {})

    @cached_property
    def next_picks(self) -> Ids | None:
        """The ids that the arm would label next; None where the store does not hold them."""
        return self.details.next_picks.get(self.key) if self.complete else None

    @cached_property
    def environments(self) -> tuple[Mapping[str, Any], ...]:
        """The environments in which the rounds were computed, each once."""
        return tuple(self.details.environments.get(self.key, ()))


@dataclass(frozen=True, eq=False)
class Curve:
    """A metric of one arm against the number of labels.

    `values` (seeds, counts) are in float64. `reached` (seeds, counts) is true where the training
    reached the train accuracy that the experiment requires.
    """

    arm: str
    seeds: tuple[int, ...]
    counts: NDArray[np.int64]
    values: Floats
    reached: NDArray[np.bool_]

    @property
    def mean(self) -> Floats:
        """The mean over seeds (counts)."""
        mean: Floats = self.values.mean(axis=0)
        return mean

    @property
    def deviation(self) -> Floats | None:
        """The standard deviation over seeds (counts); None for a single seed."""
        return self.values.std(axis=0, ddof=1) if len(self.seeds) > 1 else None


@dataclass(frozen=True, eq=False)
class ExperimentRecord:
    """An experiment as the store holds it: specification, arms in order and trials."""

    name: str
    spec: Mapping[str, Any]
    trials: tuple[Trial, ...]

    @property
    def headline(self) -> str:
        """The metric of the curves and tests."""
        return str(self.spec.get("headline") or "validation/accuracy")

    @cached_property
    def arms(self) -> dict[str, Mapping[str, Any]]:
        """The arms' specs by name, in the experiment's order."""
        return {arm["name"]: arm for arm in self.spec["arms"]}

    def of(self, arm: str) -> tuple[Trial, ...]:
        """Return an arm's trials."""
        return self._by_arm.get(arm, ())

    @cached_property
    def _by_arm(self) -> dict[str, tuple[Trial, ...]]:
        """The trials by arm, grouped once: the report reads them hundreds of times."""
        by_arm: dict[str, list[Trial]] = {}
        for trial in self.trials:
            by_arm.setdefault(trial.arm, []).append(trial)
        return {arm: tuple(trials) for arm, trials in by_arm.items()}

    def complete(self, arm: str) -> tuple[int, ...]:
        """Return the seeds for which an arm reached the target."""
        return tuple(trial.seed for trial in self.of(arm) if trial.complete)

    @cached_property
    def incomplete(self) -> tuple[Trial, ...]:
        """The trials that did not reach the target; nothing is computed from them."""
        return tuple(trial for trial in self.trials if not trial.complete)

    @cached_property
    def drawn(self) -> tuple[str, ...]:
        """The arms with at least one complete trial."""
        return tuple(arm for arm in self.arms if self.complete(arm))

    @cached_property
    def paired_seeds(self) -> tuple[int, ...]:
        """The seeds complete for every drawn arm; empty when there is none."""
        return common(self.complete(arm) for arm in self.drawn)

    def seeds(self, arm: str) -> tuple[int, ...]:
        """Return the seeds of an arm's curve: the paired ones, or its own where none are paired."""
        return self.paired_seeds or self.complete(arm)

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """All metrics of the last rounds: validation first, then test, the headline before all."""
        names = {name for t in self.trials if t.complete for name in t.rounds[-1].metrics}
        order = {"validation": 0, "test": 1}
        return tuple(
            sorted(names, key=lambda m: (m != self.headline, order.get(m.split("/")[0], 2), m))
        )

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """The label counts that every complete trial has."""
        counts = common([r.labelled_count for r in t.rounds] for t in self.trials if t.complete)
        return np.array(counts, np.int64)

    def curve(
        self, arm: str, seeds: Sequence[int] | None = None, metric: str | None = None
    ) -> Curve:
        """Return an arm's curve at the common label counts.

        Parameters
        ----------
        arm
            The name of the arm.
        seeds
            The seeds of its rows; by default those of the method `seeds`.
        metric
            The metric, such as "validation/accuracy"; the headline by default.

        Raises
        ------
        UsageError
            No round recorded the metric.
        StoreError
            Some rounds lack the metric.
        """
        chosen = tuple(self.seeds(arm) if seeds is None else seeds)
        name = self.headline if metric is None else metric
        made = self._curves.get((arm, chosen, name))
        if made is None:
            made = self._curves[arm, chosen, name] = self._curve(arm, chosen, name)
        return made

    @cached_property
    def _curves(self) -> dict[tuple[str, tuple[int, ...], str], Curve]:
        return {}

    def _curve(self, arm: str, chosen: tuple[int, ...], metric: str) -> Curve:
        trials = {trial.seed: trial for trial in self.of(arm)}
        rows = [{r.labelled_count: r for r in trials[seed].rounds} for seed in chosen]
        counts = self.counts.tolist()
        values = [[self._metric(row[c], metric) for c in counts] for row in rows]
        reached = [[row[c].training.reached for c in counts] for row in rows]
        arrays = np.array(values, np.float64), np.array(reached, np.bool_)
        for array in arrays:
            array.flags.writeable = False  # the same curve is returned again
        return Curve(arm, chosen, self.counts, *arrays)

    def _metric(self, round: Round, name: str) -> float:
        """Return a metric of a round.

        One that other rounds have is lost by damage, since a run measures it in each; one that no
        round has was never measured.
        """
        if name in round.metrics:
            return round.metrics[name]
        recorded = {n for trial in self.trials for r in trial.rounds for n in r.metrics}
        if name in recorded:
            said = f"round {round.number} of a trial lacks {name!r}, which others have"
            raise damaged(self.trials[0].store.location, said)
        raise UsageError(
            f"no metric {name!r} was recorded; {nearest(name, recorded)}", code="metric-unknown"
        )

    def last(self, arm: str, metric: str) -> NDArray[np.float64]:
        """Return a metric at the last common label count, for each seed that measured it."""
        trials = {trial.seed: trial for trial in self.of(arm)}
        rounds = [r for seed in self.seeds(arm) for r in trials[seed].rounds]
        return np.array(
            [
                r.metrics[metric]
                for r in rounds
                if r.labelled_count == self.counts[-1] and metric in r.metrics
            ],
            np.float64,
        )

    def beginning(self, arm: str) -> tuple[str, str]:
        """Return start and cold space, which decide an arm's initial labels together with the seed.

        Of one block alone the scale changes no choice.
        """
        spec = self.arms[arm]
        start = str(spec.get("start", "random"))
        if start == "random":
            return start, ""
        weights = spec.get("features") or {}
        cold = [f"{n} × {w:g}" for n, w in weights.items() if n != "task" and w]
        if len(cold) > 1:
            cold.append(f"scale {spec.get('scale')}")
        return start, ", ".join(cold)

    def is_twin(self, arm: str) -> bool:
        """Return whether an arm is its baseline with more blocks: the same otherwise."""
        spec = self.arms[arm]
        base = self.arms.get(spec.get("baseline") or "")
        if base is None or not _blocks(base) < _blocks(spec):
            return False
        differing = ("name", "baseline", "features", "side")
        compared = [key for key in spec.keys() | base.keys() if key not in differing]
        return all(spec.get(key) == base.get(key) for key in compared)

    def family(self, arm: str) -> str:
        """Return the arm at the root of a chain of twins."""
        while self.is_twin(arm):
            arm = self.arms[arm]["baseline"]
        return arm


def _blocks(arm: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Return the blocks of weight that an arm uses, in its space or in the training."""
    return {
        (use, name)
        for use in ("features", "side")
        for name, weight in (arm.get(use) or {}).items()
        if weight
    }


def common(groups: Iterable[Iterable[int]]) -> tuple[int, ...]:
    """Return what all groups hold, ascending."""
    sets = [set(group) for group in groups]
    return tuple(sorted(set.intersection(*sets))) if sets else ()
