from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import ttest_rel

from nextlabel import statistics as s
from nextlabel.core.errors import UsageError
from nextlabel.statistics.curves import _crossings
from nextlabel.statistics.inputs import differences
from nextlabel.statistics.subsets import random_subsets
from refusals import refused

numbers = st.integers(-1000, 1000).map(lambda i: i / 1000)


def pairs(least: int = 1, most: int = 8) -> st.SearchStrategy[tuple[np.ndarray, np.ndarray]]:
    return st.integers(least, most).flatmap(
        lambda n: st.tuples(
            arrays(np.float64, n, elements=numbers), arrays(np.float64, n, elements=numbers)
        )
    )


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


# -- AUBC ----------------------------------------------------------------------------------------


def test_aubc_by_hand() -> None:
    # (50 * 0.6 + 100 * 0.75) / 150, and over log2: (1 * 0.6 + 1 * 0.75) / 2
    assert s.aubc([50, 100, 200], [0.5, 0.7, 0.8]) == pytest.approx(105 / 150)
    assert s.aubc([50, 100, 200], [0.5, 0.7, 0.8], "log2") == pytest.approx(0.675)
    assert s.aubc([50], [[0.5], [0.6]]).tolist() == [0.5, 0.6]


@given(st.sampled_from(["linear", "log2"]), st.integers(2, 9), st.data())
def test_aubc_lies_within_the_curve_and_is_linear(
    scale: str, points: int, data: st.DataObject
) -> None:
    x = np.cumsum(data.draw(arrays(np.int64, points, elements=st.integers(1, 50))))
    y = data.draw(arrays(np.float64, (3, points), elements=numbers))
    area = s.aubc(x, y, scale)
    assert area.shape == (3,)
    assert (area >= y.min(1) - 1e-12).all() and (area <= y.max(1) + 1e-12).all()
    np.testing.assert_allclose(s.aubc(x, 2 * y + 1, scale), 2 * area + 1)


# -- sign flips ----------------------------------------------------------------------------------


@given(pairs(2))
@settings(deadline=None)
def test_sign_flip_is_the_enumeration(ab: tuple[np.ndarray, np.ndarray]) -> None:
    a, b = (np.round(x * 1000) for x in ab)  # whole numbers: no rounding in the enumeration
    d = a - b
    sums = np.array(list(product([1, -1], repeat=len(d)))) @ d
    two, one = np.mean(abs(sums) >= abs(d.sum())), np.mean(sums >= d.sum())
    found = s.sign_flip(a, b)
    assert found.p == pytest.approx(two)
    assert s.sign_flip(a, b, alternative="greater").p == pytest.approx(one)
    assert found.p is not None and found.smallest_p is not None and found.p >= found.smallest_p


def test_means_that_are_equal_but_for_rounding_tie() -> None:
    # ±0.1 both ways: of the four means 0.1, 0, 0 and -0.1 three are at least the observed 0.
    assert s.sign_flip([0.6, 0.8], [0.7, 0.7], alternative="greater").p == 0.75
    assert s.sign_flip([0.6, 0.8], [0.7, 0.7]).p == 1.0


@given(st.integers(2, 9), st.sampled_from([300, 7, 41]), st.integers(0, 10**6))
@settings(deadline=None)
def test_accuracies_give_the_p_of_their_counts(n: int, images: int, seed: int) -> None:
    a, b = np.random.default_rng(seed).integers(0, images + 1, (2, n))
    for alternative in ("greater", "two-sided"):
        counted = s.sign_flip(a, b, alternative=alternative)
        assert s.sign_flip(a / images, b / images, alternative=alternative).p == counted.p


