"""Arms of an experiment: a strategy and the feature space that it reasons in."""

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field, model_validator

from nextlabel.core.errors import UsageError
from nextlabel.core.settings import Settings
from nextlabel.core.space.feature_space import FeatureSpace, Scale
from nextlabel.models.signals import signal_blocks, sources
from nextlabel.strategies import create

TASK = "task"
"""The name of T_f in a feature space; all other names are blocks."""


class Arm(Settings):
    """An arm of an experiment: a strategy, its options, and its feature space.

    For example `features = {task = 1.0, vae = 0.5}` is equation 6 with α = 0.5. `loss_head`
    separates two effects of loss prediction: choosing by it, and training with its gradient.
    """

    later: ClassVar[frozenset[str]] = frozenset({"side", "loss_head", "model"})

    name: str = Field(min_length=1)
    """Name of the arm in tables and figures."""
    strategy: str
    """Name of the strategy that chooses."""
    options: Mapping[str, Any] = Field(default_factory=dict)
    """Options of the strategy."""
    features: Mapping[str, float] = Field(default_factory=lambda: {TASK: 1.0})
    """Weight of each block of the feature space (equation 6)."""
    scale: Scale = "rms"
    """"rms" divides each block by its root-mean-square distance, "unit" each row of a block by its
    length; "none" takes rows as they are.
    """
    baseline: str | None = None
    """Name of the arm to compare with, seed by seed."""
    start: str = "random"
    """Strategy that chooses the initial labels."""
    side: Mapping[str, float] = Field(default_factory=dict)
    """Weight of each block that the loss-prediction module gets in addition to feature maps."""
    loss_head: bool = False
    """Train the loss-prediction module although the strategy does not need it."""
    model: Mapping[str, Any] = Field(default_factory=dict)
    """Keys of `[model]` that are other in this arm, such as { blocks = { pca = 1.0 } }."""

    @model_validator(mode="after")
    def _space(self) -> "Arm":
        FeatureSpace(self.features, self.scale)
        if TASK in self.side:
            raise UsageError(
                f"side {TASK!r} is an input of the module P anyway; name task-agnostic "
                "blocks there",
                code="side-is-task",
            )
        if self.side_blocks:
            FeatureSpace(self.side, self.scale)
            if not self.predicts_loss:
                raise UsageError(
                    f"side goes into loss prediction, which strategy {self.strategy!r} does not "
                    "use; put the blocks into features, or set loss_head = true",
                    code="side-not-used",
                )
        return self

    @property
    def space(self) -> FeatureSpace:
        """The feature space of this arm."""
        return FeatureSpace(self.features, self.scale)

    @property
    def blocks(self) -> tuple[str, ...]:
        """The blocks of the space other than the task model's own features."""
        return tuple(name for name in self.space.blocks if name != TASK)

    @property
    def side_blocks(self) -> tuple[str, ...]:
        """The blocks that are inputs of P, sorted; those of weight zero are left out altogether."""
        return tuple(sorted(name for name, weight in self.side.items() if weight != 0))

    @property
    def signal_blocks(self) -> tuple[str, ...]:
        """The blocks that are fitted for the signals of the strategy, sorted."""
        return signal_blocks(create(self.strategy, self.options).needs)

    @property
    def side_space(self) -> FeatureSpace:
        """The space of the side blocks, for their scale."""
        return FeatureSpace(self.side, self.scale)

    @property
    def predicts_loss(self) -> bool:
        """True when P is trained along with the task model."""
        needs = create(self.strategy, self.options).needs
        return self.loss_head or "loss_prediction" in sources(needs)
