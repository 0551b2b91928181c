"""Krippendorff's alpha against the examples of its author."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextlabel.statistics.krippendorff import krippendorff_alpha


def rows(*texts: str) -> np.ndarray:
    """Return values written as characters, with a point where there is none."""
    return np.array([[-1 if c == "." else ord(c) for c in text] for text in texts], np.int64)


@pytest.mark.parametrize(
    ("values", "alpha"),
    [
        (rows("0100000010", "1110010000"), 0.095),  # Krippendorff 2011, section A
        (rows("aabbdcccedda", "babbbcccEddd".lower()), 0.692),  # section B
        (rows("123321412...", "12332241 25.3".replace(" ", ""), ".33323422 51.".replace(" ", ""),
              "123324412 51.".replace(" ", "")), 0.743),  # section C
        (rows(".....3412113 3.3".replace(" ", ""), "1.21334 3.......".replace(" ", ""),
              "..21344.2113 3.4".replace(" ", "")), 0.691),  # 3 people, 15 units
    ],
)  # fmt: skip
def test_published_examples(values: np.ndarray, alpha: float) -> None:
    assert krippendorff_alpha(values) == pytest.approx(alpha, abs=0.0005)


def test_it_is_not_defined_without_pairs_or_without_variation() -> None:
    assert np.isnan(krippendorff_alpha(rows("ab..", "..ab")))
    assert np.isnan(krippendorff_alpha(rows("aaa", "aaa")))
    assert krippendorff_alpha(rows("abab", "abab")) == 1.0


@given(st.lists(st.lists(st.integers(-1, 3), min_size=6, max_size=6), min_size=2, max_size=4))
def test_it_is_the_ratio_of_disagreements_that_defines_it(given_rows: list[list[int]]) -> None:
    values = np.array(given_rows)
    units = [[v for v in column if v >= 0] for column in values.T]
    units = [unit for unit in units if len(unit) > 1]
    pooled = [v for unit in units for v in unit]
    n = len(pooled)
    observed = sum(
        sum(a != b for i, a in enumerate(unit) for j, b in enumerate(unit) if i != j)
        / (len(unit) - 1)
        for unit in units
    )
    expected = sum(a != b for i, a in enumerate(pooled) for j, b in enumerate(pooled) if i != j)
    alpha = krippendorff_alpha(values)
    if not expected:
        assert np.isnan(alpha)
    else:
        assert alpha == pytest.approx(1 - (observed / n) / (expected / (n * (n - 1))))
