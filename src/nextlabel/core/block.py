"""Task-agnostic features: what is known of images without the task model."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from nextlabel.core.dataset import Dataset
from nextlabel.core.errors import DataError
from nextlabel.core.pool import Pool
from nextlabel.core.seeds import Seeds
from nextlabel.core.types import Array, Ids, Labels, Part

ALIKE, UNUSED = 1.5, 1.1
"""A mixture of fewer distinct components, or of fewer in use, may be one Gaussian in effect."""


class Drawn(Mapping[str, bytes]):
    """Pictures by name that nobody draws before somebody looks."""

    def __init__(self, draw: Callable[[], Mapping[str, bytes]]) -> None:
        self._draw = draw
        self._found: Mapping[str, bytes] | None = None

    def _pictures(self) -> Mapping[str, bytes]:
        if self._found is None:
            self._found = self._draw()
        return self._found

    def __getitem__(self, name: str) -> bytes:
        return self._pictures()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._pictures())

    def __len__(self) -> int:
        return len(self._pictures())


@dataclass(frozen=True, eq=False)
class FittedBlock:
    """Feature rows (n, d) for each part that has them, and what the fitting left to look at.

    `log` holds one mapping of numbers for each epoch; `pictures` PNG bytes by name; `state` the
    arrays that a later fit may start from, or a task model take over.
    """

    features: Mapping[Part, Array]
    log: tuple[Mapping[str, float], ...] = ()
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    state: Mapping[str, Array] = field(default_factory=dict)

    def rows(self, part: Part, ids: Ids | slice = slice(None)) -> Array:
        """Return the rows of `ids` (all by default); DataError when the block has none there."""
        if part not in self.features:
            raise DataError(
                f"the block has no rows for {part}, only for {', '.join(self.features)}; add them"
            )
        return self.features[part][ids]


def collapsed(log: Sequence[Mapping[str, float]]) -> bool:
    """Say whether the components of a mixture ended as one: all alike, or all but one unused.

    The last epoch's `components` are how many are in use and `distinct` how many can be told
    apart, effective numbers whose logarithms are an entropy and the part of it that a point gives
    away. Components of unequal use that are told apart have not collapsed. Without these numbers
    there is no mixture.
    """
    last = log[-1] if log else {}
    if "distinct" not in last:
        return False
    used, distinct = last["components"], last["distinct"]
    return used < UNUSED or (distinct < ALIKE and distinct**2 < used)


class Block(Protocol):
    """Makes feature rows for images; `supervised` ones are fitted again each round.

    Every round starts from the same beginning, fitted without labels, so that nothing chains from
    round to round and a resumed run needs no checkpoint.
    """

    @property
    def supervised(self) -> bool:
        """True when the labels are used."""
        ...

    @property
    def cached(self) -> bool:
        """True when what was fitted is worth keeping for other trials."""
        ...

    @property
    def identity(self) -> Mapping[str, Any]:
        """What decides the outcome besides data and seed, for the cache's key."""
        ...

    def fit(
        self,
        data: Dataset,
        pool: Pool,
        labels: Labels | None,
        number: int,
        seeds: Seeds,
        start: FittedBlock | None = None,
    ) -> FittedBlock:
        """Return features for the images of `data`; unsupervised blocks ignore the labels.

        `labels` are those of `pool.labelled`, in that order; without them a supervised block gives
        its beginning, which comes back as `start` in every round.
        """
        ...
