"""From TOML to a frozen Experiment: parsed once, and every unknown key is an error."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

from pydantic import BaseModel, Field, ValidationError, model_validator

from nextlabel.core.errors import UsageError, nearest
from nextlabel.core.features import FeatureSpace, Scale
from nextlabel.core.settings import Settings
from nextlabel.core.types import Signal
from nextlabel.data.settings import DataSettings
from nextlabel.models.settings import LossPredictionSettings, ModelSettings, TrainingSettings
from nextlabel.strategies import create

MOST_SEEDS = 10_000

TASK = "task"
"""The name of T_f in a feature space; all other names are blocks."""


class Arm(Settings):
    """One way of choosing: a strategy, its options, and the space it reasons in.

    `features` weighs the blocks of equation 6, for example {task = 1.0, vae = 0.5}: α = 0.5.
    `baseline` names the arm to compare with; `start` what chooses the initial set. With
    `loss_head` the module P is trained along even where nobody asks what it predicts, so that
    heuristic and regulariser can be told apart; `side` weighs the blocks that P sees beside the
    task model's maps.
    """

    later: ClassVar[frozenset[str]] = frozenset({"side", "loss_head"})

    name: str = Field(min_length=1)
    strategy: str
    options: Mapping[str, Any] = Field(default_factory=dict)
    features: Mapping[str, float] = Field(default_factory=lambda: {TASK: 1.0})
    scale: Scale = "rms"
    baseline: str | None = None
    start: str = "random"
    side: Mapping[str, float] = Field(default_factory=dict)
    loss_head: bool = False

    @model_validator(mode="after")
    def _space(self) -> "Arm":
        FeatureSpace(self.features, self.scale)
        if TASK in self.side:
            raise ValueError(
                f"side {TASK!r} is what the module P sees anyway; name task-agnostic blocks there"
            )
        if self.side_blocks:
            FeatureSpace(self.side, self.scale)
            if not self.predicts_loss:
                raise ValueError(
                    f"side goes into loss prediction, which strategy {self.strategy!r} does not "
                    "use; put the blocks into features, or set loss_head = true"
                )
        return self

    @property
    def space(self) -> FeatureSpace:
        """The feature space of this arm."""
        return FeatureSpace(self.features, self.scale)

    @property
    def blocks(self) -> tuple[str, ...]:
        """The blocks of the space besides the task model's own features."""
        return tuple(name for name in self.space.blocks if name != TASK)

    @property
    def side_blocks(self) -> tuple[str, ...]:
        """The blocks that P sees, sorted; those of weight zero are left out altogether."""
        return tuple(sorted(name for name, weight in self.side.items() if weight != 0))

    @property
    def side_space(self) -> FeatureSpace:
        """The space of the side blocks, for their scale."""
        return FeatureSpace(self.side, self.scale)

    @property
    def predicts_loss(self) -> bool:
        """True when P is trained along with the task model."""
        return self.loss_head or "predicted_loss" in create(self.strategy, self.options).needs


class Hypothesis(Settings):
    """A claim stated before the run: the mean AUBC of `arms` is above that of `against`.

    Seed by seed; "two-sided" claims a difference without saying in which direction.
    """

    name: str = Field(min_length=1)
    arms: tuple[str, ...] = Field(min_length=1)
    against: tuple[str, ...] = Field(min_length=1)
    alternative: Literal["greater", "two-sided"] = "greater"

    def check(self, known: Sequence[str]) -> None:
        """Raise ValueError for an arm that is unknown, or that stands twice."""
        stated = [*self.arms, *self.against]
        for arm in stated:
            if arm not in known:
                raise ValueError(
                    f"hypothesis {self.name!r} speaks of {arm!r}, which is no arm; "
                    f"{nearest(arm, known)}"
                )
            if stated.count(arm) > 1:
                raise ValueError(
                    f"hypothesis {self.name!r} names arm {arm!r} twice; let each arm stand once, "
                    "on one side"
                )


