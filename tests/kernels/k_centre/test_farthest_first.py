"""Core-set selection in steps: the work saved, the progress reported, and interruptions."""

import re
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextlabel.core.errors import DataError, NextlabelError, OutOfMemory
from nextlabel.core.space.embedding import Embedding
from nextlabel.kernels import reference
from nextlabel.kernels.distance.exact import Metric
from nextlabel.kernels.distance.products import ShiftedRows
from nextlabel.kernels.farthest_from_mean import farthest_from_mean
from nextlabel.kernels.k_centre.bounds import UpperBounds
from nextlabel.kernels.k_centre.centres import Centres
from nextlabel.kernels.k_centre.farthest_first import farthest_first
from nextlabel.kernels.k_centre.state import GreedyState
from nextlabel.kernels.k_centre.tuning import STANDARD, KCentreTuning
from refusals import refused


def mixture(n: int, d: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(12, d)) * 3
    return (centres[rng.integers(0, 12, n)] + rng.normal(size=(n, d))).astype(np.float32)


@pytest.fixture
def states(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Collect the inner states of all calls."""
    collected: list[Any] = []
    begin: Any = GreedyState.__init__

    def init(self: Any, *arguments: Any) -> None:
        begin(self, *arguments)
        collected.append(self)

    monkeypatch.setattr(GreedyState, "__init__", init)
    return collected


def test_a_hundred_are_the_first_of_a_thousand() -> None:
    x = mixture(2500, 40)
    thousand = farthest_first(x, np.arange(50), 1000)
    for budget in (1, 2, 100, 511, 512, 513):
        np.testing.assert_array_equal(farthest_first(x, np.arange(50), budget), thousand[:budget])


def test_picks_over_many_steps_are_those_of_the_reference() -> None:
    x = mixture(3000, 33)
    for labelled in (0, 1, 700):
        truth = reference.farthest_first(x, np.arange(labelled), 1200)
        np.testing.assert_array_equal(farthest_first(x, np.arange(labelled), 1200), truth)


@given(
    st.integers(0, 10**6), st.sampled_from([2, 3, 40]), st.sampled_from(["grid", "copies", "real"])
)
def test_small_sizes_pick_the_ids_of_the_reference(seed: int, d: int, values: str) -> None:
    rng = np.random.default_rng(seed)
    x: Any = rng.normal(size=(80, d)).astype(np.float32)
    if values == "grid":
        x = rng.integers(0, 3, (80, d)) / rng.choice([1, 3])
    elif values == "copies":
        x = x[rng.integers(0, 12, 80)]
    if seed % 2:
        x = Embedding(((x, 0.7), (rng.integers(0, 2, (80, 3)), 1.3)))
    order = rng.permutation(80)
    labelled, excluded = order[: rng.integers(0, 30)], order[70 : rng.integers(70, 80)]
    budget = int(rng.integers(1, 80 - len(labelled) - len(excluded) + 1))
    truth = reference.farthest_first(x, labelled, budget, excluded)
    tuning = KCentreTuning(
        top_rows=int(rng.integers(1, 9)),
        most_top_rows=16,
        reservoir=int(rng.integers(1, 40)),
        chunk=int(rng.integers(4, 9)),
        grid=int(rng.integers(1, 5)),
        prepared_rows=int(rng.integers(1, 5)),
        wasted_pairs=int(rng.choice([0, 10**9])),
        top_share=int(rng.choice([2, 128])),  # 2: up to 40 top rows
        compared_rows=int(rng.integers(1, 9)),
    )
    picks = farthest_first(x, labelled, budget, excluded=excluded, tuning=tuning)
    np.testing.assert_array_equal(picks, truth)


def test_most_rows_are_never_brought_up_to_date(states: list[Any]) -> None:
    x = mixture(20_000, 40)
    farthest_first(x, np.arange(300), 300)
    (state,) = states
    assert np.count_nonzero(state.seen) < len(x) / 4
    assert state.screened < 20_000 * 600 / 10
    assert state.wasted < state.screened / 1000


@pytest.mark.parametrize("values", ["far", "ties", "plain"])
def test_no_pair_is_screened_much_more_than_once(values: str, states: list[Any]) -> None:
    rng = np.random.default_rng(0)
    n, budget = 1500, 400
    x = {
        "far": rng.standard_t(1, size=(n, 40)),
        "ties": rng.integers(0, 2, (n, 40)),
        "plain": rng.normal(size=(n, 3)),
    }[values]
    farthest_first(x, np.arange(100), budget)
    assert states[0].screened <= 1.2 * n * (100 + budget)


def close_to_far_centres(rng: np.random.Generator) -> np.ndarray:
    """Return clusters whose radius is small against their norms."""
    x = (rng.normal(size=(1500, 40)) * 1e-3).astype(np.float32)
    return x + (rng.normal(size=(6, 40)) * 30).astype(np.float32)[rng.integers(0, 6, 1500)]


def test_turning_to_float64_changes_no_pick(states: list[Any]) -> None:
    x = close_to_far_centres(np.random.default_rng(0))
    truth = reference.farthest_first(x, np.arange(300), 300)
    np.testing.assert_array_equal(farthest_first(x, np.arange(300), 300), truth)
    assert states[0].centres.precision is np.float64


def test_progress_is_reported_between_steps() -> None:
    x = mixture(3000, 40)
    reported: list[tuple[int, int]] = []
    picks = farthest_first(x, np.arange(9), 900, progress=lambda *p: reported.append(p))
    np.testing.assert_array_equal(picks, farthest_first(x, np.arange(9), 900))
    counts = [count for count, _ in reported]
    assert counts == sorted(counts) and counts[0] == 0 and counts[-1] == 900
    assert len(set(counts)) > 3
    assert {budget for _, budget in reported} == {900}
    reported.clear()
    farthest_first(x, [], 1, progress=lambda *p: reported.append(p))
    assert reported[-1] == (1, 1)


def test_an_interruption_leaves_nothing_behind() -> None:
    x = mixture(3000, 40)
    before, whole = x.copy(), farthest_first(x, np.arange(9), 900)

    for limit in (0, 1, 400):

        def stop(picked: int, budget: int, limit: int = limit) -> None:
            if picked >= limit:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            farthest_first(x, np.arange(9), 900, progress=stop)
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(farthest_first(x, np.arange(9), 900), whole)


def test_what_is_not_finite_is_refused_before_any_work() -> None:
    reported: list[tuple[int, int]] = []
    for bad in (np.nan, np.inf, -np.inf):
        x = mixture(3000, 40)
        x[2999, 39] = bad
        with refused(DataError, "not-finite", match="row 2999"):
            farthest_first(x, [0], 5, progress=lambda *p: reported.append(p))
    assert reported == []


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i1", "u2", "i8", "?", ">f4"])
@pytest.mark.parametrize("columns", [1, 5, 40])
def test_kinds_and_layouts(dtype: str, columns: int) -> None:
    rng = np.random.default_rng(columns)
    x = (
        np.maximum(rng.normal(size=(120, columns)) * 3, 0)
        .astype("i1" if dtype == "?" else dtype)
        .astype(dtype)
    )
    layouts = {
        "plain": x,
        "Fortran": np.asfortranarray(x),
        "reversed": x[::-1, ::-1].copy()[::-1, ::-1],
        "strided": np.repeat(x, 3, axis=0)[::3],
    }
    truth = reference.farthest_first(x, [3, 4], 60)
    for name, own in layouts.items():
        own.flags.writeable = False
        np.testing.assert_array_equal(farthest_first(own, [3, 4], 60), truth, name)


def test_a_memory_map_is_read_and_not_copied(tmp_path: Path) -> None:
    x = mixture(60_000, 64)
    np.save(tmp_path / "x.npy", x)
    stored = np.load(tmp_path / "x.npy", mmap_mode="r")
    tracemalloc.start()
    picks = farthest_first(stored, np.arange(200), 100)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.8 * x.nbytes  # what a table or a copy would exceed, and grows with N alone
    np.testing.assert_array_equal(picks, farthest_first(x, np.arange(200), 100))


def test_memory_grows_by_a_few_numbers_per_row() -> None:
    peaks = []
    for n in (30_000, 60_000):
        x = mixture(n, 128)
        tracemalloc.start()
        farthest_first(x, np.arange(500), 50, tuning=KCentreTuning(tile_values=2**18))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 30_000 * 64  # bytes per row; a float32 row has 512


@pytest.mark.parametrize("kernel", [farthest_first, farthest_from_mean])
@pytest.mark.parametrize(
    "error",
    [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: 5 bytes\nmore")],
)
def test_out_of_memory_says_how_much_and_what_to_lower(
    kernel: Any, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ShiftedRows, "__init__", Mock(side_effect=error))
    message = r"selecting 5 of 100 images needs about \d+ MB .*; free memory, or lower"
    with refused(OutOfMemory, "out-of-memory", match=message) as found:
        kernel(mixture(100, 40), [0], 5)
    assert "\n" not in str(found.value)
    assert issubclass(OutOfMemory, NextlabelError) and issubclass(OutOfMemory, MemoryError)
    monkeypatch.setattr(ShiftedRows, "__init__", Mock(side_effect=RuntimeError("something else")))
    with pytest.raises(RuntimeError, match="something else"):
        kernel(mixture(100, 40), [0], 5)


LIMITED = """
import resource
import numpy as np
from nextlabel.core.errors import OutOfMemory
from nextlabel.kernels.k_centre.farthest_first import farthest_first
from nextlabel.kernels.farthest_from_mean import farthest_from_mean
x = np.random.default_rng(0).normal(size=({size}, 64)).astype(np.float32)
{kernel}(x[:200], np.arange(50), 20)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + {room} * 2**20,) * 2)
try:
    {kernel}(x, np.arange(4000), 20)
