"""TCM: TypiClust for the first labels, margin after them."""

from dataclasses import dataclass, field

from nextlabel.core.strategy import Strategy
from nextlabel.strategies import register
from nextlabel.strategies.switch import Switch
from nextlabel.strategies.typiclust import TypiClust
from nextlabel.strategies.uncertainty import Margin


@register("tcm")
@dataclass(frozen=True)
class TCM(Switch):
    """TypiClust until `after` images are labelled, then margin.

    A batch that passes `after` is divided. Until then no probabilities are needed, so it can begin
    without labels. The paper changes early with pretrained features and says no number that fits
    all data. `then` joins any other two strategies in the same way. Doucet et al., Bridging
    diversity and uncertainty in active learning with self-supervised pre-training, 2024,
    https://arxiv.org/abs/2403.03728
    """

    first: Strategy = field(default=TypiClust(), init=False)
    second: Strategy = field(default=Margin(), init=False)
    after: int = 20
    """Number of labelled images at which margin takes over."""
