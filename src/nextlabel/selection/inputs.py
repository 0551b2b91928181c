"""Features and probabilities as users give them, made into the signals of a strategy."""

from collections.abc import Mapping

import numpy as np

from nextlabel.core.errors import DataError, UsageError, nearest
from nextlabel.core.space.embedding import Embedding
from nextlabel.core.space.feature_space import FeatureSpace, Scale
from nextlabel.core.types import Array, Task
from nextlabel.selection.rows import Rows, rows_of


def blocks_of(features: object) -> dict[str, Rows]:
    """Return the rows of each block; those of a single array under "features"."""
    if features is None:
        return {}
    if isinstance(features, Mapping):
        return {name: rows_of(values, f"block {name!r}") for name, values in features.items()}
    return {"features": rows_of(features, "features")}


def numbers(array: Array, name: str, limits: str = "") -> Array:
    """Return an array of real numbers as it is; DataError for another."""
    if array.dtype.kind not in "fiub":
        raise DataError(f"{name} hold {array.dtype}; give real numbers{limits}", code="not-numbers")
    return array


def class_probabilities(array: Array, task: Task) -> Array:
    """Return probabilities (N, K), K at least 2 for multi-class data.

    One column (N) or (N, 1) is the probability of the second of two classes, or in multi-label
    data of the only finding. Raises DataError for what is not numbers, and for a value in one
    column outside 0 to 1.
    """
    p = numbers(array, "probabilities", " from 0 to 1")
    if p.ndim not in (1, 2) or p.shape[1:] not in ((), (1,)):
        return p
    p = p.reshape(len(p), 1)
    if task == "multilabel":
        return p
    bad = np.flatnonzero(~((p >= 0) & (p <= 1)))
    if bad.size:
        raise DataError(
            f"probabilities hold {p[bad[0], 0]:g} in row {bad[0]}, outside 0 to 1; give "
            "probabilities, not logits",
            code="probability-out-of-range",
        )
    return np.hstack([1 - p.astype(np.float64), p])


def embed_blocks(
    blocks: Mapping[str, Rows], weights: Mapping[str, float] | None, scale: Scale
) -> Embedding:
    """Return the feature space of weighted blocks; errors speak of features for a single array."""
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
        said = str(error).replace("block 'features'", "the table of features")
        raise DataError(said, code=error.code) from error
