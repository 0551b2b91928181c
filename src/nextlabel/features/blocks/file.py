"""Feature block of a file of embeddings, named by its path."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from nextlabel.core.dataset import Dataset
from nextlabel.core.errors import DataError
from nextlabel.core.pool import Pool
from nextlabel.core.seeds import Seeds
from nextlabel.core.space.block import FittedBlock
from nextlabel.core.types import Labels
from nextlabel.features.blocks import register
from nextlabel.features.blocks.base import BlockSettings
from nextlabel.features.embedding_file import EmbeddingFile
from nextlabel.features.embedding_rows import rows_by_part
from nextlabel.files.arrays import check_regular
from nextlabel.files.digest import file_digest


@register("file")
class FileBlock(BlockSettings):
    """Rows of a file: one per image of the pool, then of validation and test if there.

    An `.npz` holds `features` in that order, or in any order with the arrays that
    `nextlabel embed` adds: `names`, or `source` and `row`. Or it holds `train`, `validation` and
    `test`, each as an array. A CSV or Parquet file has its numbers in columns, and may have a
    column of names.
    """

    cached: ClassVar[bool] = False
    path: Path = Field(strict=False)
    """The file; the block's name if that is a path."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """The sha256 of the file's bytes, wherever it lies."""
        return {"sha256": self._digest()}

    def _digest(self) -> str:
        try:
            check_regular(self.path)
            return file_digest(self.path)
        except OSError as error:
            places = f", next to the experiment file or in {Path.cwd()},"
            raise DataError(
                f"the feature file {self.path}{'' if self.path.is_absolute() else places} "
                f"cannot be read ({error.strerror}); check the path",
                code="feature-file-unreadable",
            ) from error

    def fit(
        self,
        data: Dataset,
        pool: Pool,
        labels: Labels | None,
        number: int,
        seeds: Seeds,
        start: FittedBlock | None = None,
    ) -> FittedBlock:
        """Return the file's rows for each part it covers; DataError when they do not fit."""
        return FittedBlock(rows_by_part(EmbeddingFile.load(self.path), data))
