import numpy as np
import pytest

from nextlabel.statistics.learning_curve import AUDITED, LEVEL, advice, expected_rise

CURVES = {
    "power": lambda n: 1 - 0.9 * n**-0.3,
    "with a limit": lambda n: 1 - (0.05 + 1.5 * n**-0.6),
    "flat": lambda n: 0.9 + 0 * n,
}


def estimates(curve, last, seed, early=0.0):
    """Return label counts, estimates and audited images of a simulated project.

    Models of few labels claim up to `early` more than they can.
    """
    rng = np.random.default_rng(seed)
    difficulty = rng.random(last)  # an audited image is right once the accuracy exceeds it
    claim = rng.normal(0, 0.04)
    counts = np.arange(20, last + 1, 10)
    audited = counts // 5
    values = []
    for n, m in zip(counts, audited, strict=True):
        right = (difficulty[:m] < curve(n)).sum()
        much = claim + early * np.exp(-n / 60)
        claimed = np.clip(curve(n) + much + rng.normal(0, 0.02), 0, 1)
        values.append((40 * claimed + right) / (40 + m))
    return counts, np.array(values), audited


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("last", [100, 200, 400])
def test_the_range_holds_the_rise_as_often_as_it_says(name, last):
    curve = CURVES[name]
    rise = curve(last + 50) - curve(last)
    made = [expected_rise(*estimates(curve, last, seed)) for seed in range(40)]
    held = [each.low <= rise <= each.high for each in made]
    assert np.mean(held) >= LEVEL - 0.12  # 2.5 standard errors of 40 cases
    assert all(each.low <= each.value <= each.high for each in made)


@pytest.mark.parametrize("last", [100, 200])
def test_models_of_few_labels_that_claim_too_much_neither_hide_a_rise_nor_end_the_labelling(last):
    curve = CURVES["power"]
    rise = curve(last + 50) - curve(last)
    made = [expected_rise(*estimates(curve, last, seed, early=0.25)) for seed in range(40)]
    assert np.mean([each.low <= rise <= each.high for each in made]) >= LEVEL - 0.12
    assert all(advice(each) != "stop" for each in made)


def test_a_model_s_own_claims_without_an_audit_are_no_curve():
    counts, values, audited = estimates(CURVES["power"], 200, 0)
    early = np.arange(2, 20)
    claims = np.full(len(early), 0.65)
    with_claims = (np.r_[early, counts], np.r_[claims, values], np.r_[0 * early, audited])
    assert expected_rise(*with_claims) == expected_rise(counts, values, audited)


def test_the_hint_says_stop_when_the_curve_is_flat_and_not_while_it_rises():
    def stopped(curve, last):
        made = [advice(expected_rise(*estimates(curve, last, seed))) for seed in range(30)]
        return np.mean([word == "stop" for word in made])

    assert stopped(CURVES["power"], 100) == 0
    assert stopped(CURVES["power"], 200) <= 0.1  # 1.2 points are still to come
    assert stopped(CURVES["power"], 800) == 1
    assert stopped(CURVES["flat"], 400) == 1


def test_it_cannot_be_said_with_few_estimates_few_audited_images_or_few_labels():
    counts, values, audited = estimates(CURVES["power"], 100, 0)
    assert expected_rise([], [], []) is None
    assert expected_rise(counts[-3:], values[-3:], audited[-3:]) is None
    assert expected_rise(counts[-5:], values[-5:], audited[-5:]) is None  # 60 to 100 labels
    assert expected_rise(counts[-6:], values[-6:], audited[-6:]) is not None  # 50 to 100
    few = np.minimum(audited, AUDITED - 1)
    assert expected_rise(counts, values, few) is None
    assert advice(None) == "too-early"
    assert expected_rise(counts, values, audited) == expected_rise(counts, values, audited)