def test_random_flips_count_the_observed_signs_once() -> None:
    a = np.r_[np.ones(20), -np.ones(20)]  # the observed mean is 0: half of the flips are below
    found = s.sign_flip(a, np.zeros(40), rng(), "greater")
    assert found.p == pytest.approx(0.5 + 0.125 / 2, abs=0.01)  # C(40, 20) / 2^40 is 0.125
    ahead = s.sign_flip(np.arange(1.0, 41), np.zeros(40), rng(), "greater")
    assert ahead.p == s.smallest_p(40, "greater") == 1 / (s.RESAMPLES + 1)


def test_the_smallest_p_is_reached() -> None:
    for n in (2, 3, 5, 10):
        assert s.sign_flip(np.arange(1, n + 1), np.zeros(n)).p == s.smallest_p(n) == 2 / 2**n
    assert s.smallest_p(1) == 1.0
    assert s.smallest_p(5) == 0.0625
    assert s.smallest_p(5, "greater") == 0.03125


def test_the_largest_exact_test_needs_no_generator() -> None:
    found = s.sign_flip(np.arange(1.0, s.EXACT_PAIRS + 1), np.zeros(s.EXACT_PAIRS))
    assert found.p == found.smallest_p == s.smallest_p(16) == 2.0**-15
    assert found.note == ""
    assert s.smallest_p(17) == 2 / (s.RESAMPLES + 1)


def test_one_sided_tests_give_the_one_sided_smallest_p() -> None:
    assert s.sign_flip([2, 3, 4], [1, 1, 1], alternative="greater").smallest_p == 0.125
    assert s.sign_flip([2, 3, 4], [1, 1, 1]).smallest_p == 0.25


def test_equal_pairs_have_p_1_and_statistic_0() -> None:
    for test in (s.sign_flip, s.paired_t):
        found = test([0.1, 0.2, 0.3], [0.1, 0.2, 0.3])
        assert (found.p, found.statistic, found.note) == (1.0, 0.0, "all pairs are equal")


def test_many_pairs_are_resampled_from_an_explicit_generator() -> None:
    a = np.linspace(0.1, 1, 40)
    with refused(UsageError, "generator-missing", match="40 pairs are too many .*up to 16"):
        s.sign_flip(a, np.zeros(40))
    found = s.sign_flip(a, np.zeros(40), rng())
    assert found.p == pytest.approx(s.smallest_p(40)) and "random sign flips" in found.note
    noisy = np.random.default_rng(3).normal(0.2, 1, 40)
    assert s.sign_flip(noisy, np.zeros(40), rng()).p == s.sign_flip(noisy, np.zeros(40), rng()).p
    assert s.sign_flip(noisy, np.zeros(40), rng()).p == pytest.approx(
        s.paired_t(noisy, np.zeros(40)).p, abs=0.03
    )


# -- paired t and Holm ---------------------------------------------------------------------------


def test_paired_t_by_hand() -> None:
    # differences 1, 2, 3: mean 2, s.d. 1, t = 2 * sqrt(3), two degrees of freedom
    found = s.paired_t([2, 4, 6], [1, 2, 3])
    assert found.statistic == pytest.approx(2 * 3**0.5)
    assert found.p == pytest.approx(1 - np.sqrt(12 / 14))  # the closed form for 2 d.f.


@given(pairs(3))
def test_paired_t_is_scipys_wherever_that_is_defined(ab: tuple[np.ndarray, np.ndarray]) -> None:
    a, b = ab
    assume(np.ptp(a - b) > 1e-6)
    assert s.paired_t(a, b).p == pytest.approx(ttest_rel(a, b).pvalue, rel=1e-6)


def test_equal_differences_claim_no_more_than_sign_flips_can() -> None:
    found = s.paired_t([0.9, 0.8, 0.7], [0.8, 0.7, 0.6])  # equal but for rounding
    assert (found.p, found.statistic) == (0.25, None)
    assert "sign-flip" in found.note


def test_holm_by_hand() -> None:
    assert s.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert s.holm([0.02, None, 0.9]) == [pytest.approx(0.04), None, pytest.approx(0.9)]
    assert s.holm([]) == [] and s.holm([None]) == [None]
    for p in (float("nan"), -0.1, 1.1):
        with refused(UsageError, "p-out-of-range"):
            s.holm([p])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=10))