except OutOfMemory as error:
    print(error)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads Linux's own figures")
@pytest.mark.parametrize("kernel", ["farthest_first", "farthest_from_mean"])
def test_a_real_lack_of_memory_is_reported_and_the_figure_suffices(kernel: str) -> None:
    def report(room: int) -> str:
        code = LIMITED.format(size=200_000, kernel=kernel, room=room)
        return subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True
        ).stdout

    message = report(4)
    wanted = re.match(
        r"selecting 20 of 200000 images needs about (\d+) MB in addition to the features, which "
        r"is not free \(Unable to allocate .*\); free memory, or lower the number of images",
        message,
    )
    assert wanted, message
    assert report(int(wanted[1])) == ""


def test_copies_of_a_centre_do_not_become_centres(states: list[Any]) -> None:
    x = np.repeat(mixture(30, 40), 20, axis=0)
    picks = farthest_first(x, np.arange(100), 200)
    np.testing.assert_array_equal(picks, reference.farthest_first(x, np.arange(100), 200))
    assert len(states[0].centres) == 30


def test_float64_follows_when_more_than_the_share_is_wasted() -> None:
    shifted = ShiftedRows(Metric(Embedding.of(mixture(60, 40))))
    centres = Centres(shifted, np.float32, 9)
    centres.add(np.arange(5))
    state = GreedyState(centres, UpperBounds(np.ones(60)))
    precisions = []
    for screened, wasted in ((100_000, STANDARD.wasted_pairs + 500), (0, 1), (0, 10**9)):
        state.screened += screened
        state.wasted += wasted
        state.sharpen()
        precisions.append(state.centres.precision)
        assert state.centres.ids.tolist() == list(range(5))
        assert (state.centres.kappa, state.centres.eta) == shifted.error(precisions[-1])
    assert precisions == [np.float32, np.float64, np.float64]


def test_the_windows_of_many_millions_are_wider_within_the_memory_of_a_tile() -> None:
    tuning = KCentreTuning()
    assert tuning.of_pool(1_000_000, 128) is tuning
    wide = tuning.of_pool(5_000_000, 128)
    assert (wide.most_top_rows, wide.reservoir) == (39_062, 156_248)
    assert tuning.of_pool(10**9, 128).most_top_rows == tuning.tile_values // 128
    assert tuning.of_pool(10**9, 4096) is tuning


def test_few_centres_take_fewer_steps_with_wider_windows() -> None:
    x, steps = mixture(20_000, 40), []
    for share in (10**9, 20):
        calls = Mock()
        tuning = KCentreTuning(
            top_rows=32, most_top_rows=64, reservoir=512, top_share=share, compared_rows=100
        )
        farthest_first(x, [0], 30, progress=calls, tuning=tuning)
        steps.append(calls.call_count)
    assert steps[1] < steps[0] / 2
