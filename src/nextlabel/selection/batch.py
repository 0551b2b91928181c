"""The next batch to label, from features or probabilities that a user has already."""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from nextlabel.core.errors import DataError, UsageError, nearest
from nextlabel.core.feature_space import Embedding, FeatureSpace, Scale
from nextlabel.core.pool import Pool
from nextlabel.core.seeds import Seeds
from nextlabel.core.snapshot import Snapshot
from nextlabel.core.strategy import Strategy, needs_now
from nextlabel.core.types import Array, Task, as_ids
from nextlabel.models.signals import SIGNALS, sources
from nextlabel.selection.copies import first_of_each, without_copies
from nextlabel.selection.rows import Rows, common_labels, common_length, held_out, rows_of
from nextlabel.selection.strategies import strategy_of


def select(
    features: object = None,
    budget: int | None = None,
    *,
    strategy: str | Strategy | type[Strategy] | None = None,
    options: Mapping[str, Any] | None = None,
    weights: Mapping[str, float] | None = None,
    scale: Scale = "rms",
    probabilities: object = None,
    labelled: object = (),
    excluded: object = (),
    signals: Mapping[str, object] | None = None,
    seed: int = 0,
    task: Task = "multiclass",
) -> Array:
    """Return the images to label next, in the order of choice.

    Parameters
    ----------
    features
        One row of d numbers per image, shape (N, d), or a mapping of block names to such arrays,
        which `weights` and `scale` combine into one feature space (equation 6). An array may be a
        numpy array of any type, a memory map, a tensor, nested lists, a pandas DataFrame, a Series
        of vectors, or the path of an .npy or .npz file.
    budget
        The number of images to choose.
    strategy
        The name of a strategy (core-set by default; `nextlabel strategies` lists them), a strategy
        object, or a strategy class, which is called with `options`.
    options
        Settings of the strategy by name, for example {"neighbours": 10}.
    weights
        The weight of each block; 1 where not named, and 0 leaves a block out.
    scale
        "rms" divides each block by its root-mean-square distance between images first, so that
        weights of different blocks can be compared; "unit" divides each row of a block by its
        length (distances as cosine similarity has them); "none" takes the rows as they are.
    probabilities
        The predicted probability of each class per image, shape (N, K), from 0 to 1.
    labelled, excluded
        The images that are labelled already, and those that must not be chosen: ids (rows from 0
        to N - 1) in any sequence or set, or a mask of N times true or false. Where rows have
        labels, these are meant instead of ids.
    signals
        Other signals that the strategy needs, by name: one row of numbers per image each.
    seed
        The number that decides everything random.
    task
        "multiclass" or "multilabel" (each probability is of its own).

    Returns
    -------
    Array
        `budget` ids, int64. Images with equal rows of features are copies of one picture: it is
        chosen once, and not at all when a copy of it is labelled; copies come last, with a
        warning, when nothing else is left. Where the input has labels of rows, these instead of
        ids: the index of a DataFrame or Series, or the file names in an .npz file.

    Raises
    ------
    UsageError
        An argument does not fit; UnknownId, AlreadyLabelled and BudgetError are kinds of it. It is
        a ValueError.
    DataError
        An array cannot be used; the message names the row. It is a ValueError.

    Examples
    --------
    >>> from nextlabel import select
    >>> features = [[0.0], [0.1], [5.0], [9.0]]
    >>> select(features, 2, labelled=[0])
    array([3, 2])
    >>> select(features, 1, strategy="typiclust", labelled={3})
    array([0])

    """
    chooser = strategy_of(strategy, options)
    called = strategy or "core_set"
    called = called if isinstance(called, str) else type(chooser).__name__
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise UsageError(f"seed {seed!r} must be a whole number of at least 0", code="bad-seed")
    blocks = _blocks(features)
    given = dict(blocks)
    if probabilities is not None:
        given["probabilities"] = rows_of(probabilities, "probabilities")
    others = {name: rows_of(values, name) for name, values in (signals or {}).items()}
    given |= others
    size, labels = common_length(given), common_labels(given)
    if labels is not None:
        labels.check_unique()
    known, barred = (
        as_ids(values, size) if labels is None else labels.ids_of(values)
        for values in (labelled, excluded)
    )
    held = held_out(list(given.values()), known, barred)
    pool = Pool(size, known, np.concatenate([barred, held]))
    if budget is None:
        raise UsageError("budget is missing; give the number of images to choose", code="no-budget")
    pool.check_budget(budget)
    pictures, copies = pool, as_ids(())
    if blocks:
        arrays = [_numbers(rows.array, name) for name, rows in blocks.items()]
        pictures, copies = without_copies(pool, first_of_each(arrays))
    different = min(budget, len(pictures.unlabelled))
    needs = needs_now(chooser, pictures, different)
    if any("true_labels" in sources([name]) for name in chooser.needs if name in SIGNALS):
        raise UsageError(
            f"strategy {called!r} reads the true labels, which only a simulation has; choose "
            "another, or run an experiment",
            code="simulation-only",
        )
    space = _embed(blocks, weights, scale) if "features" in needs and blocks else None
    chances = (
        None
        if probabilities is None
        else _numbers(given["probabilities"].array, "probabilities", " from 0 to 1")
    )
    there: dict[str, Any] = {name: rows.array for name, rows in others.items()}
    there |= {"features": space, "probabilities": chances}
    for name in sorted(needs):
        if there.get(name) is None:
            raise UsageError(f"strategy {called!r} {_missing(name)}", code="missing-signal")
    snapshot = Snapshot(pictures, task, signals={name: there[name] for name in needs})
    chosen = as_ids(())
    if different or not budget:
        chosen = chooser.select(snapshot, different, Seeds(int(seed)).rng("select", 1))
    if different < budget:
        copies = copies[: budget - different]
        chosen = np.concatenate([chosen, copies])
        warnings.warn(
            f"only {different} unlabelled images differ from one another and from the labelled "
            f"ones; the last {len(copies)} of the {budget} are copies",
            stacklevel=2,
        )
    return chosen if labels is None else labels.of(chosen)