@settings(deadline=None, max_examples=20)
def test_holm_only_raises_and_stays_within_bonferroni(p: list[float]) -> None:
    for raw, corrected in zip(p, s.holm(p), strict=True):
        assert corrected is not None
        assert raw - 1e-12 <= corrected <= min(1, raw * len(p)) + 1e-12


def test_p_by_count_has_one_test_a_column() -> None:
    a = np.array([[0.5, 0.9], [0.5, 0.8], [0.5, 0.85]])
    b = np.array([[0.5, 0.7], [0.5, 0.75], [0.5, 0.8]])
    tests, corrected = s.paired_t_by_count(a, b)
    assert [t.p for t in tests] == [1.0, pytest.approx(ttest_rel(a[:, 1], b[:, 1]).pvalue)]
    assert corrected == [1.0, pytest.approx(2 * ttest_rel(a[:, 1], b[:, 1]).pvalue)]


# -- effect, interval, power ---------------------------------------------------------------------


def test_effect_size_by_hand() -> None:
    assert s.effect_size([2, 4, 6], [1, 2, 3]) == pytest.approx(2.0)
    assert s.effect_size([3, 4], [1, 1]) == pytest.approx(2.5 / 0.5**0.5)
    assert s.effect_size([1, 2], [1, 2]) == 0.0
    assert s.effect_size([1.5, 2.5], [1, 2]) is None
    assert s.effect_size([1], [2]) is None


def test_interval_of_three_pairs_is_their_range() -> None:
    zeros = np.zeros(3)
    assert s.sign_flip_interval([0.1, 0.2, 0.4], zeros) == pytest.approx((0.1, 0.4))
    assert s.sign_flip_interval([0.3, 0.4], [0.1, 0.2]) == pytest.approx((0.2, 0.2))
    assert s.sign_flip_interval([0.3], [0.1]) is None


def test_the_interval_of_seven_pairs_by_hand() -> None:
    # 127 subset means; of 128 gaps 3 lie below the interval, since 4 would be more than 2.5%
    d = np.array([0.0, 1, 2, 4, 8, 16, 32])
    interval = s.sign_flip_interval(d, np.zeros(7))
    assert interval == (1, 20)  # the third of 0, 1/2, 1 and of 32, 24, 20


@given(pairs(6))
@settings(deadline=None, max_examples=40)
def test_the_interval_holds_what_the_test_does_not_reject(
    ab: tuple[np.ndarray, np.ndarray],
) -> None:
    a, b = ab
    assume(np.ptp(a - b) > 1e-9)
    low, high = s.sign_flip_interval(a, b) or (0.0, 0.0)
    step = 1e-6
    for inside, outside in ((low + step, low - step), (high - step, high + step)):
        p_in, p_out = (s.sign_flip(a - shift, b).p for shift in (inside, outside))
        assert p_in is not None and p_out is not None
        assert p_out <= 0.05 < p_in


DRAWS = 2000
DISTRIBUTIONS = {
    "normal": lambda size: np.random.default_rng(1).normal(size=size),
    "uniform": lambda size: np.random.default_rng(2).uniform(-1, 1, size),
    "heavy tails": lambda size: np.random.default_rng(3).standard_t(2, size),
}


def coverage(differences: np.ndarray, centre: float) -> float:
    zeros = np.zeros(differences.shape[1])
    intervals = (s.sign_flip_interval(row, zeros) for row in differences)
    return float(np.mean([i is not None and i[0] <= centre <= i[1] for i in intervals]))


