"""Progress reaches the callback of its block alone, and without one it goes nowhere."""

import pytest

from nextlabel.core.progress import picked, reporting_to, trained


def test_picks_and_epochs_are_reported_within_the_block():
    outer, inner = [], []
    picked(1, 9)  # no callback
    with reporting_to(lambda *numbers: outer.append(numbers)):
        picked(1, 3)
        with reporting_to(lambda *numbers: inner.append(numbers)):
            trained(2, 5)
        with reporting_to(None):
            picked(2, 3)
        picked(3, 3)
    picked(4, 9)
    assert outer == [(1, 3), (3, 3)] and inner == [(2, 5)]


def test_a_callback_may_stop_the_work():
    def stop(done, of):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), reporting_to(stop):
        picked(1, 3)
    picked(2, 3)  # the callback is gone
