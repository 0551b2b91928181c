"""docs/paper.md maps each equation, figure, setting and open choice to what exists, by its name."""

import dataclasses
import importlib
import inspect
import re
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import pytest
import typer
from pydantic import TypeAdapter, ValidationError

from nextlabel.cli import app
from nextlabel.core.errors import NextlabelError
from nextlabel.core.settings import Settings
from nextlabel.experiment.arm import Arm
from nextlabel.experiment.hypothesis import Hypothesis
from nextlabel.experiment.parse import load_experiment
from nextlabel.experiment.spec import Experiment
from nextlabel.features.blocks import BLOCKS
from nextlabel.models.settings import LossPredictionSettings, TrainingSettings
from nextlabel.models.task_models.resnet18 import ResNet18Settings
from nextlabel.strategies import STRATEGIES

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/paper.md").read_text(encoding="utf-8")
SPANS = sorted(set(re.findall(r"`([^`\n]+)`", TEXT)))
SYMBOLS = [span for span in SPANS if re.fullmatch(r"nextlabel(\.\w+)+", span)]
ROWS = [
    [cell.strip() for cell in re.split(r" \| ", line.strip("| "))]
    for line in TEXT.splitlines()
    if line.startswith("| ") and not line.startswith(("| in the paper", "| open"))
]
KINDS = [Experiment, Arm, Hypothesis, ResNet18Settings, TrainingSettings, LossPredictionSettings]
KINDS += [BLOCKS[name] for name in BLOCKS]
PAPER = load_experiment(ROOT / "experiments/paper_mnist.toml")
EXACT = PAPER.resolved() | {
    "blocks": {"vae": PAPER.block("vae").model_dump()},
    "loss_prediction": PAPER.loss_prediction.model_dump(),
}
WORDS = {"while |L| ≤ η", "side", "train_until", '"first"', '"running"', "[loss_prediction]"}
"""Spans that are neither symbols nor settings: the paper's line, keys or values alone."""
SETTINGS_OF_THE_PAPER = {
    "data.name", "data.train", "data.validation", "initial", "batch", "target", "seeds",
    "model.name", "model.weights", "model.batch_norm",
    "training.learning_rate", "training.momentum", "training.weight_decay", "training.schedule",
    "training.batch_size", "training.epochs", "training.refit",
    "blocks.vae.upsample", "blocks.vae.latent", "blocks.vae.epochs", "blocks.vae.learning_rate",
    "blocks.vae.weight_decay",
    "loss_prediction.margin", "loss_prediction.weight", "loss_prediction.width",
    "loss_prediction.stop",
}  # fmt: skip
SUBJECTS = [
    "Algorithm 1",
    *(f"equation {number}" for number in range(1, 7)),
    "Figures 1 to 4",
    "Figures 5 and 6: t-SNE",
    "p-values",
    "run time",
    "future work: a multimodal prior",
    "future work: a class-conditional",
    "MNIST, 25,000",
    "ChestMNIST, 30,000",
    "validation accuracy",
    "99% train accuracy",
    "α",
    "1,556",
    "shared random seeds",
    "retrained after each step",
]


def resolve(path: str) -> Any:
    """Return the object of a dotted name, which must be this project's and not an import."""
    parent, thing = None, importlib.import_module(path.split(".")[0])
    for part in path.split(".")[1:]:
        parent = thing
        if hasattr(thing, part):
            thing = getattr(thing, part)
        else:
            thing = importlib.import_module(f"{thing.__name__}.{part}")
    home = thing.__name__ if isinstance(thing, ModuleType) else inspect.getmodule(thing)
    place = getattr(home, "__name__", home) or getattr(parent, "__module__", parent.__name__)
    if not str(place).startswith("nextlabel"):
        raise AttributeError(f"{path} is {place}'s")
    return thing


@pytest.mark.parametrize("path", SYMBOLS)
def test_every_symbol_exists(path):
    assert resolve(path) is not None


