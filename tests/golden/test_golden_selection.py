"""Picks stay what they were; `python tests/golden/golden_selection.py` renews them on purpose."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from nextlabel.strategies import STRATEGIES

FILE = Path(__file__).with_name("selection.json")
GOLDEN = json.loads(FILE.read_text())


@pytest.fixture(scope="module")
def now() -> Any:
    spec = importlib.util.spec_from_file_location(
        "golden_selection", FILE.with_name("golden_selection.py")
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.picks()


@pytest.mark.parametrize("case", sorted(GOLDEN))
def test_picks_are_what_they_were(case: str, now: Any) -> None:
    assert now[case] == GOLDEN[case]


def test_every_strategy_is_golden(now: Any) -> None:
    assert set(now) == set(GOLDEN)
    assert all(any(case.startswith(f"{name},") for case in GOLDEN) for name in STRATEGIES)
