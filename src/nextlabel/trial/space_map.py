"""Maps of two feature spaces (Figures 5-6): labelled, unlabelled and picked images."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from nextlabel.core.dataset import Dataset
from nextlabel.core.errors import DataError, UsageError
from nextlabel.core.learner import Training
from nextlabel.core.oracle import Reveal
from nextlabel.core.pool import Pool
from nextlabel.core.seeds import Seeds
from nextlabel.core.settings import Settings
from nextlabel.core.snapshot import Snapshot
from nextlabel.core.space.feature_space import FeatureSpace
from nextlabel.core.strategy import Strategy
from nextlabel.core.types import Array, Ids
from nextlabel.experiment.arm import TASK, Arm
from nextlabel.experiment.spec import Experiment
from nextlabel.features.cache import Cache
from nextlabel.files.contact_sheet import contact_sheet
from nextlabel.statistics.point_cloud import shape
from nextlabel.store.maps import Map, MappedSpace
from nextlabel.strategies import create
from nextlabel.trial.data import headline, load_data
from nextlabel.trial.learner import TrialLearner

FEATURES: frozenset[str] = frozenset({"features"})


class MapSettings(Settings):
    """The extent of a map; the defaults are the paper's, and openTSNE's own perplexity."""

    labelled: int = Field(default=1000, ge=1)
    candidates: int = Field(default=1556, ge=1)
    picked: int = Field(default=100, ge=1)
    perplexity: float = Field(default=30.0, ge=1)


def make_map(
    experiment: Experiment,
    arm: str | None = None,
    seed: int | None = None,
    settings: MapSettings | None = None,
    *,
    data_dir: Path | None = None,
    cache_dir: Path | None = None,
    progress: bool = False,
) -> Iterator[str | Map]:
    """Yield a sentence per step, and the map in the end.

    The task model is trained on random labels as in an experiment's round 0; the arm's strategy
    then picks among random candidates, in the space of the task model alone and in the arm's own.
    `arm` is by default the primary one, `seed` the first of the experiment.
    Raises UsageError for numbers that do not fit the pool and for arms that use no features.
    """
    import torch

    shown = settings or MapSettings()
    chosen = choose_arm(experiment, arm)
    seeds = Seeds(experiment.seeds[0] if seed is None else seed)
    torch.set_num_threads(experiment.training.threads)
    clock = _Clock()
    yield f"reading {experiment.data.name}"
    cache = Cache.open(cache_dir)
    with clock("data"):
        sizes = {"initial": 1, "target": 1}  # an experiment's, of which a map makes no use
        data = load_data(experiment.model_copy(update=sizes), data_dir, progress, cache)
    pool, candidates, notes = draw(len(data.train), shown, seeds)
    spaces = spaces_of(chosen)
    blocks = "".join(f" and {name}" for name in experiment.blocks_of(chosen))
    yield f"fitting the task model to {shown.labelled:,} labels{blocks}"
    work = _Mapping(experiment, chosen, seeds, data, pool, candidates, shown, clock)
    snapshot, rows, training = work.fit_round_zero(cache)
    mapped = []
    for name, space in spaces.items():
        yield f"picking {shown.picked:,} of {len(candidates):,} in the space {name}, then t-SNE"
        mapped.append(work.mapped(name, space, snapshot, rows))
    yield Map(
        chosen.name,
        seeds.seed,
        work.ids,
        pool.labelled_count,
        tuple(mapped),
        experiment.resolved() | {"headline": headline(experiment, data)},
        shown.model_dump(mode="json") | {"t-SNE": _version()},
        {
            "data checksum": data.checksum,
            "train accuracy": training.accuracy,
            "training taken from the cache": training.shared,
        },
        clock.seconds,
        notes,
    )


def choose_arm(experiment: Experiment, name: str | None) -> Arm:
    """Return the arm to map: the one named, the primary one, or the first with more than T_f.

    Raises UsageError when there is no such arm, or its strategy uses no features.
    """
    looking = [a for a in experiment.arms if FEATURES <= create(a.strategy, a.options).needs]
    remedy = f"arms that do: {', '.join(a.name for a in looking) or 'none'}"
    wanted = experiment.primary if name is None else name
    if wanted is None:
        if not looking:
            raise UsageError(
                f"no arm of {experiment.name} chooses by features, so there is nothing to map; "
                "add one, with strategy core_set for example",
                code="arm-without-features",
            )
        return next((a for a in looking if a.blocks), looking[0])
    arm = experiment.arm(wanted)
    if arm not in looking:
        raise UsageError(
            f"arm {wanted!r} does not choose by features but by {arm.strategy}, so its picks have "
            f"no place in a space; give another by --arm ({remedy})",
            code="arm-without-features",
        )
    return arm


def spaces_of(arm: Arm) -> dict[str, FeatureSpace]:
    """Return T_f's space (Fig. 5) and the arm's (Fig. 6) by name; one of them if they are one."""
    task = FeatureSpace({TASK: 1.0}, arm.scale)
    arm_space = arm.space
    if arm_space.blocks == task.blocks:
        return {TASK: arm_space}
    order = sorted(arm_space.blocks, key=lambda name: (name != TASK, name))
    parts = (
        name if arm_space.weights[name] == 1 else f"{arm_space.weights[name]:g} {name}"
        for name in order
    )
    return {TASK: task, " + ".join(parts): arm_space}


def draw(size: int, shown: MapSettings, seeds: Seeds) -> tuple[Pool, Ids, tuple[str, ...]]:
    """Draw labelled images and candidates; return the pool of both, the candidates and notes.

    All that is left of the pool are candidates where it has fewer than asked for, and a note
    says so. Raises UsageError when the numbers do not fit.
    """
    free = size - shown.labelled
    if free < shown.picked:
        raise UsageError(
            f"labelled {shown.labelled} and picked {shown.picked} exceed the pool's {size} images; "
            f"lower --labelled to {max(1, size - shown.picked)} or less, or --picked",
            code="too-many-labelled",
        )
    if shown.candidates < shown.picked:
        raise UsageError(
            f"picked {shown.picked} exceeds the {shown.candidates} candidates; lower --picked to "
            f"{shown.candidates} or raise --candidates",
            code="too-many-picked",
        )
    count = min(shown.candidates, free)
    points, most = shown.labelled + count, (shown.labelled + count - 1) // 3
    if shown.perplexity > most:
        remedy = f"lower --perplexity to {most}" if most else "show at least 4 points"
        raise UsageError(
            f"perplexity {shown.perplexity:g} is too large for {points} points, since it needs "
            f"three times as many neighbours; {remedy}",
            code="perplexity-too-large",
        )
    pool = Pool.random(size, shown.labelled, seeds.rng("initial"))
    candidates = np.sort(seeds.rng("candidates").choice(pool.unlabelled, count, replace=False))
    notes = (
        (f"only {count:,} images are left as candidates, not {shown.candidates:,}",)
        if count < shown.candidates
        else ()
    )
    return pool.exclude(np.setdiff1d(pool.unlabelled, candidates)), candidates, notes


class _Clock:
    """Seconds by part."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, part: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[part] = time.perf_counter() - start


