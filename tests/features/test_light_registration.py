"""Registries of blocks, signals and task models load without torch."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "code",
    [
        "from nextlabel.features.blocks import BLOCKS; list(BLOCKS)",
        "from nextlabel.models.signals import SIGNALS; list(SIGNALS)",
        "from nextlabel.models.task_models import TASK_MODELS; list(TASK_MODELS)",
    ],
)
def test_registries_load_without_torch(code: str) -> None:
    asked = f"import sys\n{code}\nprint('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=False
    )
    assert done.stdout == "False\n", done.stderr
