"""The task model `linear`: logistic regression on the rows of blocks."""

from typing import TYPE_CHECKING, ClassVar, Literal

from nextlabel.core.space.scaled_blocks import ScaledBlocks
from nextlabel.core.types import Ids, Labels
from nextlabel.models.settings import ShippedOptions
from nextlabel.models.task_models import register
from nextlabel.models.task_models.base import ClassicalSettings, ClassWeightOption

if TYPE_CHECKING:
    from nextlabel.models.linear import LinearClassifier


@register("linear")
class LinearSettings(ClassWeightOption, ShippedOptions, ClassicalSettings):
    """Logistic regression of inverse strength `regularisation`."""

    has_last_layer: ClassVar[bool] = True

    name: Literal["linear"] = "linear"

    def fit_blocks(self, rows: ScaledBlocks, labelled: Ids, labels: Labels) -> "LinearClassifier":
        """Return the regression, fitted to the labelled rows."""
        from nextlabel.models.linear import fit_linear

        return fit_linear(rows, labelled, labels, self.regularisation, self.class_weight)
