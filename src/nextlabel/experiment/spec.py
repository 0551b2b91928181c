"""Experiments: frozen settings that are consistent in themselves and go back to TOML."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field, SerializeAsAny, field_validator, model_validator

from nextlabel.core.errors import UsageError, nearest
from nextlabel.core.settings import Settings
from nextlabel.core.space.block import Block
from nextlabel.core.types import as_names
from nextlabel.data.registry import settings_class, without_former_keys
from nextlabel.data.settings import DataSettings
from nextlabel.experiment.arm import Arm
from nextlabel.experiment.hypothesis import Hypothesis
from nextlabel.features.block_creation import make_block
from nextlabel.models.settings import LossPredictionSettings, ModelSettings, TrainingSettings
from nextlabel.models.task_models import create_model, model_with
from nextlabel.models.task_models.resnet18 import ResNet18Settings


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
        of_source = settings_class(values.get("name"))
        return of_source.model_validate(without_former_keys(values))

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
        for arm in self.arms:
            self.model_of(arm)
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
        """Return an arm by its name.

        Parameters
        ----------
        name : str
            The name of an arm.

        Returns
        -------
        Arm
            Its settings.

        Raises
        ------
        UsageError
            There is no such arm.
        """
        for arm in self.arms:
            if arm.name == name:
                return arm
        hint = nearest(name, (arm.name for arm in self.arms))
        raise UsageError(f"there is no arm {name!r}; {hint}", code="unknown-arm")

    def names_of(self, arms: Sequence[str] | None) -> tuple[str, ...]:
        """Return the names of the arms to run.

        Parameters
        ----------
        arms : sequence of str, optional
            Names of arms; None for all.

        Returns
        -------
        tuple of str
            The names, in the order of the file.

        Raises
        ------
        UsageError
            A name is not that of an arm.
        """
        if arms is None:
            return tuple(arm.name for arm in self.arms)
        return tuple(self.arm(name).name for name in as_names(arms, "arms"))

    def block(self, name: str) -> Block:
        """Return a feature block as `[blocks]` sets it.

        Parameters
        ----------
        name : str
            The name of a block, such as "vae", or the path of an embedding file.

        Returns
        -------
        Block
            The block with its settings.
        """
        return make_block(name, self.blocks.get(name, {}), self.training)

    def model_of(self, arm: Arm) -> ModelSettings:
        """Return the settings of an arm's task model.

        Parameters
        ----------
        arm : Arm
            An arm of this experiment.

        Returns
        -------
        ModelSettings
            `[model]`, with the keys that the arm sets in their place. Where the arm names another
            model, the blocks stay if both read rows, and other keys return to their defaults.

        Raises
        ------
        UsageError
            When the arm's keys do not fit.
        """
        return model_with(self.model, arm.model, f"arm {arm.name!r}: ") if arm.model else self.model

    def blocks_of(self, arm: Arm) -> tuple[str, ...]:
        """Return the names of all blocks that an arm needs.

        Parameters
        ----------
        arm : Arm
            An arm of this experiment.

        Returns
        -------
        tuple of str
            The blocks of its space, its side inputs and its task model.
        """
        return tuple(dict.fromkeys((*self.rows_of(arm), *self.model_of(arm).used_blocks)))

    def rows_of(self, arm: Arm) -> tuple[str, ...]:
        """Return the names of the blocks whose rows an arm uses.

        Parameters
        ----------
        arm : Arm
            An arm of this experiment.

        Returns
        -------
        tuple of str
            The blocks whose rows are used in every round.
        """
        # The network "encoder" starts from a block's weights and never uses its rows.
        seen = (*arm.signal_blocks, *self.model_of(arm).row_blocks)
        return tuple(dict.fromkeys((*arm.blocks, *arm.side_blocks, *seen)))

    def identity_of(self, name: str) -> dict[str, Any]:
        """Return what identifies the rows of a block.

        Parameters
        ----------
        name : str
            The name of a block.

        Returns
        -------
        mapping
            All that decides its rows in addition to data and seed.
        """
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
