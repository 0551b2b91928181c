import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextlabel.statistics.latent_activity import Activity, activity, logged_activity


def test_active_dimensions_are_those_that_vary() -> None:
    rows = np.array([[1.0, 0.1, 0.09, 5.0], [-1.0, -0.1, -0.09, 5.0]])  # variances 1, .01, .0081, 0
    learned = activity(np.repeat(rows, 50, axis=0) * [1, 1.001, 1, 1], np.arange(100.0) % 2)
    assert (learned.active_units, learned.latent) == (2, 4)
    assert learned.brightness == pytest.approx(0.0, abs=1e-9)


def test_brightness_explains_what_a_line_through_it_explains() -> None:
    bright = np.random.default_rng(0).uniform(0, 255, 400)
    other = np.random.default_rng(1).normal(size=400)
    means = np.column_stack([bright / 50, other, np.zeros(400)])
    share = activity(means, bright).brightness
    # R² of each dimension by least squares, weighed by the variances
    design = np.column_stack([np.ones(400), bright])
    left = sum(np.linalg.lstsq(design, column, rcond=None)[1][0] for column in means.T[:2])
    assert share == pytest.approx(1 - left / (400 * means.var(axis=0).sum()))
    assert activity(means[:, :1], 3 * bright + 7).brightness == pytest.approx(1)


def test_what_does_not_vary_has_numbers_too() -> None:
    assert activity(np.ones((5, 3)), np.arange(5.0)) == Activity(0, 3, 0.0)
    assert activity(np.eye(3), np.ones(3)).brightness == 0
    assert activity(np.zeros((1, 2)), np.zeros(1)) == Activity(0, 2, 0.0)


@pytest.mark.parametrize(
    ("active", "latent", "brightness", "asleep"),
    [
        (3, 32, 0.1, True),
        (4, 32, 0.1, False),
        (0, 4, 0.0, True),
        (1, 4, 0.5, False),
        (32, 32, 0.81, True),
        (32, 32, 0.8, False),
    ],
)
def test_a_vae_sleeps_with_few_dimensions_or_brightness_alone(
    active: int, latent: int, brightness: float, asleep: bool
) -> None:
    assert Activity(active, latent, brightness).asleep is asleep


@given(st.integers(0, 40), st.floats(0, 1))
def test_a_log_gives_back_what_it_was_given(active: int, brightness: float) -> None:
    learned = Activity(active, 40, brightness)
    assert logged_activity([{"kl": 1.0}, {"kl": 2.0, **learned.numbers()}]) == learned
    assert logged_activity([{**learned.numbers()}, {"kl": 2.0}]) is None
    assert logged_activity([]) is None


def test_numbers_read_as_a_sentence() -> None:
    assert str(Activity(1, 32, 0.987)) == (
        "1 of 32 latent dimensions varies from image to image, and brightness explains 99% of what "
        "they tell"
    )
    assert "2 of 32 latent dimensions vary from" in str(Activity(2, 32, 0.5))