@pytest.mark.parametrize(
    "path",
    [
        "nextlabel.models.vea",
        "nextlabel.models.generative.vae.FittedVAE.meens",
        "nextlabel.core.x.y",
        "nextlabel.statistics.point_cloud.np",
        "nextlabel.trial.space_map.Field",
    ],
)
def test_a_wrong_symbol_would_be_noticed(path):
    with pytest.raises((ImportError, AttributeError)):
        resolve(path)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_each_part_of_the_paper_has_a_row(subject):
    assert any(subject in row[0] for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:40])
def test_each_row_names_what_does_it(row):
    names = re.findall(r"`((?:nextlabel\.|experiments/)[^`]+)`", " ".join(row[1:]))
    assert names, row


def assigned(span):
    """Return key and value of a setting as an experiment file spells it; None for others."""
    found = re.fullmatch(r"([a-z_.]+) = (.+)", span)
    return found and (found[1], tomllib.loads(f"value = {found[2]}")["value"])


def is_setting(name, value):
    """Say whether some table, or a strategy's options, takes such a value."""
    for kind in KINDS:
        if issubclass(kind, Settings) and (field := kind.model_fields.get(name)):
            try:
                TypeAdapter(Annotated[field.annotation, field]).validate_python(value)
                return True
            except ValidationError:
                continue
    return False


def is_options(value):
    for strategy in STRATEGIES:
        kind = STRATEGIES[strategy]
        if dataclasses.is_dataclass(kind) and set(value) <= {
            f.name for f in dataclasses.fields(kind)
        }:
            try:
                kind(**value)
                return True
            except NextlabelError:
                continue
    return False


def is_known(span):
    """Say whether the text in backquotes names something that exists."""
    if (setting := assigned(span)) is not None:
        key, value = setting
        if key == "options":
            return is_options(value)
        if key in SETTINGS_OF_THE_PAPER:
            there: Any = EXACT
            for part in key.split("."):
                there = there[part]
            return there == value
        return is_setting(key, value)
    if span.startswith("experiments/"):
        return load_experiment(ROOT / span).name == Path(span).stem
    if span.startswith("nextlabel "):
        return span.split()[1] in typer.main.get_command(app).commands
    drawn = ROOT / "docs/results/mnist_tenth"
    there = (drawn / span).is_file() or (drawn / f"{span}.svg").is_file()
    measured = f"validation/{span}," in (drawn / "metrics.csv").read_text()
    return there or measured or span in WORDS or span in BLOCKS or span in SYMBOLS


@pytest.mark.parametrize("span", SPANS)
def test_names_in_backquotes_exist(span):
    assert is_known(span)


def test_keys_without_a_value_are_settings():
    names = {name for kind in KINDS if issubclass(kind, Settings) for name in kind.model_fields}
    assert {"side", "train_until", "loss_prediction"} <= names
    assert is_setting("upsample", "first") and is_setting("batch_norm", "running")


@pytest.mark.parametrize(
    "span",
    [
        'scale = "yards"',
        'upsample = "sideways"',
        "training.momentum = 0.8",
        "loss_prediction.width = 3",
        "training.epochs = { initial = 10, step = 6 }",
        "options = { entropy_bottom = 50 }",
        "options = { entropy_top = 0 }",
        "nextlabel mapp",
        "runtime.csv",
        "vae_vampire",
        "loss_corr",
    ],
)
def test_what_is_not_there_would_be_noticed(span):
    assert not is_known(span)


def test_all_settings_of_the_paper_are_given():
    given = {setting[0] for span in SPANS if (setting := assigned(span))}
    assert given >= SETTINGS_OF_THE_PAPER, SETTINGS_OF_THE_PAPER - given


def test_every_experiment_of_the_paper_is_named():
    there = {f"experiments/{f.name}" for f in (ROOT / "experiments").glob("paper_*.toml")}
    assert there <= set(SPANS)
