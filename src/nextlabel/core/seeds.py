"""Named random streams: independent of each other, from (seed, name, index)."""

import hashlib
from dataclasses import dataclass

import numpy as np

from nextlabel.core.errors import UsageError


@dataclass(frozen=True)
class Seeds:
    """A family of random streams: draws from one never shift the draws from another.

    Parameters
    ----------
    seed
        A whole number of at least 0.

    Raises
    ------
    UsageError
        The seed is negative.

    """

    seed: int

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise UsageError(f"seed {self.seed} is negative; give 0 or more", code="seed-negative")

    def rng(self, name: str, *index: int) -> np.random.Generator:
        """Return a fresh numpy generator for the stream `name`, for example `rng("select", 3)`."""
        return np.random.default_rng(self._sequence(name, index))

    def integer(self, name: str, *index: int) -> int:
        """Return a 63-bit number for generators that take one, such as torch's."""
        return int(self._sequence(name, index).generate_state(1, np.uint64)[0] >> np.uint64(1))

    def _sequence(self, name: str, index: tuple[int, ...]) -> np.random.SeedSequence:
        words = np.frombuffer(hashlib.sha256(name.encode()).digest(), np.uint32)
        return np.random.SeedSequence([self.seed, *map(int, words[:4]), *index])
