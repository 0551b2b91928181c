"""Standardised features on fewer columns: principal components, fitted once and applied to any."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nextlabel.core.errors import DataError
from nextlabel.core.types import Array

TILE = 8192
ROUNDING = 1e-6
"""Variation below this share is that of rounding."""


@dataclass(frozen=True, eq=False)
class Reduction:
    """A linear map of rows (n, d) to k columns.

    Parameters
    ----------
    mean, deviation
        Of each column (d), float32; the deviation is 1 where nothing varies.
    components
        The principal axes (k, d) of the standardised rows, float32; 0 for those without variation.
    """

    mean: Array
    deviation: Array
    components: Array

    @classmethod
    def fit(cls, rows: Array, columns: int) -> "Reduction":
        """Return the reduction of rows (n, d) to `columns`, or to n or d where that is less."""
        from sklearn.decomposition import PCA

        mean = rows.mean(axis=0, dtype=np.float64)
        deviation = rows.std(axis=0, dtype=np.float64)
        same = deviation <= ROUNDING * np.abs(mean)
        deviation[same] = 1.0
        kept = min(columns, *rows.shape)
        components = np.zeros((kept, rows.shape[1]), np.float32)
        plain = cls(mean.astype(np.float32), deviation.astype(np.float32), components)
        if same.all():
            return plain
        fitted = PCA(kept, svd_solver="covariance_eigh").fit(plain._scaled(rows))
        variance = fitted.explained_variance_
        seen = variance > ROUNDING * variance[0]  # an axis along which nothing varies is arbitrary
        components[seen] = fitted.components_[seen]
        return plain

    def apply(self, rows: Array) -> Array:
        """Return rows (n, d) on the components, float32 (n, k).

        Parameters
        ----------
        rows
            Features of the network that the reduction was fitted to.

        Raises
        ------
        DataError
            When they have another number of columns.
        """
        if rows.shape[1] != len(self.mean):
            raise DataError(
                f"features have {rows.shape[1]} columns, and {len(self.mean)} were fitted; they "
                "are of another network, so use the one of the fit",
                code="features-of-another-network",
            )
        out = np.empty((len(rows), len(self.components)), np.float32)
        for start in range(0, len(rows), TILE):
            out[start : start + TILE] = self._scaled(rows[start : start + TILE]) @ self.components.T
        return out

    def state(self) -> dict[str, Array]:
        """Return the arrays that `of` takes."""
        return {"mean": self.mean, "deviation": self.deviation, "components": self.components}

    @classmethod
    def of(cls, state: Mapping[str, Array]) -> "Reduction":
        """Return the reduction that `state` gave."""
        return cls(state["mean"], state["deviation"], state["components"])

    def _scaled(self, rows: Array) -> Array:
        scaled: Array = (rows - self.mean) / self.deviation
        return scaled