def _missing(signal: str) -> str:
    if signal in ("features", "probabilities"):
        return f"needs {signal}, and none were given; give a row of them for each image"
    return (
        f"needs {signal}, which a model trained in an experiment gives; choose another strategy, "
        "run an experiment, or give it in signals"
    )


def _blocks(features: object) -> dict[str, Rows]:
    if features is None:
        return {}
    if isinstance(features, Mapping):
        return {name: rows_of(values, f"block {name!r}") for name, values in features.items()}
    return {"features": rows_of(features, "features")}


def _numbers(array: Array, name: str, limits: str = "") -> Array:
    if array.dtype.kind not in "fiub":
        raise DataError(f"{name} hold {array.dtype}; give real numbers{limits}", code="not-numbers")
    return array


def _embed(
    blocks: Mapping[str, Rows], weights: Mapping[str, float] | None, scale: Scale
) -> Embedding:
    weights = {} if weights is None else weights
    if not isinstance(weights, Mapping):
        raise UsageError(
            f'weights {weights!r} are not a mapping; give block names and numbers, {{"vae": 0.5}}',
            code="weights-not-a-mapping",
        )
    for name in weights:
        if name not in blocks:
            raise UsageError(
                f"weights name an unknown block {name!r}; {nearest(str(name), blocks)}",
                code="unknown-block",
            )
    space = FeatureSpace({name: weights.get(name, 1.0) for name in blocks}, scale)
    try:
        return space.embed({name: rows.array for name, rows in blocks.items()})
    except DataError as error:  # a single array is not a block to the user
        said = str(error).replace("block 'features'", "features")
        raise DataError(said, code=error.code) from error
