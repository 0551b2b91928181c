"""Predictions: what a classifier makes of a folder of images, as a table and as a page."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.types import Array
from nextlabel.data.lists.answers import label_text

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Predictions:
    """The predictions of a classifier for N images.

    Parameters
    ----------
    names : tuple of str
        The file name of each image, relative to the folder.
    classes : tuple of str
        The names of the K classes.
    multilabel : bool
        True when an image may show several classes, or none.
    probabilities : float32 array (N, K)
        The probability of each class.
    unlike : bool array (N)
        True for an image that resembles nothing that was labelled.
    images : uint8 array (N, C, H, W)
        The images at the classifier's size, for the gallery.
    """

    names: tuple[str, ...]
    classes: tuple[str, ...]
    multilabel: bool
    probabilities: Array
    unlike: Array
    images: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.names)

    @property
    def labels(self) -> tuple[str, ...]:
        """The predicted label of each image; several are joined by a semicolon."""
        if not self.multilabel:
            return tuple(self.classes[k] for k in self.probabilities.argmax(axis=1))
        return tuple(
            label_text([self.classes[k] for k in np.flatnonzero(row > 0.5)])
            for row in self.probabilities
        )

    @property
    def confidences(self) -> Array:
        """The probability (N) of the label; of the least sure finding where there are several."""
        if not self.multilabel:
            return np.asarray(self.probabilities.max(axis=1))
        return np.asarray(np.maximum(self.probabilities, 1 - self.probabilities).min(axis=1))

    @property
    def counts(self) -> Mapping[str, int]:
        """The number of images per class."""
        if self.multilabel:
            return dict(zip(self.classes, (self.probabilities > 0.5).sum(0).tolist(), strict=True))
        numbers = np.bincount(self.probabilities.argmax(axis=1), minlength=len(self.classes))
        return dict(zip(self.classes, numbers.tolist(), strict=True))

    def to_frame(self) -> "pd.DataFrame":
        """Return a table: path, label, confidence, unlike, and a column p_<class> per class."""
        import pandas as pd

        facts = {
            "path": self.names,
            "label": self.labels,
            "confidence": self.confidences,
            "unlike": self.unlike,
        }
        chances = {f"p_{name}": self.probabilities[:, k] for k, name in enumerate(self.classes)}
        return pd.DataFrame(facts | chances)

    def to_csv(self) -> str:
        """Return the table as CSV, with four decimals; `unlike` is yes or empty."""
        stream = io.StringIO()
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(["path", "label", "confidence", "unlike", *(f"p_{c}" for c in self.classes)])
        rows = zip(
            self.names, self.labels, self.confidences, self.unlike, self.probabilities, strict=True
        )
        for name, label, sure, unlike, chances in rows:
            numbers = [f"{chance:.4f}" for chance in chances]
            table.writerow([name, label, f"{sure:.4f}", "yes" if unlike else "", *numbers])
        return stream.getvalue()
