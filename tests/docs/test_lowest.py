"""The job with the lowest versions asks pip for what pyproject.toml allows."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from scripts.lowest import TESTED, lowest  # noqa: E402


def test_bounds_become_versions_and_tools_keep_theirs():
    tested = dict.fromkeys(TESTED, "9")
    lines = lowest(["numpy>=1.26", "torch>=2.6"], tested)
    assert "numpy==1.26" in lines
    assert "torch==9" in lines
    assert "torch==2.6" not in lines


def test_a_dependency_without_a_lower_bound_is_refused():
    with pytest.raises(ValueError):
        lowest(["numpy"], dict.fromkeys(TESTED, "9"))