@dataclass(frozen=True, eq=False)
class _Mapping:
    """One map in the making."""

    experiment: Experiment
    arm: Arm
    seeds: Seeds
    data: Dataset
    pool: Pool
    candidates: Ids
    shown: MapSettings
    clock: _Clock

    @property
    def ids(self) -> Ids:
        """The images shown: the labelled, then the candidates."""
        return np.concatenate([self.pool.labelled, self.candidates])

    @property
    def strategy(self) -> Strategy:
        """The strategy that picks."""
        return create(self.arm.strategy, self.arm.options)

    def fit_round_zero(self, cache: Cache) -> tuple[Snapshot, Mapping[str, Array], Training]:
        """Fit round 0; return the pool's signals, its rows by block, and the training."""
        features = {**self.arm.features, TASK: self.arm.features.get(TASK) or 1.0}
        both = self.arm.model_copy(update={"features": features})
        learner = TrialLearner(self.experiment, both, self.seeds, self.data, cache)
        assert self.data.train.labels is not None
        labels = Reveal(self.data.train.labels)(self.pool.labelled)
        fitted = learner.fit(self.pool, labels, 0, None)
        self.clock.seconds.update(fitted.training.seconds)
        with self.clock("signals"):
            snapshot = fitted.snapshot(self.pool, self.strategy.needs | FEATURES)
        assert snapshot.features is not None
        arrays = (array for array, _ in snapshot.features.blocks)
        return snapshot, dict(zip(both.space.blocks, arrays, strict=True)), fitted.training

    def mapped(
        self, name: str, space: FeatureSpace, snapshot: Snapshot, rows: Mapping[str, Array]
    ) -> MappedSpace:
        """Pick in a space, and map it to two dimensions by t-SNE."""
        embedding = space.embed(rows)
        with self.clock(f"select in {name}"):
            picked = self.strategy.select(
                snapshot.with_signals(features=embedding),
                self.shown.picked,
                self.seeds.rng("select", 1),
            )
        points = embedding.rows(self.ids)
        with self.clock(f"t-SNE of {name}"):
            mapped = t_sne(
                points,
                self.shown.perplexity,
                self.seeds.integer("t-sne") % 2**32,
                self.experiment.training.threads,
            )
        position = {id: row for row, id in enumerate(self.ids.tolist())}
        chosen = np.array([position[id] for id in picked.tolist()], np.int64)
        free = np.arange(self.pool.labelled_count, len(self.ids))
        with self.clock(f"measures of {name}"):
            measured = shape(points, free, chosen), shape(mapped, free, chosen)
        return MappedSpace(
            name,
            {block: space.weights[block] for block in space.blocks},
            space.scale,
            embedding.dimensions,
            picked,
            mapped,
            *measured,
            contact_sheet(self.data.train.images[picked]),
        )


def t_sne(points: Array, perplexity: float, seed: int, threads: int = 1) -> NDArray[np.float64]:
    """Return a t-SNE map (n, 2) of points (n, d): openTSNE's defaults, with exact neighbours.

    It starts from the two main axes, so that the far stays far; the same seed gives the same map.
    Raises DataError when no point differs from another.

    van der Maaten & Hinton 2008, https://www.jmlr.org/papers/v9/vandermaaten08a.html;
    Poličar, Stražar & Zupan 2024, https://doi.org/10.18637/jss.v109.i03
    """
    from openTSNE import TSNE

    rows = np.asarray(points, np.float64)
    if (rows == rows[:1]).all():
        raise DataError(
            f"all {len(rows)} points are the same, so a map shows nothing; choose another space",
            code="points-alike",
        )
    if rows.shape[1] == 1:  # the second axis of a line is empty, but must be there
        rows = np.concatenate([rows, np.zeros_like(rows)], axis=1)
    made = TSNE(perplexity=perplexity, neighbors="exact", random_state=seed, n_jobs=threads).fit(
        rows
    )
    return np.array(made, np.float64)


def _version() -> str:
    from importlib.metadata import version

    return f"openTSNE {version('openTSNE')}"
