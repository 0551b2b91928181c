"""A feature block by its name, with the settings of its table and of the training."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from nextlabel.core.errors import UsageError
from nextlabel.core.settings import check_keys, refusal, refusal_code
from nextlabel.core.space.block import Block
from nextlabel.models.settings import TrainingSettings

FILE_SUFFIXES = (".npy", ".npz", ".csv", ".tsv", ".parquet", ".pq")
"""Endings of the names of blocks that are files of embeddings."""


def is_file(name: str) -> bool:
    """Return whether a block is a file of embeddings: named by its path, or `file` itself."""
    return name == "file" or has_file_suffix(name)


def has_file_suffix(name: str) -> bool:
    """Return whether a name ends as those of files of embeddings do."""
    return Path(name).suffix in FILE_SUFFIXES


def make_block(name: str, options: Mapping[str, Any], training: TrainingSettings) -> Block:
    """Return the feature block `name`, a registered one or a file, with its settings.

    Device and precision are those of the training unless the block says otherwise.
    """
    from nextlabel.features.blocks import BLOCKS

    if not isinstance(name, str):
        raise UsageError(
            f"block {name!r} is not a name; give one in quotes, such as 'vae'",
            code="block-not-a-name",
        )
    file = is_file(name)
    block_class = BLOCKS["file" if file else name]
    inherited = {
        k: getattr(training, k) for k in ("device", "precision") if k in block_class.model_fields
    }
    path = {"path": name} if file and name != "file" else {}
    settings = inherited | path | dict(options)
    check_keys(block_class, settings, f"blocks.{name}.")
    try:
        return block_class(**settings)
    except ValidationError as error:
        raise UsageError(refusal(error, f"blocks.{name}"), code=refusal_code(error)) from error
