"""Draws by the same probabilities again and again."""

from typing import Any

import numpy as np
import pytest

from nextlabel.kernels.repeated_draws import RepeatedDraws

SKEWED = np.random.default_rng(0).random(1000) ** 40
PROBABILITIES = {
    "even": np.full(5000, 1 / 5000),
    "even, float32": np.full(5000, np.float32(1 / 5000)),
    "one": np.ones(1),
    "skewed": SKEWED / SKEWED.sum(),
    "some are 0": np.repeat([0.0, 0.02, 0.0], 50),
}


@pytest.mark.parametrize("name", PROBABILITIES)
def test_draws_are_those_of_numpy(name: str) -> None:
    p, ours, numpy_s = PROBABILITIES[name], RepeatedDraws(3), np.random.RandomState(3)
    for size in (None, 7, 5000, (3, 4), 0, None):
        drawn, expected = (each.choice(len(p), size, p=p) for each in (ours, numpy_s))
        np.testing.assert_array_equal(drawn, expected)
        assert np.shape(drawn) == np.shape(expected) and type(drawn) is type(expected)
    assert ours.randint(100) == numpy_s.randint(100)


def test_other_calls_between_are_those_of_numpy() -> None:
    p, other = np.full(8, 1 / 8), np.repeat([0.2, 0.05], 4)
    ours, numpy_s = RepeatedDraws(4), np.random.RandomState(4)
    calls: list[dict[str, Any]] = [
        {"a": 8, "size": 30, "p": p},
        {"a": 8, "size": 30, "p": other},
        {"a": 8, "size": 5, "p": p, "replace": False},
        {"a": 8, "size": 5},
        {"a": np.arange(10, 18), "size": 30, "p": p},
        {"a": 8, "size": 30, "p": p},
        {"a": 8, "size": 30, "p": p},
    ]
    for call in calls:
        np.testing.assert_array_equal(ours.choice(**call), numpy_s.choice(**call))


def test_probabilities_of_another_number_of_values_are_refused_each_time() -> None:
    p, draws = np.full(8, 1 / 8), RepeatedDraws(0)
    for count in (9, 8, 9):
        if count == 8:
            draws.choice(count, p=p)
        else:
            with pytest.raises(ValueError, match="same size"):
                draws.choice(count, p=p)


def test_marks_on_the_sums_belong_to_the_value_after() -> None:
    p = np.full(10, 0.1)
    draws = RepeatedDraws(0)
    draws.choice(10, p=p)
    sums = np.cumsum(p) / np.cumsum(p)[-1]
    marks = np.concatenate([[0.0], sums[:-1], np.nextafter(sums, 0)])
    assert draws._values_at(marks).tolist() == [0, *range(1, 10), *range(10)]
