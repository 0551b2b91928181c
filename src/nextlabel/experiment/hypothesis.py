"""Hypotheses: claims about arms that are stated before the run."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from nextlabel.core.errors import UsageError, nearest
from nextlabel.core.settings import Settings


class Hypothesis(Settings):
    """A claim stated before the run: the mean AUBC of `arms` is above that of `against`.

    The two means are compared seed by seed.
    """

    name: str = Field(min_length=1)
    """The claim in words."""
    arms: tuple[str, ...] = Field(min_length=1, strict=False)
    """Arms whose mean is claimed to be higher."""
    against: tuple[str, ...] = Field(min_length=1, strict=False)
    """Arms to compare with."""
    alternative: Literal["greater", "two-sided"] = "greater"
    """"greater" is a one-sided test, "two-sided" claims a difference in any direction."""

    def check(self, names: Sequence[str]) -> None:
        """Raise UsageError for an arm that is not in `names`, or is named twice."""
        stated = [*self.arms, *self.against]
        for arm in stated:
            if arm not in names:
                raise UsageError(
                    f"hypothesis {self.name!r} names {arm!r}, which is not an arm; "
                    f"{nearest(arm, names)}",
                    code="unknown-arm",
                )
            if stated.count(arm) > 1:
                raise UsageError(
                    f"hypothesis {self.name!r} names arm {arm!r} twice; name each arm once, on one "
                    "side",
                    code="named-twice",
                )
