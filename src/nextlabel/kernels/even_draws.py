"""Random draws that make groups equally large.

n images, G groups.
"""

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.types import Array, Ids


def even_draws(
    groups: Array, free: NDArray[np.bool_], budget: int, rng: np.random.Generator
) -> Ids:
    """Draw images so that the groups get equally many, each from the group with the fewest.

    Images that are not free count as drawn before. Within a group each free image is as likely as
    another; between groups that tie, one is drawn. A group without free images is passed over.

    Parameters
    ----------
    groups
        The group of each image, any numbers, (n).
    free
        True for images that may be drawn, (n).
    budget
        The number of draws, at most the free images.
    rng
        The generator of all draws.

    Returns
    -------
    Ids
        Positions in the order of the draws, int64 (budget).
    """
    _, group = np.unique(groups, return_inverse=True)  # [n]
    count = np.bincount(group, weights=~free).astype(np.int64)  # [G]
    order = rng.permutation(np.flatnonzero(free))  # [free images]
    queues = [order[group[order] == g].tolist() for g in range(len(count))]
    drawn: list[int] = []
    while len(drawn) < budget:
        fewest = min(count[g] for g, queue in enumerate(queues) if queue)
        ties = [g for g, queue in enumerate(queues) if queue and count[g] == fewest]
        g = ties[int(rng.integers(len(ties)))]
        drawn.append(queues[g].pop())
        count[g] += 1
    return np.array(drawn, np.int64)
