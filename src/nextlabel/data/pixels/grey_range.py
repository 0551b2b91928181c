"""Rules by which values of more than 8 bits become grey levels: percentiles, numbers, or all."""

import re
from dataclasses import dataclass
from typing import Literal

from nextlabel.core.errors import UsageError

DEFAULT = "p0.1-p99.9"
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?"
_PERCENTILES = re.compile(rf"p({_NUMBER})-p({_NUMBER})")
_NUMBERS = re.compile(rf"({_NUMBER})-({_NUMBER})")


@dataclass(frozen=True)
class GreyRange:
    """The values that become black and white: by rank, by value, or the smallest and largest.

    `low` and `high` are percents for "percentiles", values for "numbers", unused for "all".
    """

    kind: Literal["percentiles", "numbers", "all"]
    low: float = 0
    high: float = 100

    @classmethod
    def parse(cls, text: str) -> "GreyRange":
        """Return the rule that "p0.5-p99.5", "0-4095" or "min-max" names; UsageError for others."""
        words = text.strip().lower()
        if words == "min-max":
            return cls("all")
        by_rank, by_value = _PERCENTILES.fullmatch(words), _NUMBERS.fullmatch(words)
        match = by_rank or by_value
        if match is not None:
            low, high = float(match[1]), float(match[2])
            if low < high and (by_rank is None or (low >= 0 and high <= 100)):
                return cls("numbers" if by_rank is None else "percentiles", low, high)
        raise UsageError(
            f"range {text!r} is not a rule; give percentiles as p0.5-p99.5, values as 0-4095, or "
            "min-max",
            code="range-unknown",
        )