@pytest.mark.parametrize("name", DISTRIBUTIONS)
@pytest.mark.parametrize(("n", "level"), [(3, 0.75), (5, 0.9375), (6, 0.96875), (8, 1 - 12 / 256)])
def test_the_interval_has_its_level(n: int, level: float, name: str) -> None:
    hits = coverage(DISTRIBUTIONS[name]((DRAWS, n)), 0.0)
    assert hits == pytest.approx(level, abs=3.5 * (level * (1 - level) / DRAWS) ** 0.5)
    assert s.attainable(n) == min(level, 0.95)


def test_random_subsets_have_the_level_too() -> None:
    rows = np.random.default_rng(4).normal(size=(60, 20))
    generator = rng()
    intervals = [s.sign_flip_interval(row, np.zeros(20), generator) for row in rows]
    hits = np.mean([i is not None and i[0] <= 0 <= i[1] for i in intervals])
    assert hits == pytest.approx(0.95, abs=3.5 * (0.95 * 0.05 / 60) ** 0.5)
    widths = [i[1] - i[0] for i in intervals if i is not None]
    student = 2 * 2.093 * rows.std(axis=1, ddof=1) / 20**0.5
    assert np.mean(widths / student) == pytest.approx(1, abs=0.03)
    with refused(UsageError, "generator-missing"):
        s.sign_flip_interval(np.arange(20.0), np.zeros(20))


def test_skewed_differences_break_the_symmetry_that_the_test_assumes() -> None:
    """The guide says 9% at 10 pairs, where 5% is the level."""
    skewed = np.random.default_rng(6).exponential(size=(1000, 10)) - 1
    tests = [s.sign_flip(row, np.zeros(10)).p for row in skewed]
    assert np.mean([p is not None and p <= 0.05 for p in tests]) == pytest.approx(0.09, abs=0.02)


def test_random_subsets_are_never_empty() -> None:
    masks = random_subsets(2, 4000, rng())
    assert masks.any(axis=1).all()
    assert np.bincount(masks @ [1, 2], minlength=4).tolist() == pytest.approx(
        [0, 1333, 1333, 1333], abs=120
    )


def test_detectable_effect_by_simulation_and_table() -> None:
    assert s.detectable_effect(1) is None
    assert s.detectable_effect(34) == pytest.approx(0.4956, abs=1e-3)  # a textbook's n = 34: d 0.5
    d = s.detectable_effect(5)
    assert d == pytest.approx(1.682, abs=1e-3)
    draws = np.random.default_rng(0).normal(d, 1, (4000, 5))
    assert np.mean(ttest_rel(draws, np.zeros_like(draws), axis=1).pvalue < 0.05) == pytest.approx(
        0.8, abs=0.02
    )


# -- all together --------------------------------------------------------------------------------


def test_a_comparison_by_hand() -> None:
    found = s.compare([3, 4], [1, 1], rng())  # differences 2 and 3
    least = s.detectable_effect(2)
    assert least is not None
    assert (found.n, found.mean) == (2, 2.5)
    assert found.deviation == pytest.approx(0.5**0.5)
    assert found.detectable == pytest.approx(least * 0.5**0.5)
    same = s.compare([1.5, 2.5], [1, 2], rng())
    assert (same.deviation, same.detectable, same.effect) == (0.0, 0.0, None)
    assert found.test == s.sign_flip([3, 4], [1, 1])
    assert (found.low, found.high, found.confidence) == (2, 3, 0.5)
    assert s.compare(np.arange(6), np.zeros(6)).confidence == 0.95


def test_a_comparison_passes_generator_and_alternative_on() -> None:
    a = np.random.default_rng(2).normal(0.3, 1, 20)
    one, two = (s.compare(a, np.zeros(20), rng(), side) for side in ("greater", "two-sided"))
    assert one == s.compare(a, np.zeros(20), rng(), "greater")
    assert one.detectable is not None and two.detectable is not None
    assert one.detectable < two.detectable


