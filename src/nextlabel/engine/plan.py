"""Cost of a run, estimated before it starts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from nextlabel.core.dataset import Dataset
from nextlabel.core.seeds import Seeds
from nextlabel.core.task_model import TaskModel
from nextlabel.experiment.spec import Experiment
from nextlabel.features.cache import Cache, CacheLocation
from nextlabel.features.fitted import has_block
from nextlabel.models.settings import ModelSettings
from nextlabel.statistics import ALPHA, Alternative, least_corrected, pairs_needed
from nextlabel.store.store import Store
from nextlabel.trial.data import load_data
from nextlabel.trial.spec import TrialSpec, trials

ROUND_BYTES = 60_000


TIMINGS = 3
"""Timings of the training steps, for a range of time."""
REST = 1.1
"""Time of a run over that of its training, with measuring, choosing and storing."""


@dataclass(frozen=True)
class OutOfReach:
    """A claim that the seeds cannot support: its least p after correction, and the seeds it needs.

    `needed` is None where the test, by random sign flips, cannot support it with any number.
    """

    claim: str
    least_p: float
    needed: int | None


@dataclass(frozen=True)
class Plan:
    """Cost of a run, and the claims that it cannot support.

    Parameters
    ----------
    trials, pending
        The trials in all, and those still to run.
    training_samples
        Images that are trained on, each counted once per epoch.
    seconds, fastest, slowest
        The estimated time with `jobs` jobs, and a range of it.
    disk_bytes
        The bytes written.
    jobs
        The trials that run at a time.
    out_of_reach
        The primary test and the hypotheses that the number of seeds cannot support.
    """

    trials: int
    pending: int
    training_samples: int
    seconds: float
    fastest: float
    slowest: float
    disk_bytes: int
    jobs: int
    out_of_reach: tuple[OutOfReach, ...] = ()


def plan(
    experiment: Experiment,
    store: Store | None = None,
    *,
    data_dir: Path | None = None,
    cache_dir: CacheLocation | None = None,
    jobs: int = 1,
    progress: bool = False,
    arms: Sequence[str] | None = None,
) -> Plan:
    """Estimate what is still to do, by timing a few training steps; nothing is run.

    Decoded images are kept in the cache, as in a run.

    A round's training counts labelled × epochs samples. Round 0 is trained once per seed, and so is
    a VAE unless the cache has it; one that the labels shape continues in every round. The range of
    time is from the fastest timing, with all jobs busy to the end, to the slowest one with a tenth
    more for the rest and whole trials per job. With `arms`, only theirs are counted as ahead.
    """
    import torch

    torch.set_num_threads(experiment.training.threads)
    wanted, cache = experiment.names_of(arms), Cache.at(cache_dir)
    data = load_data(experiment, data_dir, progress, cache)
    ahead = []
    for trial in trials(experiment, jobs):
        stored_rounds = _rounds_known(store, trial, data.checksum)
        if stored_rounds < trial.rounds and trial.arm.name in wanted:
            ahead.append((trial, stored_rounds))
    models = _by_model(experiment, data, ahead)
    samples = sum(model.planned_samples(*each) for model, rounds, _ in models for each in rounds)
    passes = _block_passes(experiment, data, ahead, cache)
    timings = sorted(
        sum(n * experiment.block(name).pass_seconds(data) for name, n in passes.items())
        + sum(model.planned_seconds(data, rounds) for model, rounds, _ in models)
        for _ in range(TIMINGS if ahead else 1)
    )
    busy = max(1, min(jobs, len(ahead)))
    per_job = ceil(len(ahead) / busy) / max(1, len(ahead))  # the share of the time of one job
    weights = sum(seeds * model.state_bytes() for model, _, seeds in models)
    disk = weights + sum((t.rounds - k) * ROUND_BYTES for t, k in ahead)
    return Plan(
        len(set(wanted)) * len(experiment.seeds),
        len(ahead),
        samples,
        timings[len(timings) // 2] / busy,
        timings[0] / busy,
        timings[-1] * REST * per_job,
        disk,
        jobs,
        out_of_reach(experiment),
    )


def _by_model(
    experiment: Experiment, data: Dataset, ahead: Sequence[tuple[TrialSpec, int]]
) -> list[tuple[TaskModel, list[tuple[int, int]], int]]:
    """Return for each task model its rounds ahead, (number, labels), and the seeds that begin."""
    settings: list[ModelSettings] = []
    for trial, _ in ahead:
        if (of_arm := experiment.model_of(trial.arm)) not in settings:
            settings.append(of_arm)
    models = []
    for one in settings:
        its = [(t, done) for t, done in ahead if experiment.model_of(t.arm) == one]
        seeds = {trial.seed for trial, done in its if done == 0}
        rounds = [(k, t.labelled(k)) for t, done in its for k in range(done, t.rounds)]
        model = one.create(experiment.training, data.task, len(data.classes))
        if model.cached:  # round 0 is fitted once per seed
            again = sum(done == 0 for _, done in its) - len(seeds)
            rounds = sorted(rounds)[max(0, again) :]
        models.append((model, rounds, len(seeds)))
    return models


def out_of_reach(experiment: Experiment) -> tuple[OutOfReach, ...]:
    """Return the primary test and the hypotheses that no outcome on these seeds could support."""
    families: list[list[tuple[str, Alternative]]] = [
        [(f"the primary test of {experiment.primary}", "two-sided")] if experiment.primary else [],
        [(f"“{stated.name}”", stated.alternative) for stated in experiment.hypotheses],
    ]
    claims = []
    for family in families:
        directions = [direction for _, direction in family]
        least = least_corrected(len(experiment.seeds), directions)
        for (claim, _), p, needed in zip(family, least, pairs_needed(directions), strict=True):
            if p is not None and p > ALPHA:
                claims.append(OutOfReach(claim, p, needed))
    return tuple(claims)


def _rounds_known(store: Store | None, trial: TrialSpec, checksum: str) -> int:
    key = trial.key(checksum)  # also finds out whether all files are there
    if store is None or trial.experiment.name not in store.experiments():
        return 0
    states = {s.record.key: s.rounds for s in store.trials(trial.experiment.name)}
    return states.get(key, 0)


def _block_passes(
    experiment: Experiment, data: Dataset, ahead: Sequence[tuple[TrialSpec, int]], cache: Cache
) -> Mapping[str, int]:
    """Return each block's passes over the pool in the trials ahead; it is fitted once per seed."""
    passes, begun = Counter[str](), set[tuple[str, int]]()
    for trial, done in ahead:
        for name in experiment.blocks_of(trial.arm):
            block = experiment.block(name)
            if block.passes and (name, trial.seed) not in begun:
                begun.add((name, trial.seed))
                cached = has_block(block, data, Seeds(trial.seed), experiment.training, cache)
                passes[name] += 0 if cached else block.passes
            if name in experiment.rows_of(trial.arm):
                passes[name] += block.round_passes * (trial.rounds - done)
    return {name: n for name, n in passes.items() if n}
