"""Features of all images of a data set, a folder or a file."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import ValidationError

from nextlabel.core.errors import DataError, UsageError, nearest
from nextlabel.core.progress import reporting_to
from nextlabel.core.seeds import Seeds
from nextlabel.core.settings import as_options, refusal, refusal_code
from nextlabel.core.space.block import EncodingBlock
from nextlabel.core.types import PARTS
from nextlabel.data.folder.settings import FolderSettings
from nextlabel.data.folder.summary import FolderSummary
from nextlabel.data.loading import load_from
from nextlabel.data.one_pool import one_pool
from nextlabel.data.registry import SOURCES, settings_for
from nextlabel.data.settings import DataSettings
from nextlabel.data.source import Source
from nextlabel.data.sources.arrays import ArraysSettings
from nextlabel.data.sources.folder import Folder
from nextlabel.features.block_creation import make_block
from nextlabel.features.cache import Cache
from nextlabel.features.embedding_file import EmbeddingFile
from nextlabel.features.fitted import fitted_block
from nextlabel.features.kept_features import Changes, kept_features
from nextlabel.files.progress_bar import progress_bar
from nextlabel.models.settings import TrainingSettings


def embed(
    data: str | PathLike[str],
    block: str = "vae",
    *,
    options: Mapping[str, Any] | None = None,
    image_size: int | None = None,
    data_dir: str | PathLike[str] | None = None,
    cache_dir: str | PathLike[str] | None = None,
    seed: int = 0,
    threads: int = 1,
    unreadable: Literal["refuse", "skip"] = "refuse",
    follow_links: bool = False,
    unique: bool = False,
    reading: Mapping[str, Any] | None = None,
    progress: bool = False,
    refit: bool = False,
    on_summary: Callable[[FolderSummary], None] | None = None,
    on_changes: Callable[[Changes], None] | None = None,
) -> EmbeddingFile:
    """Learn features of images without labels, and return one row per image.

    The block is fitted to the train part of a data set (its pool), or to all images of a folder and
    of an .npy or .npz file without `split`. The fit of a folder is kept: when images come and go,
    the rows of the others stay as they are, and new images get rows by the same fit.

    Parameters
    ----------
    data
        The path of a folder of images, of an .npy or .npz file of images, or the name of a data
        set, such as "digits".
    block
        The name of a feature block: "vae", "pca" or "pixels", or that of another package.
    options
        Settings of the block by name, for example {"latent": 16}.
    image_size
        The height and width in pixels to which images are resized; by default the data set's.
    data_dir
        The folder of the data sets.
    cache_dir
        The folder of fitted features; the user's cache folder by default.
    seed
        The number that decides everything random.
    threads
        The number of processor threads.
    unreadable
        "refuse" raises an error for an image of a folder that cannot be read; "skip" leaves it out.
    follow_links
        Whether to follow links that lead out of a folder.
    unique
        Whether to read only the first of the files of a folder that have equal bytes.
    reading
        Other settings of `[data]` for a folder, by name: {"channels": [0, 2], "page": 0}.
    progress
        Whether to show the progress on stderr: of a download, of reading, of training.
    refit
        Whether to learn the features of a folder again, from all images that are there now.
    on_summary
        Called at the end with the numbers of a folder: images, files read now, files left out.
    on_changes
        Called at the end with the images of a folder that differ from the time before.

    Returns
    -------
    EmbeddingFile
        `features`, float32 (N, d), and what each row shows: file `names` for a folder, else `part`
        and `row`. Rows are in the order train, validation, test. `save(path)` writes an .npz file
        that `select` reads.

    Raises
    ------
    UsageError
        The data set, file or block does not exist, the block needs labels, or a setting is wrong.
    DataError
        An image cannot be used, or there are fewer than 2.

    Examples
    --------
    >>> from nextlabel import embed, select
    >>> embedding = embed("digits", "pixels", image_size=8)
    >>> embedding.features.shape
    (1797, 64)
    >>> len(select(embedding.features, 5))
    5
    """
    import torch

    torch.set_num_threads(threads)
    data = str(data)
    data_folder = None if data_dir is None else Path(data_dir)
    walking = {"unreadable": unreadable, "follow_links": follow_links, "unique": unique}
    settings = _settings(data, walking, reading or {})
    training = TrainingSettings(threads=threads)
    maker = make_block(block, as_options(options, {"latent": 16}), training)
    if maker.supervised:
        raise UsageError(
            f"block {block!r} needs labels, and embed uses none; give another block, for example "
            "vae, or use it in an experiment",
            code="block-needs-labels",
        )
    cache = Cache.open(None if cache_dir is None else Path(cache_dir))
    settings = settings_for(settings)
    folder = Folder(settings) if isinstance(settings, FolderSettings) else None
    source: Source = SOURCES[settings.name](settings) if folder is None else folder
    images = load_from(
        source,
        settings,
        image_size=image_size,
        data_dir=data_folder,
        progress=progress,
        cache=cache,
    )
    pool, part = one_pool(images) if folder is not None else (images, None)
    if len(pool.train) < 2:
        raise DataError(
            f"{data} holds {len(pool.train)} images; give at least 2", code="too-few-images"
        )
    if folder is not None:
        identity = {
            "embed": block,
            "block": maker.identity,
            "folder": str(Path(data).resolve()),
            "data": settings.model_dump(mode="json", exclude={"path"}),
            "image_size": image_size,
            "seed": seed,
        }
        with _bar("training", progress):
            kept = kept_features(
                identity,
                pool,
                {block: maker},
                cache,
                seeds=Seeds(seed),
                training=training,
                refit=refit or not isinstance(maker, EncodingBlock),
                progress=progress,
            )
        if on_summary is not None:
            on_summary(folder.summary(image_size))
        if on_changes is not None:
            on_changes(kept.changes)
        return EmbeddingFile(kept.rows[block], kept.names, part)
    with _bar("training", progress):
        fitted = fitted_block(maker, pool, Seeds(seed), training, cache, progress)
    parts = [part for part in PARTS if part in fitted.features]
    features = np.concatenate([fitted.rows(part) for part in parts]).astype(np.float32)
    sources, rows = zip(*(pool.source_rows(part) for part in parts), strict=True)
    sizes = [len(of_part) for of_part in rows]
    return EmbeddingFile(
        features,
        part=np.repeat(parts, sizes),
        source=np.repeat(sources, sizes),
        row=np.concatenate(rows),
        data=pool.name,
        sources=pool.sources,
    )


def _settings(data: str, walking: Mapping[str, Any], reading: Mapping[str, Any]) -> DataSettings:
    """Return how to read a folder, an .npy or .npz file, or a data set; no new parts are drawn.

    `walking` and `reading` are options of a folder; for other data, `reading` must be empty.
    """
    path = Path(data)
    whole: dict[str, Any] = {"path": path, "validation_fraction": 0, "test_fraction": 0}
    if data and path.is_dir():
        try:
            return FolderSettings(classes="none", **walking, **reading, **whole)
        except ValidationError as error:
            raise UsageError(refusal(error), code=refusal_code(error)) from error
    if path.suffix.lower() not in (".npy", ".npz"):
        if data not in SOURCES:
            folders = [str(p) for p in path.parent.glob("*/") if data and path.parent.is_dir()]
            raise UsageError(
                f"there is neither a folder nor a data set {data!r}; "
                f"{nearest(data, [*SOURCES, *folders])}",
                code="no-such-folder",
            )
        _refuse(data, reading)
        return DataSettings(name=data)
    if not path.exists():
        raise UsageError(
            f"there is no such file {data}; give a data set, a folder, or a file of images",
            code="no-such-file",
        )
    _refuse(data, reading)
    return ArraysSettings(**whole)


def _refuse(data: str, reading: Mapping[str, Any]) -> None:
    if reading:
        raise UsageError(
            f"{data} is not a folder of images and takes no {', '.join(sorted(reading))}; leave "
            "that out",
            code="option-not-of-source",
        )


@contextmanager
def _bar(word: str, shown: bool) -> Iterator[None]:
    """Show the progress of the work inside the block, once it reports any."""
    bars: list[Any] = []

    def show(done: int, total: int) -> None:
        if not bars:
            bars.append(progress_bar(desc=word, total=total))
        bars[0].update(done - bars[0].n)

    with reporting_to(show if shown else None):
        try:
            yield
        finally:
            for bar in bars:
                bar.close()
