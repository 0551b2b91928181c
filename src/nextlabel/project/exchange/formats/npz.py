"""Arrays of numpy: paths, labels and probabilities."""

from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from nextlabel.core.errors import DataError
from nextlabel.files.arrays import read_arrays
from nextlabel.project.exchange.content import Content
from nextlabel.project.exchange.formats import register
from nextlabel.project.exchange.given_answers import Given, Reading
from nextlabel.project.exchange.image_finder import ImageFinder
from nextlabel.project.labelling.project import Project


@register("npz")
class Npz:
    """Arrays with a row per file."""

    title: ClassVar[str] = "numpy arrays"
    suffix: ClassVar[str] = ".npz"

    def write(self, content: Content, target: Path, link: bool) -> None:
        """Write paths, sha256, classes, labels, and probabilities where there is a model.

        `labels` (N) holds class numbers, or 0 and 1 (N, K) of a multi-label project; -1 for an
        image without a label.
        """
        number = {name: k for k, name in enumerate(content.classes)}
        shape: tuple[int, ...] = (len(content.rows),)
        if content.task == "multilabel":
            shape = (*shape, len(number))
        labels = np.full(shape, -1, np.int64)
        for row, one in enumerate(content.rows):
            if one.labels is None:
                continue
            if content.task == "multilabel":
                labels[row] = 0
            columns = [number[name] for name in one.labels]
            if content.task == "multilabel":
                labels[row, columns] = 1
            else:
                labels[row] = columns[0]
        arrays: dict[str, Any] = {
            "paths": np.array([row.path for row in content.rows], np.str_),
            "sha256": np.array([row.sha256 for row in content.rows], np.str_),
            "classes": np.array(content.classes, np.str_),
            "labels": labels,
        }
        if content.probabilities is not None:
            arrays["probabilities"] = content.probabilities
        with target.open("wb") as stream:
            np.savez_compressed(stream, **arrays)

    def fits(self, path: Path) -> bool:
        """Return whether a file has the suffix of arrays."""
        return path.suffix.lower() == ".npz"

    def read(self, path: Path, project: Project) -> Reading:
        """Return the labels in the arrays paths or sha256, classes and labels."""
        arrays = read_arrays(path)
        if not isinstance(arrays, dict) or not {"paths", "classes", "labels"} <= arrays.keys():
            raise DataError(
                f"{path} lacks the arrays paths, classes and labels; export it again, or give CSV",
                code="arrays-missing",
            )
        paths, labels = arrays["paths"].tolist(), arrays["labels"]
        classes = tuple(map(str, arrays["classes"].tolist()))
        digests = arrays["sha256"].tolist() if "sha256" in arrays else [""] * len(paths)
        if len(labels) != len(paths) or len(digests) != len(paths) or labels.dtype.kind not in "iu":
            raise DataError(
                f"{path} has {len(labels)} labels ({labels.dtype}) for {len(paths)} paths; give a "
                "whole number for each",
                code="arrays-of-other-lengths",
            )
        if labels.size and not -1 <= labels.min() <= labels.max() < max(len(classes), 2):
            raise DataError(
                f"{path} has labels up to {labels.max()} for {len(classes)} classes; give numbers "
                "from 0, -1 for no label",
                code="label-out-of-range",
            )
        finder = ImageFinder(project)
        given: dict[int, Given] = {}
        for name, digest, label in zip(paths, digests, labels, strict=True):
            image = finder.image(name, digest)
            if image is not None and np.all(label >= 0):
                numbers = np.flatnonzero(label) if labels.ndim == 2 else [label]
                given[image] = Given(image, labels=tuple(classes[k] for k in numbers))
        return Reading(list(given.values()), classes, tuple(finder.unknown))
