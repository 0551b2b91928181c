"""Classifiers: a model of a person's labels, with all that it needs to predict other folders."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from nextlabel.core.errors import DataError, UsageError
from nextlabel.core.types import Array, Task
from nextlabel.features.block_creation import make_block
from nextlabel.features.cache import Cache
from nextlabel.features.fitted import encoded_rows
from nextlabel.features.kept_features import with_channels
from nextlabel.models.settings import TrainingSettings
from nextlabel.project.accuracy import class_accuracies, estimate_accuracy
from nextlabel.project.audit import AuditOrder
from nextlabel.project.block_model import BlockModel
from nextlabel.project.classifier_folder.card import card
from nextlabel.project.classifier_folder.file import read, write
from nextlabel.project.classifier_folder.stored_features import StoredBlock, StoredFeatures
from nextlabel.project.folder_features import encoding_blocks, folder_features
from nextlabel.project.folder_images import folder_images
from nextlabel.project.label_sources import audit_seed, folder_and_labels, passed_over
from nextlabel.project.labels import known_labels
from nextlabel.project.pipeline import DEFAULT, Pipeline
from nextlabel.project.prediction import Predictions

VERSIONS = ("nextlabel", "numpy", "scikit-learn", "torch")


@dataclass(frozen=True, eq=False)
class Classifier:
    """A model of a person's labels, and how images become the rows that it reads.

    Parameters
    ----------
    model : BlockModel
        The model.
    features : StoredFeatures
        The feature blocks, and the facts for the card.
    """

    model: BlockModel
    features: StoredFeatures

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the K classes."""
        return self.model.classes

    @property
    def task(self) -> Task:
        """The task: "multiclass" or "multilabel"."""
        return self.model.task

    @classmethod
    def fit(
        cls,
        folder: str | PathLike[str],
        labels: str | PathLike[str] | Sequence[str | PathLike[str]] = (),
        *,
        classes: Sequence[str] | None = None,
        pipeline: Pipeline = DEFAULT,
        cache_dir: str | PathLike[str] | None = None,
        refit: bool = False,
        progress: bool = False,
    ) -> "Classifier":
        """Return a classifier of the images of a folder.

        Parameters
        ----------
        folder
            The folder of images; or that of a project, for its images with its labels.
        labels
            A file of labels, or several: CSV with the columns path and label; or a project.
        classes
            The names of the classes; by default those that the labels have.
        pipeline
            The feature space and the model.
        cache_dir
            The folder of fitted features; the user's cache folder by default.
        refit
            Whether to learn the features again from all images that are there now.
        progress
            Whether to show progress on stderr.

        Returns
        -------
        Classifier
            The classifier. A warning names classes with one label, which it can hardly learn.

        Raises
        ------
        UsageError
            There is no such folder.
        DataError
            The images or the labels cannot be used, or all labels are of one class.
        """
        encoding_blocks(pipeline)  # refused before any image is read
        root, sources = folder_and_labels(folder, labels)
        if not sources:
            raise UsageError(
                f"{root} has no labels; give --labels FILE.csv, or the folder of a project",
                code="labels-not-given",
            )
        cache = Cache.open(None if cache_dir is None else Path(cache_dir))
        data = folder_images(root, pipeline.image_size, cache, progress=progress)
        assert data.train.names is not None
        labelled = known_labels(data.train.names, sources, classes)
        labelled.check()
        features = folder_features(root, data, pipeline, cache, refit=refit)
        model = pipeline.fit(features.rows, labelled)
        blocks = {
            name: StoredBlock(
                pipeline.blocks.get(name, {}),
                make_block(name, pipeline.blocks.get(name, {}), TrainingSettings()).identity,
                features.states[name],
            )
            for name in features.rows
        }
        probabilities = model.probabilities(features.rows)
        order = AuditOrder.of(features.digests, audit_seed(sources, pipeline.seed))
        passed = passed_over(data.train.names, sources, labelled)
        estimate = estimate_accuracy(features.rows, labelled, pipeline, order, passed)
        facts = {
            "folder": root.resolve().name,
            "images": len(features),
            "labelled": len(labelled),
            "estimate": asdict(estimate),
            "classes": [asdict(of) for of in class_accuracies(model, labelled, probabilities)],
            "versions": versions(),
        }
        return cls(model, StoredFeatures(blocks, pipeline.image_size, features.channels, facts))

    def predict(
        self,
        folder: str | PathLike[str],
        *,
        cache_dir: str | PathLike[str] | None = None,
        progress: bool = False,
    ) -> Predictions:
        """Return what the classifier makes of the images of a folder.

        Parameters
        ----------
        folder
            The folder of images; they need not be those of the fit.
        cache_dir
            The folder of fitted features; the user's cache folder by default.
        progress
            Whether to show progress on stderr.

        Returns
        -------
        Predictions
            One per image that can be read, sorted by name.

        Raises
        ------
        UsageError
            There is no such folder.
        DataError
            The images cannot be read, or the features are not those of the fit.
        """
        cache = Cache.open(None if cache_dir is None else Path(cache_dir))
        images, _ = folder_and_labels(folder)
        data = folder_images(images, self.features.image_size, cache, progress=progress, least=1)
        seen = with_channels(data, self.features.channels)
        rows: dict[str, Array] = {}
        for name, stored in self.features.blocks.items():
            block = make_block(name, stored.settings, TrainingSettings())
            check_identity(name, stored, block.identity)
            rows[name] = encoded_rows(block, stored.state, seen, cache)
        names = data.train.names
        assert names is not None
        return Predictions(
            names,
            self.classes,
            self.task == "multilabel",
            self.model.probabilities(rows),
            self.model.unlike(rows),
            data.train.images,
        )

    def save(self, folder: str | PathLike[str]) -> None:
        """Write the classifier to a folder, as JSON, safetensors and a card to read.

        Parameters
        ----------
        folder
            The folder; it is made if it is missing.

        Raises
        ------
        StoreError
            The files cannot be written.
        """
        settings = self.model.settings() | self.features.settings()
        arrays = self.model.arrays() | self.features.arrays()
        write(Path(folder), settings, arrays, card(self.model, self.features))

    @classmethod
    def load(cls, folder: str | PathLike[str]) -> "Classifier":
        """Read a classifier that `save` wrote.

        Parameters
        ----------
        folder
            The folder.

        Returns
        -------
        Classifier
            It predicts as the one that was saved.

        Raises
        ------
        UsageError
            There is no classifier in the folder.
        DataError
            Its files are damaged, were changed, or are of a newer version.
        """

        def rebuilt(settings: Mapping[str, Any], arrays: Mapping[str, Array]) -> "Classifier":
            return cls(BlockModel.of(settings, arrays), StoredFeatures.of(settings, arrays))

        return read(Path(folder), rebuilt)


def versions() -> str:
    """Return the versions that decide what comes out, in words."""
    from importlib.metadata import version

    return ", ".join(f"{name} {version(name)}" for name in VERSIONS)


def check_identity(name: str, stored: StoredBlock, here: Mapping[str, Any]) -> None:
    """Raise DataError when a block's weights are not those that the classifier was fitted with."""
    for key, value in stored.identity.items():
        if key.endswith("sha256") and here.get(key) != value:
            raise DataError(
                f"the classifier was fitted with weights of {name} whose {key} is "
                f"{str(value)[:12]}…, and here it is {str(here.get(key))[:12]}…; install the same "
                "weights, or fit it again",
                code="other-weights",
            )
