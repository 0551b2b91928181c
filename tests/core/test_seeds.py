import subprocess
import sys

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nextlabel.core.errors import UsageError
from nextlabel.core.seeds import Seeds
from refusals import refused

names = st.text(max_size=12)

GOLDEN_INITIAL = [194, 215, 311, 100, 515]
GOLDEN_SELECT = [927, 716, 917, 548, 602]
GOLDEN_WEIGHTS = 4878992448732469694


@given(st.integers(0, 2**63), names, st.lists(st.integers(0, 1000), max_size=3))
def test_a_stream_depends_on_its_name_alone(seed, name, index):
    seeds = Seeds(seed)
    first = seeds.rng(name, *index).integers(0, 2**62, 4)
    seeds.rng("another").random(7)  # what others draw shifts nothing
    np.testing.assert_array_equal(Seeds(seed).rng(name, *index).integers(0, 2**62, 4), first)
    assert seeds.integer(name, *index) == Seeds(seed).integer(name, *index)
    assert 0 <= seeds.integer(name, *index) < 2**63


def test_every_stream_is_another():
    streams = [
        (seed, name, index)
        for seed in (0, 1, 2**32, 2**32 + 1)
        for name in ("initial", "weights", "order", "select", "pairs", "head")
        for index in ((), (0,), (1,), (0, 0), (0, 1), (1, 0), (27,))
    ]
    draws = {tuple(Seeds(s).rng(n, *i).integers(0, 2**62, 2)) for s, n, i in streams}
    numbers = {Seeds(s).integer(n, *i) for s, n, i in streams}
    assert len(draws) == len(numbers) == len(streams)


def test_streams_are_not_correlated():
    table = np.stack(
        [Seeds(s).rng("order", k).normal(size=400) for s in range(5) for k in range(5)]
    )
    between = np.corrcoef(table)[np.triu_indices(25, 1)]
    assert np.abs(between).max() < 0.25  # five standard deviations of what independence gives


def test_golden_numbers_so_that_old_results_stay_reproducible():
    assert Seeds(0).rng("initial").integers(0, 1000, 5).tolist() == GOLDEN_INITIAL
    assert Seeds(7).rng("select", 3).integers(0, 1000, 5).tolist() == GOLDEN_SELECT
    assert Seeds(7).integer("weights") == GOLDEN_WEIGHTS


def test_a_fresh_process_draws_the_same():
    code = "from nextlabel.core.seeds import Seeds; print(Seeds(7).integer('weights'))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(out.stdout) == GOLDEN_WEIGHTS


def test_the_global_generator_is_left_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    Seeds(3).rng("initial").random(100)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_a_negative_seed_is_refused():
    Seeds(0)
    with refused(UsageError, "seed-negative", match="seed -1 is negative; give 0 or more"):
        Seeds(-1)