def test_one_sided_tests_detect_less_with_as_many_pairs() -> None:
    one, two = (s.detectable_effect(10, alternative=side) for side in ("greater", "two-sided"))
    assert one is not None and two is not None and one < two
    assert s.detectable_effect(10, alpha=0.1) == pytest.approx(one, rel=1e-3)
    found = s.compare(np.arange(1.0, 7.0), np.zeros(6), rng(), "greater")
    assert found.test.p == found.test.smallest_p == 0.5**6


def test_false_alarms_are_as_many_as_promised() -> None:
    draw = np.random.default_rng(7)
    tests = [s.sign_flip(draw.normal(0.9, 0.02, 7), draw.normal(0.9, 0.02, 7)) for _ in range(300)]
    rate = np.mean([t.p is not None and t.p <= 0.05 for t in tests])
    assert 0.02 <= rate <= 0.08
    families = [s.paired_t_by_count(*draw.normal(0, 1, (2, 5, 4)))[1] for _ in range(60)]
    assert np.mean([min(p for p in f if p is not None) <= 0.05 for f in families]) <= 0.12


@given(pairs())
@settings(deadline=None, max_examples=30)
def test_nothing_is_ever_nan_and_swapping_turns_the_sign(
    ab: tuple[np.ndarray, np.ndarray],
) -> None:
    a, b = ab
    one, other = s.compare(a, b, rng()), s.compare(b, a, rng())
    for value in (*vars(one).values(), *vars(one.test).values()):
        assert not isinstance(value, float) or np.isfinite(value)
    assert one.mean == pytest.approx(-other.mean)
    assert one.test.p == pytest.approx(other.test.p)
    if one.low is not None and one.high is not None:
        assert one.low - 1e-12 <= one.mean <= one.high + 1e-12
    assert (one.test.p is None) == (len(a) == 1)


@given(arrays(np.float64, st.integers(2, 20), elements=numbers))
@settings(deadline=None)
def test_an_arm_against_itself_differs_in_nothing(a: np.ndarray) -> None:
    found = s.compare(a, a, rng())
    assert (found.mean, found.effect, found.low, found.high) == (0, 0, 0, 0)
    assert (found.test.p, found.detectable, found.deviation) == (1.0, 0.0, 0.0)
    assert s.paired_t(a, a).p == 1.0


def test_one_pair_says_that_no_test_is_possible() -> None:
    found = s.compare([0.9], [0.8], rng())
    assert (found.test.p, found.effect, found.deviation, found.detectable) == (None,) * 4
    assert found.test.note == s.paired_t([0.9], [0.8]).note == "one pair allows no test"
    assert found.mean == pytest.approx(0.1)
    assert (found.low, found.high, found.confidence) == (None, None, 0)


# -- label saving --------------------------------------------------------------------------------


def test_label_saving_by_hand() -> None:
    counts = [50, 100, 200]
    saving = s.label_saving(counts, [0.5, 0.8, 0.85], [0.5, 0.6, 0.7])
    # 0.7 lies two thirds of the way from 0.5 to 0.8
    assert saving[-1].arm_needs == pytest.approx(50 + 50 * 2 / 3)
    assert saving[-1].baseline_needs == 200
    assert saving[-1].saved == pytest.approx(200 - 50 - 100 / 3)
    assert (saving[0].arm_needs, saving[0].saved) == (50, 0)
    worse = s.label_saving(counts, [0.5, 0.6, 0.7], [0.5, 0.8, 0.85])
    assert (worse[-1].arm_needs, worse[-1].saved) == (None, None)


def test_a_level_reached_but_for_rounding_is_reached() -> None:
    below = np.mean([0.7, 0.8, 0.9], axis=0) - 1e-16  # 0.7999999999999999
    assert below < 0.8
    assert s.labels_to_reach([10, 20], [0.5, below], 0.8) == 20
    assert s.labels_to_reach([10, 20], [below, 0.9], 0.8) == pytest.approx(10)
    assert s.labels_to_reach([10, 20], [0.5, 0.8 - 1e-9], 0.8) is None
    curves = np.array([[0.5, 0.1], [0.5, 0.2], [0.5, 0.3]])
    ends = s.saving_intervals([10, 20], curves[::-1] - 1e-16, curves[::-1], rng())
    assert ends == [(0, 0), (0, 0)]


