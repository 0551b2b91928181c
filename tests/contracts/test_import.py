"""The package's front door: few names, and cheap to open."""

import subprocess
import sys

import nextlabel
from nextlabel.algorithm1 import algorithm1
from nextlabel.strategies import STRATEGIES

HEAVY = "torch", "sklearn", "scipy", "matplotlib", "pandas", "statsmodels", "sqlalchemy", "PIL"


def in_a_fresh_process(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_all_public_names_can_be_had_and_every_strategy_is_one() -> None:
    for name in nextlabel.__all__:
        assert getattr(nextlabel, name) is not None
        assert name in dir(nextlabel)
    classes = {STRATEGIES[name] for name in STRATEGIES}
    own = {kind for kind in classes if kind.__module__.startswith("nextlabel.")}
    assert own <= {getattr(nextlabel, name) for name in nextlabel.__all__}


def test_importing_it_and_selecting_loads_nothing_heavy() -> None:
    code = (
        "import sys, nextlabel as n\n"
        "assert 'numpy' not in sys.modules\n"
        "n.select([[0.0], [1.0], [5.0]], budget=1)\n"
        "n.CoreSet, n.FeatureSpace, n.Pool, n.Seeds, n.NextlabelError, n.run, n.read_results\n"
        f"print([m for m in {HEAVY} if m in sys.modules])"
    )
    assert in_a_fresh_process(code) == "[]"


def test_the_loop_of_the_paper_has_a_plain_name_too() -> None:
    assert nextlabel.active_learning_loop is algorithm1


def test_functions_are_functions_whatever_was_imported_before() -> None:
    code = (
        "import nextlabel.kernels.k_centre.farthest_first, nextlabel.kernels.farthest_from_mean\n"
        "import nextlabel.selection, nextlabel.algorithm1\n"
        "import nextlabel.strategies.random\n"
        "from nextlabel import farthest_first, farthest_from_mean, select, Random\n"
        "from nextlabel.algorithm1 import algorithm1\n"
        "print(all(callable(f) for f in (farthest_first, farthest_from_mean, select, algorithm1)))"
    )
    assert in_a_fresh_process(code) == "True"


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(nextlabel, "no_such_name")
