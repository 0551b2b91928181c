"""TA-VAAL: images that a discriminator, which reads their predicted loss, takes for unlabelled."""

from dataclasses import dataclass
from typing import ClassVar

from nextlabel.strategies import register
from nextlabel.strategies.vaal import VAAL


@register("ta_vaal")
@dataclass(frozen=True)
class TAVAAL(VAAL):
    """Images that TA-VAAL's discriminator is surest are unlabelled.

    As `vaal`, with a discriminator and a decoder that also read the loss that the module P predicts
    for an image. The block `ta_vaal` is trained for it after the task model of each round, as the
    authors do. The paper trains P with `loss_prediction.objective = "rank"`. Kim et al.,
    Task-aware variational adversarial active learning, 2021, https://arxiv.org/abs/2002.04709
    """

    needs: ClassVar[frozenset[str]] = frozenset({"ranked_discriminator"})
