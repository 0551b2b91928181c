"""The default way from a folder of images to suggestions and a classifier, in one place."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from nextlabel.core.settings import Settings
from nextlabel.core.space.feature_space import Scale
from nextlabel.core.space.scaled_blocks import ScaledBlocks
from nextlabel.core.types import Array
from nextlabel.models.settings import ClassWeight, Regularisation
from nextlabel.project.block_model import BlockModel, fit_regression
from nextlabel.project.labels import KnownLabels


class Pipeline(Settings):
    """Feature space, strategy and model of a person's folder; `DEFAULT` is the one to use.

    Its defaults follow from experiments, which docs/results/README.md lists.
    """

    features: Mapping[str, float] = Field(default_factory=lambda: {"pretrained": 1.0, "vae": 1.0})
    """Weight of each feature block, for selection and for the model."""
    blocks: Mapping[str, Mapping[str, Any]] = Field(
        default_factory=lambda: {"pretrained": {"reduce": 64}, "vae": {"latent": 16, "epochs": 15}}
    )
    """Settings of feature blocks by name."""
    image_size: int = Field(64, ge=8, le=1024)
    """Height and width, in pixels, of the images that blocks other than `pretrained` see."""
    scale: Scale = "rms"
    """"rms" divides each block by its root-mean-square distance between images."""
    strategy: str = "typiclust"
    """Strategy that chooses the next images."""
    options: Mapping[str, Any] = Field(
        default_factory=lambda: {"then": {"after": 10, "strategy": "uherding"}}
    )
    """Options of that strategy."""
    regularisation: Regularisation = 10.0
    """Inverse strength of the logistic regression, or "cv" for the best on held-out labels."""
    class_weight: ClassWeight = "balanced"
    """"balanced" makes every class count the same."""
    audit: float = Field(0.2, ge=0, le=1)
    """Share of the images to label that are drawn at random, to estimate accuracy by."""
    seed: int = Field(0, ge=0)
    """Number that decides everything random."""

    def fit(self, rows: Mapping[str, Array], known: KnownLabels) -> BlockModel:
        """Return the model of the labelled images.

        Parameters
        ----------
        rows : mapping of str to array (N, d)
            The rows of each feature block, for all images of the folder.
        known : KnownLabels
            The labels.

        Returns
        -------
        BlockModel
            The fitted model.

        Raises
        ------
        DataError
            All labels are of one class.
        """
        return BlockModel.fit(
            rows,
            known.ids,
            known.labels,
            known.classes,
            known.task,
            weights=self.features,
            regularisation=self.regularisation,
            class_weight=self.class_weight,
        )

    def predict(self, blocks: ScaledBlocks, known: KnownLabels) -> Array | None:
        """Return the probabilities of a model of the labels, without the rest of a `BlockModel`.

        Parameters
        ----------
        blocks : ScaledBlocks
            The rows of all images, as `block_model.scaled_pool` returns them.
        known : KnownLabels
            The labels.

        Returns
        -------
        float32 array (N, K) or None
            None before two classes occur.
        """
        if not known.can_be_told_apart:
            return None
        fitted = fit_regression(
            blocks,
            known.ids,
            known.labels,
            len(known.classes),
            known.task,
            self.regularisation,
            self.class_weight,
        )
        return fitted.infer(blocks).probabilities


DEFAULT = Pipeline()
