"""Feature block of a file: embeddings in a `.npy` or `.npz` file, named by its path."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from nextlabel.core.block import FittedBlock
from nextlabel.core.dataset import Dataset
from nextlabel.core.errors import DataError
from nextlabel.core.pool import Pool
from nextlabel.core.seeds import Seeds
from nextlabel.core.types import PARTS, Array, Labels, Part
from nextlabel.features.blocks import register
from nextlabel.features.blocks.base import BlockSettings
from nextlabel.features.embedding_file import matched_rows
from nextlabel.files.arrays import check_regular, read_arrays
from nextlabel.files.digest import file_digest


@register("file")
class FileBlock(BlockSettings):
    """Rows of a file: one per image of the pool, then of validation and test if there.

    An `.npz` holds `features` in that order, or in any order with the arrays that
    `nextlabel embed` adds: `names`, or `source` and `row`. Or it holds `train`, `validation` and
    `test`, each as an array.
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
        loaded = read_arrays(self.path)
        if isinstance(loaded, np.ndarray):
            return FittedBlock(self._cut(loaded, data))
        parts = {part: loaded[part] for part in PARTS if part in loaded}
        if not parts and "features" in loaded:
            matched = matched_rows(self.path.name, loaded, data)
            if matched is not None:
                return FittedBlock(matched)
            return FittedBlock(self._cut(loaded["features"], data))
        if "train" not in parts:
            raise DataError(
                f"{self.path.name} holds {', '.join(loaded) or 'nothing'}; store the rows under "
                "the name 'features', or each part's under 'train', 'validation' and 'test'",
                code="array-missing",
            )
        for part, rows in parts.items():
            self._check(self._count(rows), (len(data.part(part)),))
            if rows.shape[1:] != parts["train"].shape[1:]:
                raise DataError(
                    f"{self.path.name} has rows of shape {rows.shape[1:]} for {part} and of "
                    f"{parts['train'].shape[1:]} for train; give all parts the same columns",
                    code="embedding-shape",
                )
        return FittedBlock(parts)

    def _count(self, rows: Array) -> int:
        """Return the number of rows; DataError for a single number."""
        if rows.ndim == 0:
            raise DataError(
                f"{self.path.name} holds a single number; give one row per image",
                code="embedding-shape",
            )
        return len(rows)

    def _cut(self, rows: Array, data: Dataset) -> dict[Part, Array]:
        """Cut rows into parts: the pool alone, or pool, validation and test in that order."""
        sizes = [len(data.part(part)) for part in PARTS]
        self._check(self._count(rows), (sizes[0], sum(sizes)))
        if len(rows) == sizes[0]:
            return {"train": rows}
        starts = np.cumsum([0, *sizes])
        return {
            part: rows[starts[i] : starts[i + 1]] for i, part in enumerate(PARTS) if sizes[i] > 0
        }

    def _check(self, rows: int, allowed: tuple[int, ...]) -> None:
        if rows not in allowed:
            wanted = " or ".join(map(str, sorted(set(allowed))))
            raise DataError(
                f"{self.path.name} has {rows} rows; give {wanted}: one for each image of the pool, "
                "and after them those of validation and test if you have them",
                code="embedding-row-count",
            )
