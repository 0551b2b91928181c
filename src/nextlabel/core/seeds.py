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
        """Return a random generator for a stream.

        Parameters
        ----------
        name : str
            The name of the stream, for example "select".
        *index : int
            Numbers that tell streams of one name apart, for example the round.

        Returns
        -------
        numpy.random.Generator
            A new generator at the start of the stream.
        """
        return np.random.default_rng(self._sequence(name, index))

    def integer(self, name: str, *index: int) -> int:
        """Return the seed of a stream as a number.

        Parameters
        ----------
        name : str
            The name of the stream.
        *index : int
            Numbers that tell streams of one name apart.

        Returns
        -------
        int
            A number from 0 to 2^63 - 1, for generators that take one, such as torch's.
        """
        return int(self._sequence(name, index).generate_state(1, np.uint64)[0] >> np.uint64(1))

    def _sequence(self, name: str, index: tuple[int, ...]) -> np.random.SeedSequence:
        words = np.frombuffer(hashlib.sha256(name.encode()).digest(), np.uint32)
        return np.random.SeedSequence([self.seed, *map(int, words[:4]), *index])