class Experiment(Settings):
    """Arms × seeds on one data set: everything that Algorithm 1 and its statistics need to know.

    `headline` is the metric of curves and tests, by default validation accuracy, and validation
    AUROC for multi-label data; `primary` names the arm whose difference to its
    baseline is the one primary test. `hypotheses` are tested together, corrected by Holm.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    seeds: tuple[int, ...] = Field(min_length=1)
    initial: int = Field(ge=1)
    batch: int = Field(ge=1)
    target: int = Field(ge=1)
    headline: str | None = None
    primary: str | None = None
    data: DataSettings
    model: ModelSettings = ModelSettings()
    training: TrainingSettings = TrainingSettings()
    loss_prediction: LossPredictionSettings = LossPredictionSettings()
    blocks: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    arms: tuple[Arm, ...] = Field(min_length=1)
    hypotheses: tuple[Hypothesis, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> "Experiment":
        names = [arm.name for arm in self.arms]
        claims = [hypothesis.name for hypothesis in self.hypotheses]
        for kind, values in (("arm", names), ("seed", self.seeds), ("hypothesis", claims)):
            twice = [value for value in values if list(values).count(value) > 1]
            if twice:
                raise ValueError(f"{kind} {twice[0]!r} stands twice; give each its own")
        for seed in self.seeds:
            if not 0 <= seed < 2**63:
                raise ValueError(f"seed {seed} must lie between 0 and 2^63 - 1")
        if self.target < self.initial:
            raise ValueError(
                f"target {self.target} is below initial {self.initial}; raise target to at least "
                f"{self.initial}"
            )
        for arm in self.arms:
            if arm.baseline is not None and arm.baseline not in names:
                raise ValueError(
                    f"baseline {arm.baseline!r} of arm {arm.name!r} is no arm; "
                    f"{nearest(arm.baseline, names)}"
                )
        for hypothesis in self.hypotheses:
            hypothesis.check(names)
        if self.primary is not None:
            chosen = [arm for arm in self.arms if arm.name == self.primary]
            if not chosen:
                raise ValueError(
                    f"primary {self.primary!r} is no arm; {nearest(self.primary, names)}"
                )
            if chosen[0].baseline is None:
                raise ValueError(
                    f"primary {self.primary!r} has no baseline to be compared with; name one"
                )
        return self

    def arm(self, name: str) -> Arm:
        """Return the arm called `name`."""
        return next(arm for arm in self.arms if arm.name == name)

    def block(self, name: str) -> Any:
        """Return the feature block `name`, as `[blocks]` sets it."""
        return make_block(name, self.blocks.get(name, {}), self.training)

    def blocks_of(self, arm: Arm) -> tuple[str, ...]:
        """Return the names of all blocks that an arm needs: space, side and task model."""
        own = () if self.model.block is None else (self.model.block,)
        return tuple(dict.fromkeys((*self.rows_of(arm), *own)))

    def rows_of(self, arm: Arm) -> tuple[str, ...]:
        """Return the names of the blocks whose rows are looked at in every round.

        The network "encoder" starts from a block's weights and never sees its rows.
        """
        seen = (self.model.block,) if self.model.block and self.model.shallow else ()
        return tuple(dict.fromkeys((*arm.blocks, *arm.side_blocks, *seen)))

    def identity_of(self, name: str) -> dict[str, Any]:
        """Return what decides a block's outcome besides data and seed."""
        return dict(self.block(name).identity)

    def resolved(self) -> dict[str, Any]:
        """Return all settings as JSON values, defaults written out."""
        return self.model_dump(mode="json")

    def to_toml(self) -> str:
        """Return the experiment as TOML that loads to an equal one."""
        import tomli_w

        return tomli_w.dumps(_without_none(self.resolved()))


def load_experiment(source: Path | str, overrides: Sequence[str] = ()) -> Experiment:
    """Read an experiment from a TOML file, with `overrides` like "arms.0.features.vae=2".

    An override of a table sets the keys that it names and leaves the others.
    Raises UsageError with the key, the value and the nearest known name.
    """
    path = Path(source)
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"cannot read {path} ({error.strerror}); give the path of an experiment file"
        ) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text; save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is not valid TOML: {error}; correct it there") from error
    for override in overrides:
        _override(raw, override)
    return parse_experiment(raw, str(path))


def parse_experiment(raw: Mapping[str, Any], name: str = "experiment") -> Experiment:
    """Return the Experiment of plain values; UsageError says which key is wrong and why.

    Strategies and blocks are checked here too, names and options, so that nothing starts which
    could not end.
    """
    _check_keys(Experiment, raw, "")
    try:
        experiment = Experiment.model_validate(_plain(raw))
    except ValidationError as error:
        first = error.errors()[0]
        where = ": ".join(filter(None, [name, ".".join(map(str, first["loc"]))]))
        given = first.get("input")
        value = f" (got {given!r})" if isinstance(given, str | int | float | bool) else ""
        message = first["msg"].removeprefix("Value error, ")
        if first["type"] == "missing":
            message = "is missing; add it"
        raise UsageError(f"{where}: {message}{value}") from error
    for arm in experiment.arms:
        given = {"features", "probabilities"}
        if not experiment.model.shallow:
            given.add("predicted_loss")
        elif arm.loss_head:
            raise UsageError(
                f"arm {arm.name!r}: model {experiment.model.name} has no maps for loss_head; choose"
                " a network, or leave it out"
            )
        _check_signals(arm, create(arm.strategy, arm.options).needs, given)
        if arm.start != "random":
            needs = create(arm.start).needs
            _check_signals(arm, needs, {"features"})
            if needs and not arm.blocks:
                raise UsageError(
                    f"arm {arm.name!r}: start {arm.start!r} needs features before any label is "
                    "there, and its only ones are the task model's; add a block to its features"
                )
        for block in experiment.blocks_of(arm):
            experiment.block(block)
    for block in experiment.blocks:
        experiment.block(block)
    return experiment


