"""Names and options are checked without importing torch."""

import subprocess
import sys
from pathlib import Path

import pytest

EXPERIMENTS = sorted((Path(__file__).parents[2] / "experiments").glob("*.toml"))


@pytest.mark.parametrize(
    "code",
    [
        "from nextlabel.features.blocks import BLOCKS; list(BLOCKS)",
        "from nextlabel.models.signals import SIGNALS; list(SIGNALS)",
        "from nextlabel.experiment.parse import load_experiment as load\n"
        f"for path in {[str(path) for path in EXPERIMENTS]}: load(path)",
    ],
)
def test_registries_and_experiments_load_without_torch(code: str) -> None:
    asked = f"import sys\n{code}\nprint('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=False
    )
    assert done.stdout == "False\n", done.stderr
