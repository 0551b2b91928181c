"""A strategy is added by one file, or by a third party's entry point; nothing else changes."""

import shutil
from pathlib import Path

import pytest

import nextlabel
from plugged import install, python

FARTHEST_COLUMN = '''
"""The largest first column."""

from dataclasses import dataclass

import numpy as np

from nextlabel.kernels.ranking import highest
{imports}

{decorator}
@dataclass(frozen=True)
class FirstColumn:
    """Highest value in the first column."""

    needs = frozenset({{"features"}})
    prefix = True

    def select(self, snapshot, budget, rng):
        """Return ids."""
        snapshot.pool.check_budget(budget)
        scores = snapshot.require("features").rows(slice(None))[:, 0]
        return highest(scores, snapshot.pool.unlabelled, budget)
'''

ASK = """
import sys, warnings
import nextlabel
from nextlabel.strategies import STRATEGIES, create
from nextlabel.testing import check_strategy
print(nextlabel.__path__[0])
print(",".join(STRATEGIES))
check_strategy(create("first_column"))
print(nextlabel.select([[1.0], [5.0], [3.0]], budget=2, strategy="first_column").tolist())
"""


def test_one_file_adds_a_strategy(tmp_path: Path) -> None:
    package = tmp_path / "nextlabel"
    source = Path(nextlabel.__path__[0])
    shutil.copytree(source, package, ignore=shutil.ignore_patterns("__pycache__"))
    before = {path.name for path in (package / "strategies").iterdir()}
    code = FARTHEST_COLUMN.format(
        imports="from nextlabel.strategies import register\n",
        decorator='@register("first_column")',
    )
    (package / "strategies" / "first_column.py").write_text(code)
    where, names, chosen = python(ASK, tmp_path)
    assert Path(where).samefile(package)
    assert "first_column" in names.split(",") and "core_set" in names.split(",")
    assert chosen == "[1, 2]"
    assert "first_column.py" not in before and not (source / "strategies/first_column.py").exists()


def test_an_entry_point_adds_a_strategy(tmp_path: Path) -> None:
    code = FARTHEST_COLUMN.format(imports="", decorator="")
    install(
        tmp_path, {"plug": code}, {"nextlabel.strategies": {"first_column": "plug:FirstColumn"}}
    )
    _, names, chosen = python(ASK, tmp_path)
    assert "first_column" in names.split(",")
    assert chosen == "[1, 2]"


GROUPS = {
    "nextlabel.strategies": ("nextlabel.strategies", "STRATEGIES"),
    "nextlabel.blocks": ("nextlabel.features.blocks", "BLOCKS"),
    "nextlabel.models": ("nextlabel.models.task_models", "TASK_MODELS"),
    "nextlabel.signals": ("nextlabel.models.signals", "SIGNALS"),
    "nextlabel.sources": ("nextlabel.data", "SOURCES"),
    "nextlabel.formats": ("nextlabel.data.formats", "FORMATS"),
}
"""The groups that other packages name; they stay the same wherever our modules move."""


@pytest.mark.parametrize("group", GROUPS)
def test_each_kind_has_a_stable_entry_point_group(group: str, tmp_path: Path) -> None:
    module, registry = GROUPS[group]
    install(tmp_path, {"plug": "class Thing: ...\n"}, {group: {"mine": "plug:Thing"}})
    ask_for_mine = f"from {module} import {registry}; print({registry}['mine'].__module__)"
    assert python(ask_for_mine, tmp_path) == ["plug"]
