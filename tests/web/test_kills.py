"""Server and trainer are killed under load: no saved answer is lost or doubled."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from kills import kill_at_random


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="never run there")
def test_no_saved_answer_is_lost_or_doubled(tmp_path):
    figures = kill_at_random(tmp_path, 5, clients=3, images=60, seed=1)
    assert sum(figures["kills"].values()) == 5
    assert figures["answers"] >= 25
