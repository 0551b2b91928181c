"""The next batch for those who have embeddings or probabilities already: no model, no data set."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from nextlabel.core.errors import DataError, UsageError, nearest
from nextlabel.core.feature_space import Embedding, FeatureSpace, Scale
from nextlabel.core.pool import Pool
from nextlabel.core.seeds import Seeds
from nextlabel.core.snapshot import Snapshot
from nextlabel.core.types import Array, Ids, Task, as_array, as_ids
from nextlabel.strategies import create


def select(
    features: object = None,
    *,
    budget: int,
    strategy: str = "core_set",
    options: Mapping[str, Any] | None = None,
    weights: Mapping[str, float] | None = None,
    scale: Scale = "rms",
    probabilities: object = None,
    labelled: object = (),
    excluded: object = (),
    seed: int = 0,
    task: Task = "multiclass",
) -> Ids:
    """Return the `budget` ids to label next, int64, in the order of choice.

    `features` is one array (N, d), or a mapping of block names to arrays (N, d_b) that `weights`
    weigh (1 where not named, 0 leaves a block out) and `scale` makes comparable: equation 6.
    `probabilities` is (N, K). Arrays may be numpy of any type, memory maps, tensors or lists;
    `labelled` and `excluded` are ids, rows 0 … N - 1. `options` are the strategy's own settings;
    `seed` decides whatever is random.
    Raises UsageError for arguments that do not fit (UnknownId, AlreadyLabelled, BudgetError),
    DataError for arrays that cannot be used, naming the row.
    """
    chooser = create(strategy, options)
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise UsageError(f"seed {seed!r} must be a whole number of at least 0")
    blocks = _blocks(features)
    known = {**blocks, **({} if probabilities is None else {"probabilities": probabilities})}
    size = _common_length({name: as_array(values) for name, values in known.items()})
    pool = Pool(size, as_ids(labelled), as_ids(excluded))
    pool.check_budget(budget)
    space = None
    if "features" in chooser.needs:
        if not blocks:
            raise UsageError(
                f"strategy {strategy!r} needs features, and none were given; give a row of them "
                "for each image"
            )
        space = _embed(blocks, weights or {}, scale)
    if "probabilities" in chooser.needs and probabilities is None:
        raise UsageError(
            f"strategy {strategy!r} needs probabilities, and none were given; give a row of them "
            "for each image"
        )
    if "predicted_loss" in chooser.needs:
        raise UsageError(
            f"strategy {strategy!r} asks a model that was trained to predict its own losses, as "
            "only an experiment does; choose another strategy, or run an experiment"
        )
    snapshot = Snapshot(
        pool, task, space, None if probabilities is None else _numbers(probabilities)
    )
    return chooser.select(snapshot, budget, Seeds(int(seed)).rng("select", 1))


def _blocks(features: object) -> dict[str, Any]:
    if features is None:
        return {}
    if isinstance(features, Mapping):
        return dict(features)
    return {"features": features}


def _common_length(known: Mapping[str, Array]) -> int:
    if not known:
        raise UsageError(
            "neither features nor probabilities were given, so the number of images is not known; "
            "give one of them"
        )
    for name, array in known.items():
        if array.ndim == 0:
            raise DataError(f"{name!r} is a single value; give one row for each image")
    (first, size), *others = ((name, len(array)) for name, array in known.items())
    for name, length in others:
        if length != size:
            raise DataError(
                f"{name!r} has {length} rows but {first!r} has {size}; "
                "give each one row for every image, in the same order"
            )
    if size == 0:
        raise UsageError(f"{first!r} has no rows, so the pool is empty; give at least one image")
    return size


def _numbers(values: object) -> Array:
    array = as_array(values)
    if array.dtype.kind not in "fiub":
        raise DataError(f"probabilities hold {array.dtype}; give real numbers from 0 to 1")
    return array


def _embed(blocks: Mapping[str, Any], weights: Mapping[str, float], scale: Scale) -> Embedding:
    for name in weights:
        if name not in blocks:
            raise UsageError(f"weights name an unknown block {name!r}; {nearest(name, blocks)}")
    if scale not in ("none", "rms"):
        raise UsageError(f"scale {scale!r} is unknown; {nearest(str(scale), ('none', 'rms'))}")
    return FeatureSpace({name: weights.get(name, 1.0) for name in blocks}, scale).embed(blocks)
