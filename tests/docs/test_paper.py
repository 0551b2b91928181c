"""docs/paper.md names what exists: symbols, experiment files, settings, files of the report."""

import dataclasses
import importlib
import re
from pathlib import Path

import pytest

from nextlabel.core.settings import Settings
from nextlabel.lab.parse import load_experiment
from nextlabel.lab.spec import Arm, Experiment, Hypothesis
from nextlabel.models.blocks import BLOCKS
from nextlabel.models.settings import LossPredictionSettings, ModelSettings, TrainingSettings
from nextlabel.strategies import STRATEGIES

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/paper.md").read_text(encoding="utf-8")
SPANS = re.findall(r"`([^`\n]+)`", TEXT)
SYMBOLS = sorted({span for span in SPANS if re.fullmatch(r"nextlabel(\.\w+)+", span)})
FILES = sorted({span for span in SPANS if span.startswith(("experiments/", "docs/"))})


def resolve(path):
    """Return what a dotted name stands for: a module, or something inside one."""
    module, *rest = path.split(".")
    thing = importlib.import_module(module)
    for part in rest:
        if not hasattr(thing, part):
            thing = importlib.import_module(f"{thing.__name__}.{part}")
        else:
            thing = getattr(thing, part)
    return thing


def test_there_are_symbols_and_all_are_looked_at():
    assert len(SYMBOLS) > 30
    dotted = [span for span in SPANS if span.startswith("nextlabel.")]
    assert set(dotted) == set(SYMBOLS), set(dotted) - set(SYMBOLS)


@pytest.mark.parametrize("path", SYMBOLS)
def test_every_symbol_exists(path):
    assert resolve(path) is not None


@pytest.mark.parametrize(
    "path", ["nextlabel.models.vea", "nextlabel.models.vae.FittedVAE.meens", "nextlabel.core.x.y"]
)
def test_a_wrong_symbol_would_be_noticed(path):
    with pytest.raises((ImportError, AttributeError)):
        resolve(path)


@pytest.mark.parametrize("file", FILES)
def test_every_experiment_named_is_there(file):
    assert load_experiment(ROOT / file).name == Path(file).stem


def test_every_experiment_of_the_paper_is_named():
    there = {f"experiments/{f.name}" for f in (ROOT / "experiments").glob("paper_*.toml")}
    assert there <= set(FILES)


def known_settings():
    kinds = [Experiment, Arm, Hypothesis, ModelSettings, TrainingSettings, LossPredictionSettings]
    kinds += [BLOCKS[name] for name in BLOCKS]
    names = {name for kind in kinds if issubclass(kind, Settings) for name in kind.model_fields}
    for name in STRATEGIES:
        if dataclasses.is_dataclass(STRATEGIES[name]):
            names |= {field.name for field in dataclasses.fields(STRATEGIES[name])}
    return names


def test_every_setting_named_exists():
    assigned = {name for span in SPANS for name in re.findall(r"(\w+) = ", span)}
    assert {"scale", "batch_norm", "entropy_top"} <= assigned
    assert assigned <= known_settings(), assigned - known_settings()