def test_the_interval_of_savings_covers_what_it_says() -> None:
    # the arm is ahead by 20 labels in the mean; both curves vary
    draw, hits = np.random.default_rng(8), 0
    counts = np.arange(10, 110, 10)
    for _ in range(300):
        base = counts / 100 + draw.normal(0, 0.02, (8, 1))
        arm = (counts + 20) / 100 + draw.normal(0, 0.02, (8, 1))
        low, high = (s.saving_intervals(counts, arm, base, draw) or [])[4]
        assert low is not None and high is not None
        hits += low <= 20 <= high
    assert hits / 300 == pytest.approx(0.95, abs=3.5 * (0.95 * 0.05 / 300) ** 0.5)


def test_a_dip_does_not_count_as_progress() -> None:
    saving = s.label_saving([1, 2, 3], [0.5, 0.6, 0.7], [0.5, 0.7, 0.6])
    assert [x.level for x in saving] == [0.5, 0.7, 0.7]
    assert [x.baseline_needs for x in saving] == [1, 2, 2]
    assert saving[-1].saved == -1


def test_savings_vary_with_the_pairs_drawn() -> None:
    counts = [10, 20, 30]
    baseline = np.array([[0.1, 0.3, 0.5]] * 6)
    ahead = np.array([[0.3, 0.5, 0.5]] * 3 + [[0.1, 0.3, 0.5]] * 3)
    ends = s.saving_intervals(counts, ahead, baseline, rng())
    assert ends is not None
    # seven of 63 subsets are of one half of the pairs alone, more than the one beyond each end
    assert ends[0] == (0.0, 0.0)
    for low, high in ends[1:]:
        assert (low, high) == (pytest.approx(0), pytest.approx(10))
    assert s.saving_intervals(counts, ahead[:1], baseline[:1], rng()) is None


def test_the_interval_of_savings_is_as_wide_as_students() -> None:
    # At level 0.5 the arm saves 100 e / (0.5 + e) labels, about 200 e, e the mean of what it gains.
    gains = np.random.default_rng(4).normal(0, 0.02, 40)
    baseline = np.tile([0.0, 0.5, 1.0], (40, 1))
    arm = baseline + gains[:, None] * [0, 1, 0]
    intervals = s.saving_intervals([1, 101, 201], arm, baseline, rng())
    assert intervals is not None
    low, high = intervals[1]
    assert low is not None and high is not None
    half = 200 * 2.02 * gains.std(ddof=1) / 40**0.5  # t with 39 degrees of freedom
    assert high - low == pytest.approx(2 * half, rel=0.06)
    assert (low + high) / 2 == pytest.approx(200 * gains.mean(), abs=0.1 * half)
    first, last = np.zeros(40), np.zeros(40)
    first[0] = last[-1] = 1  # every pair is in some subset, the first and the last too
    for only in (first, last):
        drawn = s.saving_intervals(
            [1, 101, 201], baseline + only[:, None] * [0, 1, 0], baseline, rng()
        )
        assert drawn is not None and drawn[1][1] is not None and drawn[1][1] > 1


def test_the_interval_of_labels_needed_is_that_of_the_subsets() -> None:
    """Labels saved are the last count less those needed, if the baseline does not vary."""
    draw, counts = np.random.default_rng(2), np.arange(10, 110, 10)
    baseline = np.tile(counts / 100, (7, 1))
    arm = (counts + 30) / 100 + draw.normal(0, 0.05, (7, 1))
    need = s.need_interval(counts, arm, baseline, rng())
    saved = (s.saving_intervals(counts, arm, baseline, rng()) or [])[-1]
    assert need is not None and None not in need
    assert need == (pytest.approx(100 - (saved[1] or 0)), pytest.approx(100 - (saved[0] or 0)))
    assert need[0] < 70 < need[1]  # type: ignore[operator]
    part = np.array([[0.1, 0.9]] * 6 + [[0.1, 0.1]] * 2)  # in some subsets below the level
    low, high = s.need_interval([10, 20], part, np.array([[0.1, 0.5]] * 8), rng()) or (0, 0)
    assert low == 15 and high is None
    assert s.need_interval(counts, arm[:1], baseline[:1], rng()) is None


