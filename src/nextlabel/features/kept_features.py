"""Features of a folder of images: fitted once, and kept while images come and go."""

import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from nextlabel.core.dataset import Dataset
from nextlabel.core.seeds import Seeds
from nextlabel.core.space.block import Block
from nextlabel.core.types import Array
from nextlabel.data.folder.copies import first_by_content
from nextlabel.data.resize import to_channels
from nextlabel.features.cache import Cache, keep
from nextlabel.features.fitted import encoded_rows, fitted_block
from nextlabel.files.arrays import in_folder, of_folder
from nextlabel.files.digest import values_digest
from nextlabel.models.settings import TrainingSettings

KIND = "folder-features"
"""The folder of the cache that holds the features."""
VERSION = 1
"""To be raised when code changes what comes out of the same settings."""


@dataclass(frozen=True)
class Changes:
    """The names of the images that differ from the time before, sorted.

    Parameters
    ----------
    first : bool
        True when the folder was never read before; nothing is listed then.
    added, changed, gone : tuple of str
        Images that are new, have other content, or are not there any more.
    refitted : bool
        True when the rows of all images come from a new fit.
    """

    first: bool = True
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    refitted: bool = False


@dataclass(frozen=True, eq=False)
class FolderFeatures:
    """The images of a folder, with one row of each feature block per image.

    Parameters
    ----------
    names : tuple of str
        The file name of each of the N images, relative to the folder, sorted.
    digests : tuple of str
        The sha256 of each file.
    rows : mapping of str to float32 array (N, d)
        The rows of each block.
    states : mapping of str to mapping of str to array
        The state of each block's fit, from which images of other folders get rows.
    channels : int
        1 when the blocks were fitted to grey images, 3 for RGB.
    changes : Changes
        The difference to the time before.
    faults : tuple of str
        What the blocks warned of at their fits.
    """

    names: tuple[str, ...]
    digests: tuple[str, ...]
    rows: Mapping[str, Array]
    states: Mapping[str, Mapping[str, Array]]
    channels: int
    changes: Changes = field(default_factory=Changes)
    faults: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def row_of(self) -> Mapping[str, int]:
        """The row of each name."""
        return {name: row for row, name in enumerate(self.names)}


def kept_features(
    identity: Mapping[str, Any],
    data: Dataset,
    blocks: Mapping[str, Block],
    cache: Cache,
    *,
    seeds: Seeds,
    training: TrainingSettings,
    refit: bool = False,
    progress: bool = False,
    begin: Callable[[str], None] = lambda block: None,
) -> FolderFeatures:
    """Return the features of a folder's images, fitted now or taken from the cache.

    The blocks are fitted when the folder is read for the first time. Later the fits stay, so that
    the rows of images that are there already do not move; new images get rows by the same fits.
    When all earlier images have left, the blocks are fitted again.

    Parameters
    ----------
    identity : mapping of str to JSON values
        What the features are found again by: the folder, and the settings that decide the rows.
    data : Dataset
        The folder's images, as its train part, with the digest of each file.
    blocks : mapping of str to Block
        The blocks by name, each an `EncodingBlock`.
    cache : Cache
        The place where features are kept.
    seeds : Seeds
        The seeds of a fit.
    training : TrainingSettings
        The settings that a fit depends on in addition to those of the block.
    refit : bool
        Fit the blocks again, to all images that are there now.
    progress : bool
        Show the progress of a fit on stderr, where a block has any to show.
    begin : callable
        Called with the name of each block before its rows are computed.

    Returns
    -------
    FolderFeatures
        One row of each block per image, and what has changed.

    Warns
    -----
    UserWarning
        A block finds a fault in its fit, also in one that is kept.
    """
    path = cache.folder / KIND / values_digest({"version": VERSION, **identity})
    before = _load(path)
    names = data.train.names
    assert names is not None
    digests = data.train.contents
    assert digests is not None
    same = before is not None and (before.names, before.digests) == (names, digests)
    if before is not None and not same and not set(before.digests) & set(digests):
        refit = True  # no image of the fit is left
    if before is not None and not refit:
        for message in before.faults:
            warnings.warn(message, stacklevel=2)
        if same:
            return replace(before, changes=Changes(first=False))
    states: Mapping[str, Mapping[str, Array]]
    if before is None or refit:
        fits = {}
        for name, block in blocks.items():
            begin(name)
            fits[name] = fitted_block(block, data, seeds, training, cache, progress)
        rows = {name: np.asarray(fit.rows("train"), np.float32) for name, fit in fits.items()}
        states, channels = {name: fit.state for name, fit in fits.items()}, data.image_shape[0]
        faults = tuple(said for name, fit in fits.items() for said in blocks[name].warnings(fit))
    else:
        states, channels, faults = before.states, before.channels, before.faults
        rows = _extend(before, data, digests, blocks, cache, begin)
    # Batches of other sizes round in other ways; a copy is known by its equal row.
    first = np.array(first_by_content(digests), np.int64)
    rows = {name: of_block[first] for name, of_block in rows.items()}
    changes = replace(_changes(before, names, digests), refitted=refit)
    after = FolderFeatures(names, digests, rows, states, channels, changes, faults)
    keep(path, after, _save)
    return after


