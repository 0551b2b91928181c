"""The choice of the images to ask next: those of a strategy, and among them those of the audit.

N images, n of them labelled, K classes.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from nextlabel.core.errors import BudgetError, UsageError
from nextlabel.core.pool import Pool
from nextlabel.core.strategy import needs_now
from nextlabel.core.types import Array, Ids
from nextlabel.project.audit import AuditOrder, audit_places
from nextlabel.project.labels import KnownLabels
from nextlabel.project.pipeline import Pipeline
from nextlabel.selection.choice import Request
from nextlabel.selection.choice import choose as select_rows
from nextlabel.strategies import create
from nextlabel.strategies.switch import Switch

GIVEN = frozenset({"features", "probabilities"})
"""The signals that a folder and its labels give to a strategy."""
AUDIT = "audit"
"""The reason for an image that was drawn at random."""

Predict = Callable[[KnownLabels], Array | None]
"""A function from labels to a model's probabilities (N, K); None before two classes occur."""


class Pick(NamedTuple):
    """A row that was chosen, the strategy that chose it or "audit", and its score if it has one."""

    row: int
    reason: str
    score: float | None = None


def _none() -> Ids:
    return np.empty(0, np.int64)


@dataclass(frozen=True, eq=False)
class Candidates:
    """The images that may be asked: their rows, their contents, and those that may not.

    Parameters
    ----------
    rows : mapping of str to array (N, d)
        The rows of each feature block.
    order : AuditOrder
        The random order of the images.
    contents : int64 array (N)
        The number of each image's content; copies have the same.
    excluded : int64 array
        Images that are never asked, such as those that a person has skipped.
    unplaced : int64 array
        Images whose rows are not there yet. Only the audit asks them, and no model learns from
        their labels.
    """

    rows: Mapping[str, Array]
    order: AuditOrder
    contents: Ids
    excluded: Ids = field(default_factory=_none)
    unplaced: Ids = field(default_factory=_none)

    @classmethod
    def of(
        cls,
        rows: Mapping[str, Array],
        digests: Sequence[str],
        seed: int = 0,
        excluded: Ids | None = None,
    ) -> "Candidates":
        """Return the images with these rows and the sha256 of each (N); the seed is the audit's."""
        contents = np.unique(np.array(digests), return_inverse=True)[1].astype(np.int64)
        order = AuditOrder.of(digests, seed)
        return cls(rows, order, contents, _none() if excluded is None else excluded)

    def __len__(self) -> int:
        return len(self.contents)

    def alike(self, rows: Ids) -> Ids:
        """Return these rows and those of their copies, ascending."""
        marked = np.zeros(int(self.contents.max(initial=-1)) + 1, bool)
        marked[self.contents[rows]] = True
        return np.flatnonzero(marked[self.contents])


def check_strategy(pipeline: Pipeline) -> None:
    """Check that the strategy of a pipeline can choose among the images of a folder.

    Raises
    ------
    UsageError
        There is no such strategy, an option is wrong, or it needs what the model of a folder's
        labels does not give.
    """
    strategy = create(pipeline.strategy, pipeline.options)
    others = sorted(strategy.needs - GIVEN)
    if others:
        raise UsageError(
            f"strategy {pipeline.strategy!r} needs {' and '.join(others)}, which only a simulation "
            "or the training of a network gives; choose another by --strategy, for example "
            "uherding or margin",
            code="strategy-needs-more",
        )


