"""The feature space of a project: one row of each block per image, as far as they are there.

N images; the row of an image is its id.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from nextlabel.core.space.scaled_blocks import ScaledBlocks
from nextlabel.core.space.scaling import rms_distance
from nextlabel.core.types import Array, Ids
from nextlabel.files.atomic import replacing


@dataclass(frozen=True, eq=False)
class Space:
    """The rows of a project's images, and which images have one.

    Parameters
    ----------
    name : str
        What people read: "PCA of thumbnails".
    rows : mapping of str to float32 array (N, d)
        The rows of each block.
    there : bool array (N)
        Which images have rows; the others have the mean.
    key : str
        All that decides the rows, as a digest or a word.
    state : mapping of str to array
        What encodes further images, where the space keeps it itself.
    """

    name: str
    rows: Mapping[str, Array]
    there: Array
    key: str = ""
    state: Mapping[str, Array] = field(default_factory=dict)
    _scaled: dict[tuple[tuple[str, float], ...], ScaledBlocks] = field(
        default_factory=dict, repr=False
    )

    def __len__(self) -> int:
        return len(self.there)

    @property
    def unplaced(self) -> Ids:
        """The images without a row."""
        return np.flatnonzero(~self.there)

    @property
    def blocks(self) -> ScaledBlocks:
        """The rows of equal scale: each block divided by its RMS distance."""
        return self.scaled({})

    def scaled(self, weights: Mapping[str, float]) -> ScaledBlocks:
        """Return the rows as a model reads them; a block of weight 0 is left out.

        Every round needs the same, so the result is kept.
        """
        used = dict.fromkeys(self.rows, 1.0) | {k: v for k, v in weights.items() if k in self.rows}
        key = tuple(sorted(used.items()))
        if key not in self._scaled:
            self._scaled[key] = self._made(used)
        return self._scaled[key]

    def _made(self, used: Mapping[str, float]) -> ScaledBlocks:
        kept = {name: rows for name, rows in self.rows.items() if used[name]}
        of_images = {name: rows[self.there] for name, rows in kept.items()}
        distances = {name: partial(rms_distance, rows) for name, rows in of_images.items()}
        return ScaledBlocks.of(kept, used, distances)

    def grown(self, count: int) -> "Space":
        """Return the space of `count` images; those that it lacks are not there."""
        if count <= len(self):
            return self
        rows = {name: _padded(of_block, self.there, count) for name, of_block in self.rows.items()}
        there = np.concatenate([self.there, np.zeros(count - len(self), bool)])
        return replace(self, rows=rows, there=there, _scaled={})

    def save(self, path: Path) -> None:
        """Write the space to a file, complete or not at all; OSError when it cannot be written."""
        arrays: dict[str, Any] = {f"rows/{name}": rows for name, rows in self.rows.items()}
        arrays |= {f"state/{name}": array for name, array in self.state.items()}
        facts = json.dumps({"name": self.name, "key": self.key})
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as unfinished, unfinished.open("wb") as stream:
            np.savez(stream, facts=np.array(facts), there=self.there, **arrays)

    @classmethod
    def load(cls, path: Path) -> "Space | None":
        """Read what `save` wrote; None when it is not there, or cannot be read."""
        try:
            with np.load(path, allow_pickle=False) as file:
                facts = json.loads(str(file["facts"]))
                rows = {key[5:]: file[key] for key in file.files if key.startswith("rows/")}
                state = {key[6:]: file[key] for key in file.files if key.startswith("state/")}
                return cls(facts["name"], rows, file["there"], facts["key"], state)
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return None

    @classmethod
    def placed(
        cls,
        name: str,
        rows: Mapping[str, Array],
        ids: Ids,
        count: int,
        key: str = "",
        state: Mapping[str, Array] | None = None,
    ) -> "Space":
        """Return the space of `count` images in which the images `ids` (n) have the rows (n, d)."""
        there = np.zeros(count, bool)
        there[ids] = True
        spread = {}
        for block, of_block in rows.items():
            out = np.empty((count, of_block.shape[1]), np.float32)
            out[:] = of_block.mean(axis=0) if len(of_block) else 0
            out[ids] = of_block
            spread[block] = out
        return cls(name, spread, there, key, state or {})


def _padded(rows: Array, there: Array, count: int) -> Array:
    mean = rows[there].mean(axis=0) if there.any() else np.zeros(rows.shape[1], np.float32)
    more = np.repeat(mean[None].astype(np.float32), count - len(rows), axis=0)
    return np.concatenate([rows, more])
