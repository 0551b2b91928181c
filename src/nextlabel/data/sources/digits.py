"""The 1,797 handwritten digits that come with scikit-learn [Alpaydin & Kaynak 1998], 8×8, grey.

https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits
"""

from collections.abc import Mapping

import numpy as np

from nextlabel.core.dataset import Images
from nextlabel.core.types import Part
from nextlabel.data.download import FileLocator
from nextlabel.data.registry import register
from nextlabel.data.settings import DataSettings
from nextlabel.data.source import Raw, SourceInfo
from nextlabel.files.digest import content_digest

CLASSES = tuple("0123456789")
DRAWN: Mapping[Part, int] = {"validation": 300, "test": 300}


@register("digits")
class Digits:
    """Embedded, so nothing is downloaded; by default 1,197 train, 300 validate and 300 test."""

    settings_class = DataSettings

    def __init__(self, settings: DataSettings) -> None: ...

    @classmethod
    def info(cls, name: str, locator: FileLocator) -> SourceInfo:
        """Return the facts about the digits."""
        return SourceInfo(
            name, "multiclass", CLASSES, {"train": 1197, **DRAWN}, (1, 8, 8), "embedded"
        )

    def read(self, image_size: int | None, locator: FileLocator) -> Raw:
        """Return all digits as the part to draw from; their 17 grey levels become 0 … 255."""
        from sklearn.datasets import load_digits

        bunch = load_digits()
        images = np.rint(bunch.images * (255 / 16)).astype(np.uint8)[:, None]
        labels = bunch.target.astype(np.int64)
        digest = content_digest(images.tobytes() + labels.astype("<i8").tobytes())
        parts: dict[Part, Images] = {"train": Images(images, labels)}
        return Raw("digits", "multiclass", CLASSES, parts, DRAWN, {"digits": digest})