def _extend(
    before: FolderFeatures,
    data: Dataset,
    digests: tuple[str, ...],
    blocks: Mapping[str, Block],
    cache: Cache,
    begin: Callable[[str], None],
) -> dict[str, Array]:
    """Return the rows of the present images: kept ones, and those of new ones by the same fits."""
    before_by_digest = {digest: row for row, digest in enumerate(before.digests)}
    kept = np.array([before_by_digest.get(digest, -1) for digest in digests])
    new = np.flatnonzero(kept < 0)
    rows = {name: of_block[kept] for name, of_block in before.rows.items()}
    if len(new):
        fresh = with_channels(data.subset(train=new), before.channels)
        for name, block in blocks.items():
            begin(name)
            rows[name][new] = encoded_rows(block, before.states[name], fresh, cache)
    return rows


def with_channels(data: Dataset, channels: int) -> Dataset:
    """Return a data set whose train images have 1 or 3 channels."""
    pixels = to_channels(data.train.images, channels)
    return replace(data, train=replace(data.train, images=pixels))


def _changes(
    before: FolderFeatures | None, names: tuple[str, ...], digests: tuple[str, ...]
) -> Changes:
    if before is None:
        return Changes()
    old = dict(zip(before.names, before.digests, strict=True))
    new = dict(zip(names, digests, strict=True))
    return Changes(
        first=False,
        added=tuple(name for name in new if name not in old),
        changed=tuple(name for name in new if name in old and old[name] != new[name]),
        gone=tuple(name for name in old if name not in new),
    )


def _save(features: FolderFeatures, path: Path) -> None:
    arrays: dict[str, Any] = in_folder("rows", features.rows)
    for name, state in features.states.items():
        arrays |= in_folder(f"state/{name}", state)
    facts = {k: getattr(features, k) for k in ("names", "digests", "channels", "faults")}
    with path.open("wb") as stream:
        np.savez(stream, facts=np.array(json.dumps(facts)), **arrays)


def _load(path: Path) -> FolderFeatures | None:
    """Return what `_save` wrote; None when it is not there, or cannot be read."""
    try:
        with np.load(path, allow_pickle=False) as file:
            facts = json.loads(str(file["facts"]))
            rows = of_folder("rows", file)
            states = {name: of_folder(f"state/{name}", file) for name in rows}
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None
    return FolderFeatures(
        tuple(facts["names"]),
        tuple(facts["digests"]),
        rows,
        states,
        facts["channels"],
        faults=tuple(facts.get("faults", ())),  # earlier versions kept none
    )
