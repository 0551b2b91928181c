"""Groups of candidates of similar gain, each with a memory of the coverage that it accounts for.

n candidates, m images; a number counts within the images.
"""

from dataclasses import dataclass

import numpy as np

from nextlabel.core.types import Ids
from nextlabel.kernels.coverage.tuning import HerdingTuning
from nextlabel.kernels.distance.exact import Floats


@dataclass(eq=False)
class GainGroup:
    """Candidates, ascending, and what their gains account for.

    Parameters
    ----------
    candidates
        Positions of open images.
    seen
        The squared distance of each image to its nearest centre as the gains account for it (m).
    bound
        At least the largest gain.
    delayed
        The gains are too high by at most this, beyond their error.

    """

    candidates: Ids
    seen: Floats
    bound: float
    delayed: float = 0.0


def gain_groups(upper: Floats, seen: Floats, tuning: HerdingTuning) -> list[GainGroup]:
    """Return groups of candidates by their upper bounds on gain (n), the largest first."""
    n = len(upper)
    count = max(1, min(tuning.groups, tuning.seen_values // max(len(seen), 1)))
    order = np.argsort(-upper, kind="stable")  # [n]
    step = max(tuning.tile_rows, -(-n // count))
    return [
        GainGroup(np.sort(order[start : start + step]), seen.copy(), float(upper[order[start]]))
        for start in range(0, n, step)
    ]
