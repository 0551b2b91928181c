"""Parsing an experiment file imports no library that is slow to import."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXPERIMENTS = sorted(str(path) for path in (ROOT / "experiments").rglob("*.toml"))
CODE = """
import json, sys
from nextlabel.core.errors import UsageError
from nextlabel.experiment.parse import load_experiment

overrides, *files = sys.argv[1:]
messages = []
for file in files:
    try:
        load_experiment(file, json.loads(overrides))
    except UsageError as error:
        messages.append(str(error))
slow = {"torch", "matplotlib", "pandas", "sqlalchemy"} & set(sys.modules)
print(json.dumps([sorted(slow), messages]))
"""


def parse(overrides, *files):
    """Return the slow libraries that a fresh process imported, and its messages."""
    command = [sys.executable, "-c", CODE, json.dumps(overrides), *files]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def test_every_experiment_is_parsed_without_torch():
    assert EXPERIMENTS
    assert parse([], *EXPERIMENTS) == [[], []]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("blocks.pca.component=4", "unknown key blocks.pca.component; did you mean 'components'?"),
        ("blocks.vae.beta=-1.0", "blocks.vae.beta: -1.0 must be"),
        ("blocks.vea.latent=4", "unknown feature block 'vea'; did you mean 'vae'?"),
        ('training.device="gpu"', "training.device: 'gpu' must be"),
    ],
)
def test_a_mistake_is_found_without_torch(override, message):
    slow, (found,) = parse([override], str(ROOT / "experiments/digits.toml"))
    assert slow == [] and message in found
