"""Feature spaces, equation 6: blocks of features and their weights α; the heuristic stays.

N images, B blocks, d_b columns of block b, d columns of all blocks.
"""

import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from numbers import Real
from types import MappingProxyType
from typing import Any, Literal, get_args

from nextlabel.core.errors import DataError, UsageError
from nextlabel.core.space.embedding import Embedding
from nextlabel.core.space.matrix import matrix
from nextlabel.core.space.scaling import rms_distance, unit_rows
from nextlabel.core.types import Array, as_array

Scale = Literal["none", "rms", "unit"]


@dataclass(frozen=True)
class FeatureSpace:
    """The blocks that make a space and their weights: {"task": 1.0, "vae": α}, equation 6.

    Parameters
    ----------
    weights
        A number of at least 0 per block. It acts as its square on squared distances; a block of
        weight 0 is left out.
    scale
        "rms": a block is first divided by its root-mean-square pairwise distance, so that a weight
        means the same on every data set; "unit": each row of a block is first divided by its
        length, so that distances are those of directions (as cosine similarity has them), in a copy
        of the block; "none": the literal equation.

    Raises
    ------
    UsageError
        The scale is unknown, or a weight is not such a number, or all are 0.

    """

    weights: Mapping[str, float]
    scale: Scale = "rms"

    def __post_init__(self) -> None:
        if self.scale not in get_args(Scale):
            raise UsageError(
                f"scale {self.scale!r} is unknown; choose rms, none, or unit (distances of "
                "directions, as cosine similarity has them)",
                code="unknown-scale",
            )
        if not isinstance(self.weights, Mapping):
            raise UsageError(
                f"weights {self.weights!r} do not name the blocks; give a mapping such as "
                '{"task": 1.0, "vae": 0.5}',
                code="weights-without-names",
            )
        given: Mapping[str, Any] = self.weights
        for name, weight in given.items():
            if not (isinstance(weight, Real) and 0 <= float(weight) < math.inf):
                raise UsageError(
                    f"weight {weight!r} of block {name!r} is not a finite number of at least 0; "
                    "give such a number",
                    code="bad-block-weight",
                )
        if not self.blocks:
            raise UsageError(
                "every block has weight 0; give at least one a weight above 0",
                code="weights-all-zero",
            )
        object.__setattr__(self, "weights", MappingProxyType(dict(self.weights)))

    def __reduce__(self) -> tuple[Any, ...]:
        return FeatureSpace, (dict(self.weights), self.scale)

    @property
    def blocks(self) -> tuple[str, ...]:
        """Names of the blocks of weight above 0, sorted, so that their order changes no sum."""
        return tuple(sorted(name for name, weight in self.weights.items() if weight > 0))

    def embed(
        self,
        blocks: Mapping[str, Any],
        rms_distances: Mapping[str, Callable[[], float]] | None = None,
    ) -> Embedding:
        """Return the embedding of rows given block by block (equation 6).

        Parameters
        ----------
        blocks
            An array (N, d_b) for each block of the space.
        rms_distances
            Functions that give the root-mean-square distance of a block, for blocks that
            remember it.

        Returns
        -------
        Embedding
            The rows in this space.

        Raises
        ------
        DataError
            A block is missing, not finite, or of another length.

        Warns
        -----
        UserWarning
            A block is the same in every row.

        """
        missing = [name for name in self.blocks if name not in blocks]
        if missing:
            raise DataError(
                f"the space needs block {missing[0]!r}, but the blocks given are "
                f"{', '.join(blocks) or 'none'}; give it or set its weight to 0",
                code="block-missing",
            )
        pairs = []
        for name in self.blocks:
            array = matrix(as_array(blocks[name], f"block {name!r}"), name)
            distance = (rms_distances or {}).get(name, partial(rms_distance, array))
            pairs.append((self.by_row(array), self.weights[name] / self._unit(name, distance)))
        return Embedding(tuple(pairs))

    def by_row(self, array: Array) -> Array:
        """Return rows before the block's factor.

        Parameters
        ----------
        array
            Rows (N, d).

        Returns
        -------
        Array
            A copy with rows of length one where the scale is "unit"; else the array itself.

        """
        return unit_rows(array) if self.scale == "unit" else array

    def _unit(self, name: str, rms_distance_of_block: Callable[[], float]) -> float:
        """Return the number by which a block is divided."""
        if self.scale != "rms":
            return 1.0
        distance = rms_distance_of_block()
        if distance == 0:
            warnings.warn(
                f"block {name!r} is the same in every row, so it does not distinguish images",
                stacklevel=3,
            )
            return 1.0
        return distance
