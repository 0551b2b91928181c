"""Images to ask next, in the order of the queue and then at random."""

from collections.abc import Collection, Sequence

import numpy as np

from nextlabel.project.labelling.models import QueueItem
from nextlabel.project.labelling.state import State
from nextlabel.project.scanning.images import ProjectImages


def serve_next(
    state: State,
    queue: Sequence[QueueItem],
    images: ProjectImages,
    leased: Collection[int],
    count: int,
    exclude: Collection[int],
) -> list[QueueItem]:
    """Return up to `count` images that may be asked."""
    passed = {*leased, *exclude}

    def free(image: int) -> bool:
        return not (
            image in passed
            or image in state.labels
            or image in state.skipped
            or image in state.unsure
            or images.problems[image] is not None
            or images.gone[image]
        )

    chosen = [item for item in queue if free(item.image)][:count]
    passed |= {item.image for item in chosen}
    order = np.random.default_rng(0).permutation(len(images)).tolist()
    for image in order:
        if len(chosen) >= count:
            break
        if free(image):
            chosen.append(QueueItem(0, image, "random", audit=True))
    return chosen
