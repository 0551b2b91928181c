"""Fitted blocks and task models in the cache: by what they depend on, and back bit for bit."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nextlabel.core.dataset import Dataset
from nextlabel.core.errors import UsageError
from nextlabel.core.learner import Training
from nextlabel.core.pool import Pool
from nextlabel.core.seeds import Seeds
from nextlabel.core.space.block import Block, EncodingBlock, FittedBlock
from nextlabel.core.types import Array
from nextlabel.features.block_file import load_block, save_block
from nextlabel.features.blocks.base import KeepsRows
from nextlabel.features.cache import Cache
from nextlabel.models.settings import TrainingSettings

ARTEFACT_VERSION = 3
"""To be raised when code changes what comes out of the same settings."""


def circumstances(data: Dataset, seeds: Seeds, training: TrainingSettings) -> dict[str, Any]:
    """Return what every artefact depends on in addition to its own settings."""
    import sklearn
    import torch

    from nextlabel.models.device import resolve_device

    return {
        "artefact": ARTEFACT_VERSION,
        "data": data.checksum,
        "seed": seeds.seed,
        "threads": training.threads,
        "device": resolve_device(training.device).type,
        "versions": [torch.__version__, np.__version__, sklearn.__version__],
    }


def fitted_block(
    block: Block,
    data: Dataset,
    seeds: Seeds,
    training: TrainingSettings,
    cache: Cache,
    progress: bool = False,
) -> FittedBlock:
    """Return a block as fitted to the images alone, now or taken from the cache.

    Parameters
    ----------
    block
        The block.
    data
        The data set; its labels are not read.
    seeds, training
        The trial's seeds and training settings, on which the result depends.
    cache
        The cache of fits and rows.
    progress
        Show a bar on stderr.

    Warns
    -----
    UserWarning
        The block finds a fault in the fit, also in one from the cache.
    """
    pool = Pool(len(data.train))
    if isinstance(block, KeepsRows):
        fitted = block.fit_kept(data, cache, progress)
    elif not block.cached:
        return block.fit(data, pool, None, 0, seeds)
    else:
        fitted, _ = cache.get(
            *_cache_entry(block, data, seeds, training),
            lambda: block.fit(data, pool, None, 0, seeds),
            save_block,
            load_block,
        )
    for message in block.warnings(fitted):
        warnings.warn(message, stacklevel=2)
    return fitted


def encoded_rows(block: Block, state: Mapping[str, Array], data: Dataset, cache: Cache) -> Array:
    """Return the rows (N, d) of a data set's train part by the state of an earlier fit.

    Parameters
    ----------
    block : Block
        The block, with the settings of that fit.
    state : mapping of str to array
        The state of that fit.
    data : Dataset
        Images that need not have been in it.
    cache : Cache
        The place of rows that are kept by content.

    Raises
    ------
    UsageError
        The block gives no rows of images that were not in its fit.
    """
    fitted = FittedBlock({}, state=state)
    if isinstance(block, KeepsRows):
        return block.encode_kept(fitted, data, "train", cache)
    if isinstance(block, EncodingBlock):
        return block.encode(fitted, data)
    raise UsageError(
        f"block {type(block).__name__} gives no rows of images that were not in its fit; use "
        "pretrained, vae, pca or pixels",
        code="block-cannot-encode",
    )


def has_block(
    block: Block, data: Dataset, seeds: Seeds, training: TrainingSettings, cache: Cache
) -> bool:
    """Say whether `fitted_block` would find the block in the cache."""
    return block.cached and cache.has(*_cache_entry(block, data, seeds, training))


def _cache_entry(
    block: Block, data: Dataset, seeds: Seeds, training: TrainingSettings
) -> tuple[str, dict[str, Any]]:
    """Return the kind and the identity under which the cache has a block."""
    name = type(block).__name__
    identity = {**circumstances(data, seeds, training), "block": name, **block.identity}
    if contents := getattr(block, "artefact", 0):
        identity["parts"] = contents
    return cache_folder(type(block)), identity


def cache_folder(block_class: type[Any]) -> str:
    """Return the folder of the cache that has the fits of a class of blocks."""
    return f"block-{block_class.__name__.lower()}"


def save_task_model(fitted: tuple[dict[str, Any], Training], path: Path) -> None:
    """Write a task model's state and the record of its training."""
    import torch

    state, training = fitted
    record = {
        k: getattr(training, k) for k in ("accuracy", "epochs", "steps", "weights", "reached")
    }
    torch.save({"state": state, "training": record}, path)


def load_task_model(path: Path) -> tuple[dict[str, Any], Training]:
    """Read what `save_task_model` wrote; the training counts as shared and took no time."""
    import torch

    file = torch.load(path, map_location="cpu", weights_only=True)
    return file["state"], Training(**file["training"], shared=True)
