"""Cost of a run, estimated before it starts."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nextlabel.core.dataset import Dataset
from nextlabel.core.seeds import Seeds
from nextlabel.experiment.spec import Experiment
from nextlabel.features.cache import Cache
from nextlabel.features.fitted import has_block
from nextlabel.store.store import Store
from nextlabel.trial.data import load_data
from nextlabel.trial.spec import TrialSpec, trials

ROUND_BYTES = 60_000


@dataclass(frozen=True)
class Plan:
    """Trials in all and still to run, training samples, seconds with `jobs` jobs, and bytes."""

    trials: int
    pending: int
    training_samples: int
    seconds: float
    disk_bytes: int
    jobs: int


def plan(
    experiment: Experiment,
    store: Store | None = None,
    *,
    data_dir: Path | None = None,
    cache_dir: Path | None = None,
    jobs: int = 1,
    progress: bool = False,
    arms: Sequence[str] | None = None,
) -> Plan:
    """Estimate what is still to do, by timing a few training steps; nothing is run.

    Decoded images are kept in the cache, as in a run.

    A round's training counts labelled × epochs samples. Round 0 is trained once a seed, and so is
    a VAE unless the cache has it; one that the labels shape continues in every round. The time is
    training alone: leave a tenth for the rest. With `arms`, only theirs are counted as ahead.
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
    model = experiment.model.create(experiment.training, data.task, len(data.classes))
    shared = {trial.seed for trial, stored_rounds in ahead if stored_rounds == 0}
    rounds = [
        (k, trial.labelled(k))
        for trial, stored_rounds in ahead
        for k in range(stored_rounds, trial.rounds)
    ]
    if model.cached:  # round 0 is fitted once per seed
        again = sum(stored_rounds == 0 for _, stored_rounds in ahead) - len(shared)
        rounds = sorted(rounds)[max(0, again) :]
    samples = sum(model.planned_samples(*each) for each in rounds)
    seconds = _block_seconds(experiment, data, ahead, cache)
    seconds += model.planned_seconds(data, rounds)
    weights = model.state_bytes()
    disk = len(shared) * weights + sum((t.rounds - k) * ROUND_BYTES for t, k in ahead)
    return Plan(
        len(set(wanted)) * len(experiment.seeds),
        len(ahead),
        samples,
        seconds / max(1, min(jobs, len(ahead))),
        disk,
        jobs,
    )


def _rounds_known(store: Store | None, trial: TrialSpec, checksum: str) -> int:
    key = trial.key(checksum)  # also finds out whether all files are there
    if store is None or trial.experiment.name not in store.experiments():
        return 0
    states = {s.record.key: s.rounds for s in store.trials(trial.experiment.name)}
    return states.get(key, 0)


def _block_seconds(
    experiment: Experiment, data: Dataset, ahead: Sequence[tuple[TrialSpec, int]], cache: Cache
) -> float:
    """Return the seconds of all blocks of the trials ahead; each is first fitted once per seed."""
    passes, begun = Counter[str](), set[tuple[str, int]]()
    for trial, known in ahead:
        for name in experiment.blocks_of(trial.arm):
            block = experiment.block(name)
            if block.passes and (name, trial.seed) not in begun:
                begun.add((name, trial.seed))
                cached = has_block(block, data, Seeds(trial.seed), experiment.training, cache)
                passes[name] += 0 if cached else block.passes
            if name in experiment.rows_of(trial.arm):
                passes[name] += block.round_passes * (trial.rounds - known)
    return sum(n * experiment.block(name).pass_seconds(data) for name, n in passes.items() if n)
