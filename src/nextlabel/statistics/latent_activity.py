"""The activity of latent dimensions: whether a fitted VAE learned anything of its images.

N images, L latent dimensions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.types import Array

ACTIVE = 0.01
"""A dimension is active where its posterior mean has a larger variance than this."""
FEWEST_ACTIVE = 1 / 8
"""A VAE with a smaller share of active dimensions has learned little."""
LOGGED = ("active_units", "latent", "brightness")
"""The names under which the last epoch of a block's log has the activity."""
MOST_BRIGHTNESS = 0.8
"""A VAE of whose means brightness explains more has learned little else."""


@dataclass(frozen=True)
class Activity:
    """The numbers that say whether a fitted VAE learned anything of its images.

    Parameters
    ----------
    active_units
        The number of dimensions whose posterior mean has a variance above 0.01 over the images
        [Burda, Grosse and Salakhutdinov 2016, https://arxiv.org/abs/1509.00519].
    latent
        The number of dimensions.
    brightness
        The share of the variance of the posterior means that the mean brightness of an image
        explains, by a straight line; 0 where nothing varies.
    """

    active_units: int
    latent: int
    brightness: float

    @property
    def asleep(self) -> bool:
        """True for under an eighth of the dimensions active, or little else than brightness."""
        return (
            self.active_units == 0
            or self.active_units < FEWEST_ACTIVE * self.latent
            or self.brightness > MOST_BRIGHTNESS
        )

    def numbers(self) -> dict[str, float]:
        """Return the numbers by the names under which a block's log has them."""
        return {name: getattr(self, name) for name in LOGGED}

    def __str__(self) -> str:
        """Return the numbers as part of a sentence."""
        verb = "varies" if self.active_units == 1 else "vary"
        return (
            f"{self.active_units} of {self.latent} latent dimensions {verb} from image to image, "
            f"and brightness explains {100 * self.brightness:.0f}% of what they tell"
        )


def activity(means: Array, brightness: NDArray[np.floating]) -> Activity:
    """Return the activity of posterior means.

    Parameters
    ----------
    means
        Posterior means, shape (N, L).
    brightness
        The mean pixel value of each image, shape (N,), in any unit.
    """
    centred = np.asarray(means, np.float64)
    centred = centred - centred.mean(axis=0)
    bright = np.asarray(brightness, np.float64)
    bright = bright - bright.mean()
    variances = (centred**2).mean(axis=0)
    spread, total = float((bright**2).mean()), float(variances.sum())
    explained = 0.0
    if spread > 0 and total > 0:
        explained = float((((centred * bright[:, None]).mean(axis=0)) ** 2).sum() / spread / total)
    return Activity(int((variances > ACTIVE).sum()), centred.shape[1], min(1.0, explained))


def logged_activity(log: Sequence[Mapping[str, float]]) -> Activity | None:
    """Return the activity that a block's log ends with; None where it has none."""
    last = log[-1] if log else {}
    if "active_units" not in last:
        return None
    return Activity(int(last["active_units"]), int(last["latent"]), last["brightness"])
