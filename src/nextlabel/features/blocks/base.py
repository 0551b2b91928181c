"""The base of feature blocks, whose defaults are those of a block without labels and training."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol, runtime_checkable

from nextlabel.core.dataset import Dataset
from nextlabel.core.pool import Pool
from nextlabel.core.seeds import Seeds
from nextlabel.core.settings import Settings
from nextlabel.core.space.block import FittedBlock
from nextlabel.core.task_model import ModelOutputs
from nextlabel.core.types import Array, Labels, Part
from nextlabel.features.cache import Cache


class BlockSettings(Settings):
    """Settings of a block that are a `core.space.block.Block` themselves; a subclass adds `fit`."""

    supervised: ClassVar[bool] = False
    """True when the block learns from labels, so that each round fits it again."""
    cached: ClassVar[bool] = True
    """True when fitting takes longer than reading the result back."""
    artefact: ClassVar[int] = 0
    """A number that is raised when the cached result of a fit gets more parts."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """All settings, with the device and the precision that "auto" means here."""
        from nextlabel.models.device import resolve_settings

        return resolve_settings(self.decisive())

    @property
    def passes(self) -> int:
        """The passes over the pool that the fit without labels takes; none by default."""
        return 0

    @property
    def round_passes(self) -> int:
        """The passes over the pool that each round's fit with labels takes; none by default."""
        return 0

    def pass_seconds(self, data: Dataset) -> float:
        """Return the estimated seconds of one pass over the pool; 0 by default."""
        return 0.0

    def warnings(self, fitted: FittedBlock) -> Sequence[str]:
        """Return one sentence per fault of a fit without labels; none by default."""
        return ()

    def fit(
        self,
        data: Dataset,
        pool: Pool,
        labels: Labels | None,
        number: int,
        seeds: Seeds,
        start: FittedBlock | None = None,
    ) -> FittedBlock:
        """Return features for the images of `data`, as `core.space.block.Block.fit` says."""
        raise NotImplementedError(f"{type(self).__name__} has no method fit; write one")


@runtime_checkable
class ReadsModel(Protocol):
    """A supervised block whose rounds read the task model of the same round.

    It is fitted after that model, which so cannot read it.
    """

    def fit_to_model(
        self,
        data: Dataset,
        pool: Pool,
        outputs: ModelOutputs,
        number: int,
        seeds: Seeds,
        start: FittedBlock,
    ) -> FittedBlock:
        """Return features for the images of `data`.

        Parameters
        ----------
        data, pool, number, seeds
            As for `core.space.block.Block.fit`.
        outputs
            The task model's predictions for the pool.
        start
            The fit without labels.
        """
        ...


@runtime_checkable
class KeepsRows(Protocol):
    """A block that uses no label and keeps the rows of single images in the cache itself."""

    def fit_kept(self, data: Dataset, cache: Cache | None, progress: bool = False) -> FittedBlock:
        """Return features for the images of `data`, computing those that the cache lacks.

        Parameters
        ----------
        data
            The data set; its labels must not be read.
        cache
            The cache; None keeps nothing.
        progress
            Show a bar on stderr.
        """
        ...

    def encode_kept(
        self, fitted: FittedBlock, data: Dataset, part: Part, cache: Cache | None
    ) -> Array:
        """Return the rows (n, d) of a part of `data`, whose images need not be in the fit.

        Parameters
        ----------
        fitted
            The fit, of which only the state is read.
        data, part
            The data set, and the part of it that holds the images.
        cache
            The cache, as for `fit_kept`.
        """
        ...