def choose(
    candidates: Candidates,
    known: KnownLabels,
    budget: int,
    pipeline: Pipeline,
    predict: Predict,
    most: int | None = None,
) -> list[Pick]:
    """Return the picks to label next in the order of choice; fewer where only copies are left.

    Images that are reserved for the audit, and their copies, stay unknown to the strategy, also
    those with a label.

    Parameters
    ----------
    candidates : Candidates
        The images.
    known : KnownLabels
        The labels so far.
    budget : int
        The number of images to choose.
    pipeline : Pipeline
        The strategy, and the share of the audit.
    predict : callable
        Gives the probabilities by which a strategy chooses.
    most : int, optional
        The most images without a label that the strategy considers, the first of the random
        order; all by default.
    """
    order, excluded = candidates.order, candidates.excluded
    reserved = candidates.alike(order.reserved(pipeline.audit))
    places = audit_places(len(known), budget, pipeline.audit)
    alike = np.union1d(
        candidates.alike(known.ids), excluded
    )  # labelled ones, copies, excluded ones
    drawn = order.next(alike, len(places))
    taken = np.concatenate([alike, reserved, drawn, candidates.unplaced])
    # Of equal images one is free, and none where one is labelled.
    free = order.rows[~np.isin(order.rows, taken)]
    missing = budget - len(drawn) - len(free)
    if missing > 0:  # the strategy takes all that is not reserved, and the audit gives the rest
        drawn = np.concatenate([drawn, order.next(np.concatenate([alike, drawn, free]), missing)])
    budget = min(budget, len(drawn) + len(free))
    by_strategy = budget - len(drawn)
    at = np.setdiff1d(np.arange(budget), places)[:by_strategy].tolist()
    picks = {
        position: Pick(row, AUDIT)
        for position, row in zip(
            np.setdiff1d(np.arange(budget), at).tolist(), drawn.tolist(), strict=True
        )
    }
    seen = known.without(np.union1d(reserved, candidates.unplaced))
    hidden = np.concatenate([reserved, candidates.alike(drawn), excluded, candidates.unplaced])
    shown = np.setdiff1d(np.arange(len(candidates)), np.setdiff1d(hidden, seen.ids))
    if most is not None and len(free) > (most := max(most, by_strategy)):
        shown = np.union1d(free[:most], seen.ids)
    chosen = _by_strategy(candidates, seen, shown, by_strategy, pipeline, predict)
    picks |= zip(at, chosen, strict=False)  # fewer where only copies are left
    return [picks[position] for position in range(budget) if position in picks]


def _by_strategy(
    candidates: Candidates,
    seen: KnownLabels,
    shown: Ids,
    budget: int,
    pipeline: Pipeline,
    predict: Predict,
) -> list[Pick]:
    """Return the strategy's picks among the images `shown`; fewer where only copies are left."""
    if not budget:
        return []
    size = len(candidates)
    strategy = create(pipeline.strategy, pipeline.options)
    rows, labelled = dict(candidates.rows), seen.ids
    excluded = np.setdiff1d(np.arange(size), shown)
    needs = needs_now(strategy, Pool(size, labelled, excluded), budget)
    probabilities = None
    if "probabilities" in needs:
        probabilities = predict(seen)
        if probabilities is None:  # before two classes are labelled, all are equally likely
            probabilities = np.full((size, 2), 0.5, np.float32)
    if 2 * len(shown) < size:  # a strategy takes time for rows that it leaves out, too
        rows = {name: of_block[shown] for name, of_block in rows.items()}
        labelled, excluded = np.searchsorted(shown, labelled), _none()
        probabilities = None if probabilities is None else probabilities[shown]
    else:
        shown = np.arange(size)
    request = Request(
        rows,
        budget,
        strategy=strategy,
        weights=pipeline.features,
        scale=pipeline.scale,
        probabilities=probabilities,
        labelled=labelled,
        excluded=excluded,
        seed=pipeline.seed,
        task=seen.task,
    )
    try:
        choice = select_rows(request, scores="if there")
    except BudgetError as error:
        if error.code != "only-copies":
            raise
        return []
    budget = len(choice.ids)
    before, second = budget, pipeline.strategy
    if isinstance(strategy, Switch):
        before = min(max(strategy.after - len(seen), 0), budget)
        second = pipeline.options.get("then", {}).get("strategy", second)
    names = [pipeline.strategy] * before + [second] * (budget - before)
    scores = [None] * budget if choice.scores is None else choice.scores.tolist()
    return [
        Pick(row, name, None if score is None or math.isnan(score) else score)
        for row, name, score in zip(shown[choice.ids].tolist(), names, scores, strict=True)
    ]
