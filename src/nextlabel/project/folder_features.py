"""Features of a person's folder, by the blocks of a pipeline."""

from collections.abc import Callable
from pathlib import Path

from nextlabel.core.dataset import Dataset
from nextlabel.core.errors import UsageError
from nextlabel.core.seeds import Seeds
from nextlabel.core.space.block import Block
from nextlabel.features.block_creation import make_block
from nextlabel.features.cache import Cache
from nextlabel.features.kept_features import FolderFeatures, kept_features
from nextlabel.models.settings import TrainingSettings
from nextlabel.project.pipeline import Pipeline


def folder_features(
    folder: Path,
    data: Dataset,
    pipeline: Pipeline,
    cache: Cache,
    *,
    refit: bool = False,
    begin: Callable[[str], None] = lambda block: None,
) -> FolderFeatures:
    """Return the features of a folder's images, fitted now or kept from the time before.

    Parameters
    ----------
    folder : Path
        The folder, by whose path the features are found again.
    data : Dataset
        Its images, as `folder_images` returns them.
    pipeline : Pipeline
        The blocks and their settings.
    cache : Cache
        The place where features are kept.
    refit : bool
        Fit the blocks again, to all images that are there now.
    begin : callable
        Called with the name of each block before its rows are computed.

    Returns
    -------
    FolderFeatures
        One row of each block per image, and what has changed.

    Raises
    ------
    UsageError
        A block is unknown, needs labels, or cannot give rows of images that were not in its fit.
    """
    decisive = {"features", "blocks", "image_size", "seed"}
    identity = {
        "folder": str(folder.resolve()),
        **pipeline.model_dump(mode="json", include=decisive),
    }
    return kept_features(
        identity,
        data,
        encoding_blocks(pipeline),
        cache,
        seeds=Seeds(pipeline.seed),
        training=TrainingSettings(),
        refit=refit,
        begin=begin,
    )


def encoding_blocks(pipeline: Pipeline) -> dict[str, Block]:
    """Return the feature blocks of a pipeline by name; nothing is read or fitted.

    Raises
    ------
    UsageError
        A block is unknown, needs labels, or cannot give rows of images that were not in its fit;
        or the pipeline is something else.
    """
    if not isinstance(pipeline, Pipeline):
        raise UsageError(
            f"pipeline of type {type(pipeline).__name__} is not a Pipeline; make one by "
            "nextlabel.project.pipeline.Pipeline(strategy='margin'), for example",
            code="not-a-pipeline",
        )
    blocks: dict[str, Block] = {}
    for name in pipeline.features:
        block = make_block(name, pipeline.blocks.get(name, {}), TrainingSettings())
        # Not by isinstance, which would compute the block's identity and import torch for it.
        if block.supervised or not hasattr(type(block), "encode"):
            raise UsageError(
                f"block {name!r} cannot give rows of images that were not in its fit; use "
                "pretrained, vae, pca or pixels",
                code="block-cannot-encode",
            )
        blocks[name] = block
    return blocks
