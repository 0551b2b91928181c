"""Components of a mixture that ended as one."""

import pytest

from nextlabel.statistics.mixture_collapse import collapsed


@pytest.mark.parametrize(
    ("components", "distinct", "expected"),
    [
        (10.0, 1.02, True),  # all alike
        (10.0, 1.4, True),
        (1.0, 1.0, True),  # one takes all
        (1.44, 1.44, False),  # two of 0.88 and 0.12, far apart
        (9.5, 8.1, False),
        (10.0, 1.6, False),
    ],
)
def test_components_that_ended_as_one(components, distinct, expected):
    first = {"elbo": -1.0, "components": 10.0, "distinct": 9.0}
    assert collapsed([first, {"components": components, "distinct": distinct}]) is expected


def test_without_components_nothing_collapses():
    assert not collapsed([]) and not collapsed([{"elbo": -3.0}])
