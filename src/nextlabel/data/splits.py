"""Parts and subsets, drawn at random by named seeds."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.dataset import Images
from nextlabel.core.errors import DataError, UsageError
from nextlabel.core.seeds import Seeds
from nextlabel.core.types import Ids, Part
from nextlabel.data.settings import DataSettings
from nextlabel.data.source import Raw
from nextlabel.files.scratch import gather

STREAMS: Mapping[Part, str] = {"test": "test", "validation": "validation", "train": "subset"}


def divide(raw: Raw, settings: DataSettings) -> dict[Part, Images]:
    """Return train, validation and test with the numbers of images that the settings ask for.

    First test, then validation is drawn from the labelled images of train where the source has
    no such part; then what is left is thinned. Each draw has a stream of its own and is a plain
    random one, not stratified: the share of a class varies as it would in a random sample. So a
    seed gives one validation set for every `train`, and a smaller `train` is within a larger
    one. Rows keep the source's order; a part drawn from train says so in `drawn_from`. Raises
    UsageError when more is asked for than there is.
    """
    seeds, train = Seeds(settings.seed), raw.parts["train"]
    left = np.arange(len(train), dtype=np.int64)
    taken: list[str] = []
    parts: dict[Part, Images] = {}
    for part in ("test", "validation"):
        asked = settings.test if part == "test" else settings.validation
        rng = seeds.rng(STREAMS[part])
        if part in raw.parts:
            images = raw.parts[part]
            parts[part] = _take(images, _draw(np.arange(len(images)), asked, rng, part, []))
            continue
        size = raw.drawn.get(part, 0) if asked is None else asked
        chosen = _draw(left[_known(train)[left]], size, rng, part, taken, labelled=True)
        left = np.setdiff1d(left, chosen, assume_unique=True)
        parts[part] = replace(_take(train, chosen), drawn_from="train")
        taken.append(f"{part} {size}")
    if not len(left):
        spent = f" after {' and '.join(taken)}; lower these" if taken and len(train) else ""
        raise DataError(
            f"{raw.name}: no training image is left{spent or '; add images'}",
            code="no-training-images",
        )
    chosen = _draw(left, settings.train, seeds.rng(STREAMS["train"]), "train", taken)
    parts["train"] = _take(train, chosen)
    return parts


def _known(images: Images) -> NDArray[np.bool_]:
    """Return which images have a label, bool (N)."""
    if images.labels is None or not len(images):
        return np.zeros(len(images), bool)
    labels = images.labels.reshape(len(images), -1)
    return np.asarray((labels >= 0).all(axis=1), bool)


def _draw(
    rows: Ids,
    size: int | None,
    rng: np.random.Generator,
    part: Part,
    taken: list[str],
    labelled: bool = False,
) -> Ids:
    """Return `size` of the rows, ascending; all of them for None."""
    if size is None or size == len(rows):
        return rows
    if size > len(rows):
        noun = "labelled images" if labelled else "images"
        left = f" left after {' and '.join(taken)}" if taken else ""
        raise UsageError(
            f"{part} {size} exceeds the {len(rows)} {noun}{left}; lower {part} to {len(rows)}"
            + (" or lower the others" if taken else ""),
            code="part-too-large",
        )
    return np.sort(rng.permutation(rows)[:size])


def _take(images: Images, rows: Ids) -> Images:
    """Return the rows; all of them without a copy, so that a memory-mapped array stays one."""
    if len(rows) == len(images):
        return images
    return images.take(rows, gather(images.images, rows))
