"""From TOML to a frozen Experiment: parsed once, and every unknown key is an error."""

import json
import reprlib
import tomllib
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from datetime import time as dt_time
from os import PathLike
from pathlib import Path, PurePath
from typing import Any

from pydantic import ValidationError

from nextlabel.core.errors import UsageError
from nextlabel.core.pool import Pool
from nextlabel.core.settings import check_keys, python_numbers, refusal, refusal_code
from nextlabel.core.strategy import Strategy, needs_now
from nextlabel.core.types import as_names
from nextlabel.data.registry import settings_class, without_former_keys
from nextlabel.experiment.arm import Arm
from nextlabel.experiment.paths import resolve_data_paths, resolve_feature_files
from nextlabel.experiment.spec import Experiment
from nextlabel.features.blocks.base import ReadsModel
from nextlabel.models.signals import sources
from nextlabel.models.task_models import create_model
from nextlabel.strategies import create

MOST_SEEDS = 10_000


def load_experiment(
    source: PathLike[str] | str,
    overrides: Sequence[str] = (),
    prepare: Callable[[dict[str, Any], Path], None] | None = None,
) -> Experiment:
    """Read an experiment from a TOML file.

    Parameters
    ----------
    source
        The path of the file. Relative paths in it are relative to the file where something is
        there, else to the working directory.
    overrides
        Changes, such as "seeds=[0, 1]" or "arms.0.features.vae=2". An override of a table sets
        the keys that it names and leaves the others.
    prepare
        A function that may change the plain values first; it gets them and the path.

    Returns
    -------
    Experiment
        The experiment, checked: strategies, blocks and their options too.

    Raises
    ------
    UsageError
        The file cannot be read, or a key or value is wrong; the message names it.

    Examples
    --------
    >>> from nextlabel import load_experiment
    >>> experiment = load_experiment("first.toml", ["seeds=[0, 1]"])  # doctest: +SKIP
    """
    if not isinstance(source, str | PathLike):
        raise UsageError(
            f"experiment {reprlib.repr(source)} is not a path; give that of a TOML "
            "file, or an Experiment to run",
            code="not-an-experiment",
        )
    path = Path(source)
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"cannot read {path} ({error.strerror}); give the path of an experiment file",
            code="experiment-file-unreadable",
        ) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text; save it as UTF-8", code="not-utf-8") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(
            f"{path} is not valid TOML: {error}; correct it there", code="not-toml"
        ) from error
    if prepare is not None:
        prepare(raw, path)
    resolve_data_paths(raw, path)
    for override in as_names(overrides, "overrides"):
        _override(raw, override)
    resolve_feature_files(raw, path)
    return parse_experiment(raw, str(path))


def parse_experiment(raw: Mapping[str, Any], name: str = "experiment") -> Experiment:
    """Return the Experiment of plain values; UsageError says which key is wrong and why.

    Strategies and blocks are checked here too, names and options, so that nothing starts which
    could not end.
    """
    values = _plain(raw)
    data = raw.get("data")
    source = data.get("name") if isinstance(data, Mapping) else None
    tables = {key: value for key, value in raw.items() if key != "model"}
    if isinstance(data, Mapping):
        tables["data"] = without_former_keys(data)
    check_keys(Experiment, tables, "", {"data": settings_class(source)}, file=name)
    if isinstance(values.get("model"), Mapping):
        try:
            values["model"] = create_model(**values["model"])
        except UsageError as error:
            raise UsageError(f"{name}: {error}", code=error.code) from error
    try:
        experiment = Experiment.model_validate(values)
    except ValidationError as error:
        raise UsageError(
            f"{name}: {refusal(error, values=values)}", code=refusal_code(error)
        ) from error
    try:
        _check(experiment)
    except UsageError as error:
        raise UsageError(f"{name}: {error}", code=error.code) from error
    return experiment


def _check(experiment: Experiment) -> None:
    """Raise UsageError for arms and blocks that could not run."""
    for arm in experiment.arms:
        model = experiment.model_of(arm)
        if arm.loss_head and not model.has_feature_maps:
            raise UsageError(
                f"arm {arm.name!r}: model {model.name} has no maps for loss_head; choose a network,"
                " or leave it out",
                code="no-feature-maps",
            )
        _check_signals(experiment, arm)
        if arm.start != "random":
            size = experiment.initial
            needs = needs_now(_created(arm, arm.start), Pool(size), size)
            _check_start(arm, needs)
            if needs and not arm.blocks:
                raise UsageError(
                    f"arm {arm.name!r}: start {arm.start!r} needs features before any label is "
                    "there, and its only ones are the task model's; add a block to its features",
                    code="signal-before-labels",
                )
        for block in experiment.blocks_of(arm):
            experiment.block(block)
        _check_order(experiment, arm)
    for block in experiment.blocks:
        experiment.block(block)


