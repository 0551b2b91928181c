"""Feature blocks: rows of task-agnostic features per image, their cost and their warnings."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

from nextlabel.core.dataset import Dataset
from nextlabel.core.errors import DataError
from nextlabel.core.pool import Pool
from nextlabel.core.seeds import Seeds
from nextlabel.core.space.scaling import rms_distance
from nextlabel.core.types import Array, Ids, Labels, Part


class LazyPictures(Mapping[str, bytes]):
    """PNG pictures by name, drawn on first access."""

    def __init__(self, draw: Callable[[], Mapping[str, bytes]]) -> None:
        self._draw = draw
        self._drawn: Mapping[str, bytes] | None = None

    def _pictures(self) -> Mapping[str, bytes]:
        if self._drawn is None:
            self._drawn = self._draw()
        return self._drawn

    def __getitem__(self, name: str) -> bytes:
        return self._pictures()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._pictures())

    def __len__(self) -> int:
        return len(self._pictures())


@dataclass(frozen=True, eq=False)
class FittedBlock:
    """Feature rows of the images, and the record of the fit.

    Parameters
    ----------
    features
        Rows (n, d) for each part of the data that has them.
    log
        One mapping of numbers per epoch.
    pictures
        PNG bytes by name.
    state
        Arrays that a later fit, or a task model, may start from.
    scores
        Numbers (N) of the images of the pool by name, which a signal may read.
    """

    features: Mapping[Part, Array]
    log: tuple[Mapping[str, float], ...] = ()
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    state: Mapping[str, Array] = field(default_factory=dict)
    scores: Mapping[str, Array] = field(default_factory=dict)

    def rows(self, part: Part, ids: Ids | slice = slice(None)) -> Array:
        """Return the rows of `ids` (all by default); DataError when the part has no rows."""
        if part not in self.features:
            raise DataError(
                f"the block has no rows for {part}, only for {', '.join(self.features)}; add them",
                code="no-rows-for-part",
            )
        return self.features[part][ids]

    def rms_distance(self) -> float:
        """Return the root-mean-square distance of the training rows, computed once."""
        return self._rms_distance

    @cached_property
    def _rms_distance(self) -> float:
        return rms_distance(self.rows("train"))


class Block(Protocol):
    """A source of feature rows; a `supervised` one is fitted again in each round.

    Every round starts from the same fit without labels, so a round never depends on the round
    before, and a resumed run needs no checkpoint.
    """

    @property
    def supervised(self) -> bool:
        """True when the block learns from labels."""
        ...

    @property
    def cached(self) -> bool:
        """True when the fit without labels is kept for other trials."""
        ...

    @property
    def identity(self) -> Mapping[str, Any]:
        """All that decides the outcome in addition to data and seed, for the cache's key."""
        ...

    @property
    def passes(self) -> int:
        """The passes over the pool that the fit without labels takes; 0 when it takes no time."""
        ...

    @property
    def round_passes(self) -> int:
        """The passes over the pool that each round's fit with labels takes."""
        ...

    def pass_seconds(self, data: Dataset) -> float:
        """Return the estimated seconds of one pass over the pool, from a short trial of it."""
        ...

    def warnings(self, fitted: FittedBlock) -> Sequence[str]:
        """Return one sentence per fault of a fit without labels that a user should act on."""
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
        """Return features for the images of `data`.

        Parameters
        ----------
        data
            The data set; its labels must not be read.
        pool
            The pool, whose labelled ids the labels belong to.
        labels
            The labels of `pool.labelled`, in that order; an unsupervised block ignores them.
            With None the fit uses no labels.
        number
            The number of the round.
        seeds
            The trial's seeds, for all that is random.
        start
            The fit without labels, which a supervised block starts from.
        """
        ...


@runtime_checkable
class EncodingBlock(Block, Protocol):
    """A block whose fit also gives rows of images that were not in it."""

    def encode(self, fitted: FittedBlock, data: Dataset, part: Part = "train") -> Array:
        """Return the rows (n, d) of images by a fit that has not seen them.

        Parameters
        ----------
        fitted
            The fit; its settings and `state` decide alone, so that both can be stored.
        data
            The data set of the images, with as many channels and of the same size as in the fit.
        part
            The part of it that holds the images.

        Returns
        -------
        float32 array (n, d)
            For an image that was in the fit, its row there but for rounding.
        """
        ...
