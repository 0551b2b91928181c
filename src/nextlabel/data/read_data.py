"""Files of read data sets, whose images are memory-mapped arrays that all processes share."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nextlabel.core.dataset import Dataset, Images
from nextlabel.core.types import PARTS

VERSION = 2
"""To be raised when reading gives other pixels or labels than before."""


@dataclass(frozen=True, eq=False)
class ReadData:
    """A data set as it was read, and the warnings that reading gave."""

    data: Dataset
    warnings: Sequence[str] = ()


def save(read: ReadData, path: Path) -> None:
    """Write the images of all parts as one .npy array, and after it everything else as JSON.

    Parameters
    ----------
    read : ReadData
        The data set; all of its images have one shape.
    path : Path
        The file to write.
    """
    data = read.data
    parts = [data.part(part) for part in PARTS]
    facts = {
        "name": data.name,
        "task": data.task,
        "classes": data.classes,
        "sources": dict(data.sources),
        "notes": dict(data.notes),
        "parts": [_facts(part) for part in parts],
        "warnings": list(read.warnings),
    }
    shape = (sum(map(len, parts)), *data.image_shape)
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    with path.open("wb") as stream:
        np.lib.format.write_array_header_1_0(stream, header)
        for part in parts:
            stream.write(np.ascontiguousarray(part.images).data)
        stream.write(json.dumps(facts).encode())


def load(path: Path) -> ReadData:
    """Return what `save` wrote; the images are read-only memory-mapped arrays.

    Raises ValueError, KeyError or OSError for a file that is damaged or cut short.
    """
    pixels = np.load(path, mmap_mode="r")
    with path.open("rb") as stream:
        stream.seek(pixels.offset + pixels.nbytes)
        facts = json.loads(stream.read())
    ends = np.cumsum([part["count"] for part in facts["parts"]])
    train, validation, test = (
        _part(pixels[end - part["count"] : end], part)
        for part, end in zip(facts["parts"], ends, strict=True)
    )
    data = Dataset(
        facts["name"],
        facts["task"],
        tuple(facts["classes"]),
        train,
        validation,
        test,
        facts["sources"],
        facts["notes"],
    )
    return ReadData(data, facts["warnings"])


def _facts(part: Images) -> dict[str, Any]:
    assert part.origin is not None
    labels = part.labels
    return {
        "count": len(part),
        "labels": None if labels is None else labels.tolist(),
        "columns": None if labels is None else labels.shape[1:],
        "origin": part.origin.tolist(),
        "names": part.names,
        "drawn_from": part.drawn_from,
        "contents": part.contents,
    }


def _part(pixels: Any, facts: dict[str, Any]) -> Images:
    labels = facts["labels"]
    if labels is not None:
        labels = np.array(labels, np.int64).reshape(facts["count"], *facts["columns"])
    names, contents = facts["names"], facts["contents"]
    return Images(
        pixels,
        labels,
        np.array(facts["origin"], np.int64),
        None if names is None else tuple(names),
        facts["drawn_from"],
        None if contents is None else tuple(contents),
    )
