"""The block `ta_vaal`: VAAL's VAE and discriminator, which read the loss that P predicts."""

from typing import ClassVar

from nextlabel.core.dataset import Dataset
from nextlabel.core.errors import UsageError
from nextlabel.core.pool import Pool
from nextlabel.core.seeds import Seeds
from nextlabel.core.space.block import FittedBlock
from nextlabel.core.task_model import ModelOutputs
from nextlabel.features.blocks import register
from nextlabel.features.blocks.vaal import VAALBlock


@register("ta_vaal")
class TAVAALBlock(VAALBlock):
    """Posterior means of TA-VAAL's VAE, and the scores of its discriminator.

    As `vaal`, but each round's discriminator and decoder also read the loss that the module P of
    the same round's task model predicts. So it is fitted after that model, which cannot read it.
    An arm of the strategy `ta_vaal` has this block.
    """

    block: ClassVar[str] = "ta_vaal"

    def fit_to_model(
        self,
        data: Dataset,
        pool: Pool,
        outputs: ModelOutputs,
        number: int,
        seeds: Seeds,
        start: FittedBlock,
    ) -> FittedBlock:
        """Go on from `start` with the images that are labelled and the losses that P predicts.

        Returns as `fit` does for a round, without a picture. Raises UsageError without P.
        """
        if outputs.predicted_loss is None:
            raise UsageError(
                "block 'ta_vaal' needs the module P, which was not trained; use it with the "
                "strategy ta_vaal, or set loss_head = true in the arm",
                code="no-loss-prediction",
            )
        return self._round(data, pool, start.state, number, seeds, outputs.predicted_loss)
