"""The block `pca`: the control that every learned representation has to beat."""

import numpy as np
from pydantic import Field

from nextlabel.core.dataset import Dataset
from nextlabel.core.errors import DataError, UsageError
from nextlabel.core.pool import Pool
from nextlabel.core.seeds import Seeds
from nextlabel.core.space.block import FittedBlock
from nextlabel.core.types import PARTS, Array, Labels, Part
from nextlabel.features.blocks import register
from nextlabel.features.blocks.base import BlockSettings
from nextlabel.features.blocks.pixels import flat

EXACT_COLUMNS = 4096


def solver_for(images: int, columns: int) -> str:
    """Return scikit-learn's name of the fastest solver that is exact, or of the randomised one."""
    if columns > EXACT_COLUMNS:
        return "randomized"
    return "full" if 4 * images <= columns else "covariance_eigh"


@register("pca")
class PCABlock(BlockSettings):
    """Principal components of the pool's pixels; exact up to 4,096 pixels, randomised above."""

    components: int = Field(32, ge=1)
    """Number of components, which are the features; fewer by default, where fewer images or pixels
    do not have as many."""
    whiten: bool = False
    """Divide each component by its standard deviation."""

    def fit(
        self,
        data: Dataset,
        pool: Pool,
        labels: Labels | None,
        number: int,
        seeds: Seeds,
        start: FittedBlock | None = None,
    ) -> FittedBlock:
        """Return scores (n, components) float32 for each part; UsageError for too many."""
        from sklearn.decomposition import PCA

        rows = flat(data.train.images)
        limit = min(rows.shape)
        components = self.components
        if "components" not in self.model_fields_set:
            components = min(components, limit)
        if components > limit:
            raise UsageError(
                f"pca.components {self.components} exceeds the {limit} that {len(rows)} images of "
                f"{rows.shape[1]} pixels have; lower it to {limit}",
                code="too-many-components",
            )
        solver = solver_for(*rows.shape)
        make = PCA(
            components,
            whiten=self.whiten,
            svd_solver=solver,
            random_state=seeds.integer("pca") % 2**32,
        )
        # Of images that are all alike, shares of the variance are 0 / 0; nothing here reads them.
        with np.errstate(invalid="ignore"):
            fitted = make.fit(rows)
        return FittedBlock(
            {
                part: fitted.transform(flat(data.part(part).images)).astype(np.float32)
                for part in PARTS
                if len(data.part(part))
            },
            state={
                "mean": fitted.mean_.astype(np.float32),
                "components": fitted.components_.astype(np.float32),
                "variance": fitted.explained_variance_.astype(np.float32),
            },
        )

    def encode(self, fitted: FittedBlock, data: Dataset, part: Part = "train") -> Array:
        """Return scores (n, components) float32 of images that were not in the fit."""
        rows = flat(data.part(part).images)
        mean, components = fitted.state["mean"], fitted.state["components"]
        if rows.shape[1] != len(mean):
            raise DataError(
                f"images of {rows.shape[1]} numbers do not fit a PCA of {len(mean)}; give images "
                "of the size and the channels that it was fitted to",
                code="images-do-not-fit-encoder",
            )
        scores = (rows - mean) @ components.T
        if self.whiten:
            scores /= np.sqrt(fitted.state["variance"])
        return scores
