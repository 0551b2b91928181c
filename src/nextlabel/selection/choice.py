"""The choice of a batch: from what a user gives to ids and their scores."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from nextlabel.core.carried import Carried
from nextlabel.core.errors import BudgetError, UsageError
from nextlabel.core.pool import Pool
from nextlabel.core.progress import ProgressCallback, reporting_to
from nextlabel.core.seeds import Seeds
from nextlabel.core.snapshot import Snapshot
from nextlabel.core.space.feature_space import Scale
from nextlabel.core.strategy import Scored, Strategy, needs_now
from nextlabel.core.types import Array, Ids, Task, as_ids
from nextlabel.models.signals import SIGNALS, sources
from nextlabel.selection.copies import first_of_each, without_copies
from nextlabel.selection.inputs import blocks_of, class_probabilities, embed_blocks, numbers
from nextlabel.selection.row_labels import RowLabels
from nextlabel.selection.rows import common_labels, common_length, held_out, rows_of
from nextlabel.selection.strategies import name_of, strategy_of


@dataclass(frozen=True, eq=False)
class Request:
    """The arguments of `select`, as the user gave them."""

    features: object = None
    budget: int | None = None
    strategy: str | Strategy | type[Strategy] | None = None
    options: Mapping[str, Any] | None = None
    weights: Mapping[str, float] | None = None
    scale: Scale = "rms"
    probabilities: object = None
    labelled: object = ()
    excluded: object = ()
    signals: Mapping[str, object] | None = None
    seed: int = 0
    task: Task = "multiclass"
    progress: ProgressCallback | None = None
    carried: Carried | None = None
    before: Callable[[float], None] | None = None
    """Called with the share that is done of the work before the first pick."""


class Choice(NamedTuple):
    """The chosen ids (B), the labels of rows if the input has them, and the scores (B) if any.

    B is below the budget where all others are copies. `score` is what the scores are, in a few
    words.
    """

    ids: Ids
    labels: RowLabels | None
    scores: Array | None
    score: str | None


def choose(request: Request, scores: Literal["none", "if there", "needed"]) -> Choice:
    """Return the ids of the images to label next, in the order of choice.

    Parameters
    ----------
    request : Request
        The arguments of `select`.
    scores : str
        "needed" refuses a strategy without scores, "if there" gives None for it.

    Raises
    ------
    UsageError, DataError
        As `select`.
    """
    chooser = strategy_of(request.strategy, request.options)
    called = request.strategy if isinstance(request.strategy, str) else name_of(chooser)
    scored = chooser if isinstance(chooser, Scored) else None
    if scores == "needed" and scored is None:
        raise UsageError(
            f"strategy {called!r} has no score; leave return_scores out", code="no-score"
        )
    seed = request.seed
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise UsageError(
            f"seed {seed!r} must be a whole number of at least 0; give one", code="bad-seed"
        )
    blocks = blocks_of(request.features)
    given = dict(blocks)
    if request.probabilities is not None:
        given["probabilities"] = rows_of(request.probabilities, "probabilities")
    others = {name: rows_of(values, name) for name, values in (request.signals or {}).items()}
    given |= others
    size, labels = common_length(given), common_labels(given)
    if labels is not None:
        labels.check_unique()
    labelled, excluded = (
        as_ids(values, size) if labels is None else labels.ids_of(values)
        for values in (request.labelled, request.excluded)
    )
    held = held_out(list(given.values()), labelled, excluded)
    pool = Pool(size, labelled, np.concatenate([excluded, held]))
    budget = request.budget
    if budget is None:
        raise UsageError("budget is missing; give the number of images to choose", code="no-budget")
    pool.check_budget(budget)
    # The space first: what is wrong with a large file is said before the search for copies.
    reads = bool(blocks) and "features" in chooser.needs
    space = embed_blocks(blocks, request.weights, request.scale) if reads else None
    pictures, copies = pool, as_ids(())
    if blocks:
        arrays = [numbers(rows.array, name) for name, rows in blocks.items()]
        pictures, copies = without_copies(pool, first_of_each(arrays))
    different = min(budget, len(pictures.unlabelled))
    if budget and not different:
        raise BudgetError(
            f"the {len(copies)} unlabelled images are copies of labelled ones, with equal rows of "
            "features; their labels are known, add other images",
            code="only-copies",
        )
    needs = needs_now(chooser, pictures, different)
    if any("true_labels" in sources([name]) for name in chooser.needs if name in SIGNALS):
        raise UsageError(
            f"strategy {called!r} reads the true labels, which only a simulation has; choose "
            "another, or run an experiment",
            code="simulation-only",
        )
    there: dict[str, Any] = {name: rows.array for name, rows in others.items()}
    if space is not None:
        there["features"] = space
    if request.probabilities is not None:
        there["probabilities"] = class_probabilities(given["probabilities"].array, request.task)
    for name in sorted(needs):
        if there.get(name) is None:
            raise UsageError(f"strategy {called!r} {_missing(name)}", code="missing-signal")
    snapshot = Snapshot(
        pictures,
        request.task,
        signals={name: there[name] for name in needs},
        carried=request.carried,
    )
    before, progress = request.before, request.progress
    if before is None and progress is not None:
        before = lambda share: progress(0, different)  # noqa: E731 - it may raise to stop
    with reporting_to(progress, before):
        chosen = chooser.select(snapshot, different, Seeds(int(seed)).rng("select", 1))
    values = None
    if scored is not None and scores != "none":
        values = np.asarray(scored.scores(snapshot, chosen, Seeds(int(seed)).rng("select", 1)))
    if different < budget:
        warnings.warn(
            f"{different} of {budget} images are chosen: the other {len(copies)} unlabelled images "
            "are copies of these or of labelled ones (equal rows of features)",
            stacklevel=3,
        )
    if progress is not None:
        progress(different, different)
    return Choice(chosen, labels, values, None if scored is None else scored.score)


def _missing(signal: str) -> str:
    if signal in ("features", "probabilities"):
        return f"needs {signal}, and none were given; give a row of them for each image"
    return (
        f"needs {signal}, which a model trained in an experiment gives; choose another strategy, "
        "or run an experiment (in Python, `signals` takes it too)"
    )
