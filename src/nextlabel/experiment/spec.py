"""Experiments: frozen settings that are consistent in themselves and go back to TOML."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field, SerializeAsAny, field_validator, model_validator

from nextlabel.core.block import Block
from nextlabel.core.errors import UsageError, nearest
from nextlabel.core.feature_space import FeatureSpace, Scale
from nextlabel.core.settings import Settings
from nextlabel.data.registry import settings_class
from nextlabel.data.settings import DataSettings
from nextlabel.features.create import make_block
from nextlabel.models.settings import LossPredictionSettings, ModelSettings, TrainingSettings
from nextlabel.models.signals import sources
from nextlabel.models.task_models import create_model
from nextlabel.models.task_models.resnet18 import ResNet18Settings
from nextlabel.strategies import create

TASK = "task"
"""The name of T_f in a feature space; all other names are blocks."""


class Arm(Settings):
    """An arm of an experiment: a strategy, its options, and its feature space.

    For example `features = {task = 1.0, vae = 0.5}` is equation 6 with α = 0.5. `loss_head`
    separates two effects of loss prediction: choosing by it, and training with its gradient.
    """

    later: ClassVar[frozenset[str]] = frozenset({"side", "loss_head"})

    name: str = Field(min_length=1)
    """Name of the arm in tables and figures."""
    strategy: str
    """Name of the strategy that chooses."""
    options: Mapping[str, Any] = Field(default_factory=dict)
    """Options of the strategy."""
    features: Mapping[str, float] = Field(default_factory=lambda: {TASK: 1.0})
    """Weight of each block of the feature space (equation 6)."""
    scale: Scale = "rms"
    """"rms" divides each block by its root-mean-square distance; "none" takes rows as they are."""
    baseline: str | None = None
    """Name of the arm to compare with, seed by seed."""
    start: str = "random"
    """Strategy that chooses the initial labels."""
    side: Mapping[str, float] = Field(default_factory=dict)
    """Weight of each block that the loss-prediction module gets in addition to feature maps."""
    loss_head: bool = False
    """Train the loss-prediction module although the strategy does not need it."""

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
    def side_space(self) -> FeatureSpace:
        """The space of the side blocks, for their scale."""
        return FeatureSpace(self.side, self.scale)

    @property
    def predicts_loss(self) -> bool:
        """True when P is trained along with the task model."""
        needs = create(self.strategy, self.options).needs
        return self.loss_head or "loss_prediction" in sources(needs)


class Hypothesis(Settings):
    """A claim stated before the run: the mean AUBC of `arms` is above that of `against`.

    The two means are compared seed by seed.
    """

    name: str = Field(min_length=1)
    """The claim in words."""
    arms: tuple[str, ...] = Field(min_length=1, strict=False)
    """Arms whose mean is claimed to be higher."""
    against: tuple[str, ...] = Field(min_length=1, strict=False)
    """Arms to compare with."""
    alternative: Literal["greater", "two-sided"] = "greater"
    """"greater" is a one-sided test, "two-sided" claims a difference in any direction."""

    def check(self, names: Sequence[str]) -> None:
        """Raise UsageError for an arm that is not in `names`, or is named twice."""
        stated = [*self.arms, *self.against]
        for arm in stated:
            if arm not in names:
                raise UsageError(
                    f"hypothesis {self.name!r} names {arm!r}, which is not an arm; "
                    f"{nearest(arm, names)}",
                    code="unknown-arm",
                )
            if stated.count(arm) > 1:
                raise UsageError(
                    f"hypothesis {self.name!r} names arm {arm!r} twice; name each arm once, on one "
                    "side",
                    code="named-twice",
                )


class Experiment(Settings):
    """Arms × seeds on one data set: all settings of Algorithm 1 and of its statistics.

    `hypotheses` are tested together, corrected by Holm.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """Name of the experiment, and of its folder below runs/."""
    seeds: tuple[int, ...] = Field(min_length=1, strict=False)
    """Seeds; a number n is the seeds 0 to n - 1."""
    initial: int = Field(ge=1)
    """Labels at the start."""
    batch: int = Field(ge=1)
    """Labels per round."""
    target: int = Field(ge=1)
    """Labels at the end; the last batch is cut to reach it exactly."""
    headline: str | None = None
    """Metric of curves and tests; "validation/accuracy", or "validation/auroc" for multi-label
    data, if not set.
    """
    primary: str | None = None
    """Arm whose difference to its baseline is the one primary test."""
    data: SerializeAsAny[DataSettings]
    model: SerializeAsAny[ModelSettings] = ResNet18Settings()
    training: TrainingSettings = TrainingSettings()
    loss_prediction: LossPredictionSettings = LossPredictionSettings()
    blocks: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    """Settings of feature blocks by name, as tables `[blocks.NAME]`."""
    arms: tuple[Arm, ...] = Field(min_length=1, strict=False)
    hypotheses: tuple[Hypothesis, ...] = Field((), strict=False)

    @field_validator("data", mode="before")
    @classmethod
    def _data_of_source(cls, values: object) -> object:
        """Return the settings of the named source's own class."""
        if not isinstance(values, Mapping):
            return values
        return settings_class(values.get("name")).model_validate(values)

    @field_validator("model", mode="before")
    @classmethod
    def _model_by_name(cls, values: Any) -> Any:
        return create_model(**values) if isinstance(values, Mapping) else values

    @model_validator(mode="after")
    def _consistent(self) -> "Experiment":
        names = [arm.name for arm in self.arms]
        claims = [hypothesis.name for hypothesis in self.hypotheses]
        for noun, values in (("arm", names), ("seed", self.seeds), ("hypothesis", claims)):
            twice = [value for value in values if list(values).count(value) > 1]
            if twice:
                raise UsageError(
                    f"{noun} {twice[0]!r} is there twice; give each its own", code="named-twice"
                )
        for seed in self.seeds:
            if not 0 <= seed < 2**63:
                raise UsageError(
                    f"seed {seed} must lie between 0 and 2^63 - 1; give another",
                    code="seed-out-of-range",
                )
        if self.target < self.initial:
            raise UsageError(
                f"target {self.target} is below initial {self.initial}; raise target to at least "
                f"{self.initial}",
                code="target-too-small",
            )
        for arm in self.arms:
            if arm.baseline is not None and arm.baseline not in names:
                raise UsageError(
                    f"baseline {arm.baseline!r} of arm {arm.name!r} is not an arm; "
                    f"{nearest(arm.baseline, names)}",
                    code="unknown-arm",
                )
        for hypothesis in self.hypotheses:
            hypothesis.check(names)
        if self.primary is not None:
            chosen = [arm for arm in self.arms if arm.name == self.primary]
            if not chosen:
                raise UsageError(
                    f"primary {self.primary!r} is not an arm; {nearest(self.primary, names)}",
                    code="unknown-arm",
                )
            if chosen[0].baseline is None:
                raise UsageError(
                    f"primary {self.primary!r} has no baseline to be compared with; name one",
                    code="primary-without-baseline",
                )
        return self

    def arm(self, name: str) -> Arm:
        """Return the arm called `name`; UsageError when there is none."""
        for arm in self.arms:
            if arm.name == name:
                return arm
        hint = nearest(name, (arm.name for arm in self.arms))
        raise UsageError(f"there is no arm {name!r}; {hint}", code="unknown-arm")

    def names_of(self, arms: Sequence[str] | None) -> tuple[str, ...]:
        """Return the names of `arms`, or of all for None; UsageError for one that is not there."""
        return tuple(arm.name for arm in (self.arms if arms is None else map(self.arm, arms)))

    def block(self, name: str) -> Block:
        """Return the feature block `name`, as `[blocks]` sets it."""
        return make_block(name, self.blocks.get(name, {}), self.training)

    def blocks_of(self, arm: Arm) -> tuple[str, ...]:
        """Return the names of all blocks that an arm needs: space, side and task model."""
        of_model = () if self.model.block is None else (self.model.block,)
        return tuple(dict.fromkeys((*self.rows_of(arm), *of_model)))

    def rows_of(self, arm: Arm) -> tuple[str, ...]:
        """Return the names of the blocks whose rows are used in every round.

        The network "encoder" starts from a block's weights and never uses its rows.
        """
        seen = (self.model.block,) if self.model.block and self.model.block_use == "rows" else ()
        return tuple(dict.fromkeys((*arm.blocks, *arm.side_blocks, *seen)))

    def identity_of(self, name: str) -> dict[str, Any]:
        """Return all that decides a block's rows in addition to data and seed."""
        return dict(self.block(name).identity)

    def resolved(self) -> dict[str, Any]:
        """Return all settings as JSON values, defaults written out."""
        return self.model_dump(mode="json")

    def to_toml(self) -> str:
        """Return the experiment as TOML that loads to an equal one."""
        import tomli_w

        return tomli_w.dumps(_without_none(self.resolved()))


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_none(v) for k, v in value.items() if v is not None}
    return [_without_none(v) for v in value] if isinstance(value, list) else value