def test_what_is_not_reached_has_no_end() -> None:
    counts, baseline = [10, 20], np.array([[0.1, 0.5]] * 8)
    behind = np.array([[0.1, 0.4]] * 8)
    assert s.saving_intervals(counts, behind, baseline, rng()) == [(0.0, 0.0), (None, None)]
    mixed = np.array([[0.1, 0.9]] * 6 + [[0.1, 0.1]] * 2)
    ends = s.saving_intervals(counts, mixed, baseline, rng())
    assert ends is not None and ends[1][0] is None and ends[1][1] == pytest.approx(5, abs=0.01)


@given(arrays(np.float64, (5, 4), elements=numbers))
@settings(deadline=None, max_examples=20)
def test_an_arm_saves_nothing_over_itself_however_drawn(curves: np.ndarray) -> None:
    ends = s.saving_intervals([10, 20, 30, 40], curves, curves, rng())
    assert ends == [(0.0, 0.0)] * 4


def test_crossings_are_those_of_one_curve_at_a_time() -> None:
    many = rng().random((50, 6))
    levels = rng().random(50)
    counts = np.array([10.0, 20, 30, 50, 80, 130])

    def plain(y: np.ndarray, level: float) -> float:
        for t in range(6):
            if y[t] >= level:
                if t == 0:
                    return 10.0
                return float(np.interp(level, y[t - 1 : t + 1], counts[t - 1 : t + 1]))
        return np.inf

    found = _crossings(counts, many, levels, 0.0)
    np.testing.assert_allclose(found, [plain(y, v) for y, v in zip(many, levels, strict=True)])
    assert np.isinf(found).any()


@given(arrays(np.float64, st.integers(1, 8), elements=numbers))
def test_an_arm_saves_nothing_over_itself(curve: np.ndarray) -> None:
    counts = np.arange(1, len(curve) + 1)
    assert [x.saved for x in s.label_saving(counts, curve, curve)] == [0.0] * len(curve)


