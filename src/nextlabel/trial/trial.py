"""The composition root: an arm and a seed become an iterator of rounds."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from nextlabel.algorithm1 import algorithm1
from nextlabel.core.dataset import Dataset
from nextlabel.core.oracle import Reveal
from nextlabel.core.pool import Pool
from nextlabel.core.round import Round
from nextlabel.core.seeds import Seeds
from nextlabel.core.space.block import FittedBlock
from nextlabel.core.strategy import needs_now
from nextlabel.core.types import Ids, as_ids
from nextlabel.features.cache import Cache
from nextlabel.files.contact_sheet import contact_sheet
from nextlabel.models.metrics import warn_undefined
from nextlabel.statistics.reliability import NAME as RELIABILITY
from nextlabel.strategies import create
from nextlabel.trial.learner import TrialLearner
from nextlabel.trial.spec import TrialSpec

SHOWN = 64

NEXT = 20
"""Images that a trial names as its next picks."""


def initial_weights(trial: TrialSpec, data: Dataset, cache: Cache) -> str:
    """Return the sha256 of the weights that every round starts from; "none" without any."""
    return learner_of(trial, data, cache).model.initial_digest(Seeds(trial.seed))


def run_trial(
    trial: TrialSpec,
    data: Dataset,
    cache: Cache,
    history: Sequence[Round] = (),
    learner: TrialLearner | None = None,
) -> Iterator[tuple[Round, Mapping[str, bytes]]]:
    """Yield each round that `history` does not have, with a picture of the chosen images.

    Parameters
    ----------
    trial
        The arm and the seed.
    data
        The data set, with all labels.
    cache
        The cache of blocks and of round 0.
    history
        The rounds that are there already, from round 0 on.
    learner
        The trial's, of `learner_of`, to ask it for its blocks afterwards.

    Yields
    ------
    Round
        The round.
    mapping of str to bytes
        PNG pictures by name: "picked".
    """
    import torch

    spec, arm = trial.experiment, trial.arm
    torch.set_num_threads(spec.training.threads)
    warn_undefined(data)
    assert data.train.labels is not None
    seeds = Seeds(trial.seed)
    rounds = algorithm1(
        size=len(data.train),
        initial=spec.initial,
        batch=spec.batch,
        target=spec.target,
        oracle=Reveal(data.train.labels),
        learner=learner_of(trial, data, cache) if learner is None else learner,
        strategy=create(arm.strategy, arm.options),
        seeds=seeds,
        start=None if arm.start == "random" else create(arm.start),
        history=history,
    )
    for finished in rounds:
        yield finished, {"picked": contact_sheet(data.train.images[finished.chosen[:SHOWN]])}


def next_picks(trial: TrialSpec, learner: TrialLearner, rounds: Sequence[Round]) -> Ids:
    """Return the ids that the arm's strategy picks after all `rounds`, at most NEXT.

    The models are those of the last round that `learner` fitted. No round changes: the draws are
    those that the next round would begin with.
    """
    pool = Pool(len(learner.data.train)).label(np.concatenate([r.chosen for r in rounds]))
    budget = min(NEXT, len(pool.unlabelled))
    if not budget:
        return as_ids(())
    (fitted,) = learner.last
    strategy = create(trial.arm.strategy, trial.arm.options)
    rng = Seeds(trial.seed).rng("select", rounds[-1].number + 1)
    snapshot = fitted.snapshot(pool, needs_now(strategy, pool, budget))
    return as_ids(strategy.select(snapshot, budget, rng))


BlockRecords = dict[str, tuple[Sequence[Mapping[str, float]], Mapping[str, bytes]]]
"""Log and pictures by block."""


def learner_of(trial: TrialSpec, data: Dataset, cache: Cache) -> TrialLearner:
    """Return the learner of a trial."""
    seeds = Seeds(trial.seed)
    return TrialLearner(
        trial.experiment, trial.arm, seeds, data, cache, resolution=trial.resolution
    )


def beginning_records(learner: TrialLearner) -> BlockRecords:
    """Return what the arm's blocks have to show, as fitted to the images alone."""
    names = learner.experiment.blocks_of(learner.arm)
    return _records({name: learner.block(name) for name in names})


def last_records(learner: TrialLearner) -> BlockRecords:
    """Return what the last round has to show: its supervised blocks, and the model's reliability.

    The latter has the name of `statistics.reliability`, a row per range of confidence, and the
    validation images as its basis.
    """
    records = _records({f"{name}, last round": b for name, b in learner.latest.items()})
    reliable = learner.last[0].reliability() if learner.last else []
    return records | ({RELIABILITY: (reliable, {})} if reliable else {})


def _records(blocks: Mapping[str, FittedBlock]) -> BlockRecords:
    return {name: (b.log, b.pictures) for name, b in blocks.items() if b.log or b.pictures}