def _created(arm: Arm, name: str, options: Mapping[str, Any] | None = None) -> Strategy:
    """Return a strategy of an arm; UsageError, which names the arm, where there is none such."""
    try:
        return create(name, options)
    except UsageError as error:
        raise UsageError(f"arm {arm.name!r}: {error}", code=error.code) from error


def _check_signals(experiment: Experiment, arm: Arm) -> None:
    """Raise UsageError for a signal that is unknown, or that the task model cannot give."""
    for name in sorted(_created(arm, arm.strategy, arm.options).needs):
        reads, model = sources([name]), experiment.model_of(arm)
        lacking = "last_layer" in reads and not model.has_last_layer
        if lacking or ("loss_prediction" in reads and not model.has_feature_maps):
            raise UsageError(
                f"arm {arm.name!r}: strategy {arm.strategy!r} needs {name}, which model "
                f"{model.name} does not give; choose another strategy, or a network",
                code="signal-not-available",
            )


def _check_order(experiment: Experiment, arm: Arm) -> None:
    """Raise UsageError when the task model or P reads a block that is fitted to that model."""
    for name in (*experiment.model_of(arm).used_blocks, *arm.side_blocks):
        if isinstance(experiment.block(name), ReadsModel):
            raise UsageError(
                f"arm {arm.name!r}: block {name!r} is fitted to each round's task model, which so "
                "cannot read it; give the model another block, such as vaal",
                code="block-reads-model",
            )


def _check_start(arm: Arm, needs: frozenset[str]) -> None:
    """Raise UsageError for a signal that does not exist before the first labels."""
    for name in sorted(needs):
        if not sources([name]) <= {"space", "true_labels"}:
            raise UsageError(
                f"arm {arm.name!r}: start {arm.start!r} needs {name} before any label is there; "
                "choose one that needs features alone, or none",
                code="signal-before-labels",
            )


def _override(raw: dict[str, Any], override: str) -> None:
    """Set one value in plain settings: `key = value` as TOML, or with the value as bare text."""
    key, separator, text = override.partition("=")
    if not separator or not key.strip():
        raise UsageError(
            f"override {override!r} has no value; write key=value", code="override-without-value"
        )
    for attempt in (override, f"{key} = {json.dumps(text.strip())}"):
        try:
            change = tomllib.loads(attempt)
        except tomllib.TOMLDecodeError:
            continue
        _merge(raw, change, override)
        return
    raise UsageError(
        f"override {override!r} is not a key and a value; quote names that hold other characters "
        "than letters, digits, - and _",
        code="override-not-toml",
    )


def _merge(settings: Any, change: Mapping[str, Any], override: str) -> None:
    for step, value in change.items():
        key: Any = _index(settings, step, override) if isinstance(settings, list) else step
        inner = settings[key] if isinstance(settings, list) else settings.get(key)
        if isinstance(value, dict) and isinstance(inner, dict | list):
            _merge(inner, value, override)
        elif isinstance(value, dict) and inner is not None:
            raise UsageError(
                f"override {override!r}: {step!r} is a value, not a table; leave out the rest",
                code="override-not-a-table",
            )
        else:
            settings[key] = value


def _index(items: list[Any], step: str, override: str) -> int:
    """Return a position in a list, given as a number or as the name of an arm."""
    names = [item.get("name") if isinstance(item, dict) else None for item in items]
    if step in names:
        return names.index(step)
    if not step.isdigit() or int(step) >= len(items):
        allowed = f"a number from 0 to {len(items) - 1}" + (" or a name" if any(names) else "")
        raise UsageError(
            f"override {override!r}: {step!r} must be {allowed}; write one of these",
            code="no-such-position",
        )
    return int(step)


def _plain(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return a deep copy; a number of seeds becomes 0 … n - 1."""
    copy: dict[str, Any] = json.loads(json.dumps(python_numbers(dict(raw)), default=_text))
    count = copy.get("seeds")
    if isinstance(count, int) and not isinstance(count, bool):
        if count > MOST_SEEDS:
            raise UsageError(
                f"seeds {count} are too many; give at most {MOST_SEEDS}", code="too-many-seeds"
            )
        if count < 1:
            raise UsageError(
                f"seeds {count} counts the seeds and must be at least 1; give [0] for seed 0 alone",
                code="too-few-seeds",
            )
        copy["seeds"] = list(range(count))
    return copy


def _text(value: object) -> str:
    """Return a path as text; UsageError for dates, and for values that TOML does not have."""
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, date | dt_time):
        raise UsageError(
            f"{value} is a date or a time, which no setting is; put it in quotes",
            code="invalid-setting",
        )
    raise UsageError(
        f"{value!r} is a {type(value).__name__}, which no setting is; give text, numbers, lists "
        "or tables",
        code="invalid-setting",
    )