# -- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "code", "message"),
    [
        (lambda: s.aubc([2, 1], [0, 0]), "counts-not-increasing", r"\[2.0, 1.0\] must increase"),
        (lambda: s.aubc([1, 1], [0, 0]), "counts-not-increasing", None),
        (lambda: s.aubc([0, 1], [0, 0]), "counts-not-increasing", None),
        (lambda: s.aubc([], []), "counts-not-increasing", None),
        (lambda: s.aubc([[1], [2]], [0]), "counts-not-increasing", None),
        (lambda: s.aubc([1, 2], [0, 0, 0]), "unequal-shapes", r"2 label counts for .* \(3,\)"),
        (lambda: s.aubc([1, 2], 0.5), "unequal-shapes", None),
        (lambda: s.aubc([1, 2], [0, np.nan]), "numbers-not-finite", "curve holds NaN or infinity"),
        (lambda: s.sign_flip([], []), "unequal-shapes", "at least 1"),
        (lambda: s.sign_flip([1, 2], [1]), "unequal-shapes", r"\(2,\) and \(1,\); give two"),
        (lambda: s.sign_flip([[1, 2]], [[1, 2]]), "unequal-shapes", None),
        (lambda: s.paired_t([np.inf, 1], [1, 1]), "numbers-not-finite", "a holds"),
        (lambda: s.paired_t([1, 1], [np.inf, 1]), "numbers-not-finite", "b holds"),
        (lambda: s.paired_t(["x"], [1]), "not-a-number", "a holds what is not a number"),
        (lambda: s.paired_t_by_count([1], [1]), "unequal-shapes", r"give two of shape \(n, T\)"),
        (lambda: s.paired_t_by_count([[1]], [[1, 2]]), "unequal-shapes", None),
        (lambda: s.labels_to_reach([1, 2], [1], 0.5), "unequal-shapes", "give one per point"),
        (lambda: s.aubc([np.nan], [1]), "numbers-not-finite", "label counts holds"),
        (lambda: s.labels_to_reach([1], [np.nan], 0.5), "numbers-not-finite", "curve holds"),
        (lambda: s.label_saving([1], [1], [np.nan]), "numbers-not-finite", "baseline holds"),
        (
            lambda: s.saving_intervals([1], [[np.nan]], [[1]], rng()),
            "numbers-not-finite",
            "arm holds",
        ),
        (
            lambda: s.saving_intervals([1], [[1]], [[np.nan]], rng()),
            "numbers-not-finite",
            "baseline",
        ),
        (lambda: s.paired_t_by_count([[np.nan]], [[1]]), "numbers-not-finite", "a holds"),
        (lambda: s.paired_t_by_count([[1]], [[np.nan]]), "numbers-not-finite", "b holds"),
        (
            lambda: s.saving_intervals([1], [1], [1], rng()),
            "unequal-shapes",
            r"two of shape \(n, T",
        ),
        (lambda: s.saving_intervals([1], [[1]], [[1], [2]], rng()), "unequal-shapes", None),
        (lambda: s.saving_intervals([1, 2], [[1]], [[1]], rng()), "unequal-shapes", None),
    ],
)
def test_bad_input_is_refused(call: object, code: str, message: str | None) -> None:
    with refused(UsageError, code, match=message):
        call()  # type: ignore[operator]


# -- reach ---------------------------------------------------------------------------------------


def test_the_least_corrected_p_by_hand() -> None:
    assert s.least_corrected(5, ["greater"] * 3) == [3 / 32] * 3
    assert s.least_corrected(5, ["two-sided"]) == [2 / 32]
    # one-sided 1/64 three times over, then two-sided 2/64, once
    assert s.least_corrected(6, ["greater", "two-sided", "greater"]) == [3 / 64] * 3
    assert s.least_corrected([6, 1], ["greater", "greater"]) == [2 / 64, 1.0]
    assert s.least_corrected(4, []) == []


def test_the_pairs_that_claims_need() -> None:
    assert s.pairs_needed(["two-sided"]) == [6]
    assert s.pairs_needed(["greater"]) == [5]
    assert s.pairs_needed(["greater"] * 3) == [6] * 3
    assert s.pairs_needed(["two-sided"] * 3) == [7] * 3
    assert s.pairs_needed(["greater", "two-sided", "two-sided"]) == [6, 7, 7]
    assert s.pairs_needed(["greater"] * 4000) == [None] * 4000
    for sides in (["greater"] * 5, ["two-sided", "greater"]):
        for needed in s.pairs_needed(sides):
            assert needed is not None
            assert max(p or 0 for p in s.least_corrected(needed, sides)) <= 0.05
            assert max(p or 0 for p in s.least_corrected(needed - 1, sides)) > 0.05


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e6])
def test_what_counts_as_rounding_grows_with_the_numbers(size):
    """0.3 - 0.2 and 0.2 - 0.1 are one difference at any size; one a millionth larger is another."""
    a, b = np.array([0.3, 0.2]) * size, np.array([0.2, 0.1]) * size
    assert np.ptp(differences(a, b)) == 0
    assert np.ptp(differences(a * [1 + 1e-6, 1], b)) > 0
    assert differences(np.array([0.1 * 3]) * size, np.array([0.3]) * size).tolist() == [0]