def _check_signals(arm: Arm, needs: frozenset[Signal], given: set[str]) -> None:
    """Raise UsageError when a strategy would ask for what no model here gives at that time."""
    missing = sorted(needs - given)
    if missing and given == {"features"}:
        raise UsageError(
            f"arm {arm.name!r}: start {arm.start!r} needs {missing[0]} before any label is there; "
            "choose one that needs features alone, or none"
        )
    if missing:
        raise UsageError(
            f"arm {arm.name!r}: strategy {arm.strategy!r} needs {missing[0]}, which no model here "
            "gives; choose another strategy"
        )


def make_block(name: str, options: Mapping[str, Any], training: TrainingSettings) -> Any:
    """Return the feature block `name`, a registered one or a file, with its settings.

    Device and precision are those of the training unless the block says otherwise.
    """
    from nextlabel.models.blocks import BLOCKS
    from nextlabel.models.blocks.file import SUFFIXES

    file = Path(name).suffix in SUFFIXES
    kind = BLOCKS["file" if file else name]
    inherited = {k: getattr(training, k) for k in ("device", "precision") if k in kind.model_fields}
    settings = inherited | ({"path": name} if file else {}) | dict(options)
    _check_keys(kind, settings, f"blocks.{name}.")
    try:
        return kind(**settings)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, ("blocks", name, *first["loc"])))
        raise UsageError(f"{where}: {first['msg']} (got {first.get('input')!r})") from error


def _override(raw: dict[str, Any], override: str) -> None:
    """Set one value in plain settings: `key = value` as TOML, or with the value as bare text."""
    key, separator, text = override.partition("=")
    if not separator or not key.strip():
        raise UsageError(f"override {override!r} has no value; write key=value")
    for attempt in (override, f"{key} = {json.dumps(text.strip())}"):
        try:
            change = tomllib.loads(attempt)
        except tomllib.TOMLDecodeError:
            continue
        _merge(raw, change, override)
        return
    raise UsageError(
        f"override {override!r} is not a key and a value; quote names that hold other characters "
        "than letters, digits, - and _"
    )


def _merge(place: Any, change: Mapping[str, Any], override: str) -> None:
    for step, value in change.items():
        key: Any = _index(place, step, override) if isinstance(place, list) else step
        inner = place[key] if isinstance(place, list) else place.get(key)
        if isinstance(value, dict) and isinstance(inner, dict | list):
            _merge(inner, value, override)
        elif isinstance(value, dict) and inner is not None:
            raise UsageError(f"override {override!r}: {step!r} is a value, not a table")
        else:
            place[key] = value


def _index(place: list[Any], step: str, override: str) -> int:
    """Return a position in a list, given as a number or as the name of an arm."""
    names = [item.get("name") if isinstance(item, dict) else None for item in place]
    if step in names:
        return names.index(step)
    if not step.isdigit() or int(step) >= len(place):
        known = f"a number from 0 to {len(place) - 1}" + (" or a name" if any(names) else "")
        raise UsageError(f"override {override!r}: {step!r} must be {known}")
    return int(step)


def _check_keys(kind: type[BaseModel], raw: object, prefix: str) -> None:
    """Raise UsageError for the first key that `kind` does not know, and name the nearest."""
    if not isinstance(raw, Mapping):
        return
    for key, value in raw.items():
        if key not in kind.model_fields:
            raise UsageError(f"unknown key {prefix}{key}; {nearest(key, kind.model_fields)}")
        inner = _settings_in(kind.model_fields[key].annotation)
        if inner is not None:
            many = value if isinstance(value, list | tuple) else [value]
            for i, item in enumerate(many):
                place = f"{prefix}{key}." + (f"{i}." if value is many else "")
                _check_keys(inner, item, place)


def _settings_in(annotation: Any) -> type[BaseModel] | None:
    """Return the settings class in an annotation such as `X`, `X | None` or `tuple[X, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_settings_in, get_args(annotation))), None)


def _plain(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return a deep copy; a number of seeds becomes 0 … n - 1."""
    copy: dict[str, Any] = json.loads(json.dumps(raw, default=str))
    count = copy.get("seeds")
    if isinstance(count, int) and not isinstance(count, bool):
        if count > MOST_SEEDS:
            raise UsageError(f"seeds {count} are too many; give at most {MOST_SEEDS}")
        copy["seeds"] = list(range(count))
    return copy


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_none(v) for k, v in value.items() if v is not None}
    return [_without_none(v) for v in value] if isinstance(value, list) else value
