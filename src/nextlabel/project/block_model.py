"""The model of a person's labels: logistic regression on the rows of feature blocks.

N images of the pool, n of them labelled, d columns of all blocks, K classes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from nextlabel.core.errors import DataError, UsageError
from nextlabel.core.learner import Training
from nextlabel.core.space.scaled_blocks import ScaledBlocks
from nextlabel.core.space.scaling import rms_distance
from nextlabel.core.types import Array, Ids, Labels, Task
from nextlabel.models.classical import ClassicalModel, FittedClassical
from nextlabel.models.linear import LinearClassifier
from nextlabel.models.settings import ClassWeight, Regularisation
from nextlabel.models.task_models.linear import LinearSettings

FAR = 0.99
"""The share of the pool that lies nearer to a labelled image than one that resembles none."""
ENOUGH = 100
"""Images without a label from which on they alone say how far from the labelled the pool lies."""
PAIRS = 1 << 22
"""Distances in memory at a time."""


@dataclass(frozen=True, eq=False)
class BlockModel:
    """Logistic regression on feature blocks, and the labelled images of its fit.

    Parameters
    ----------
    classes : tuple of str
        The names of the K classes.
    units : mapping of str to float
        The number that each block's rows are divided by: its RMS distance over its weight.
    fitted : FittedClassical
        One regression, or one per finding.
    exemplars : float32 array (n, d)
        The scaled rows of the labelled images.
    reach : float
        The distance to the nearest of them beyond which an image resembles none.
    """

    classes: tuple[str, ...]
    units: Mapping[str, float]
    fitted: FittedClassical
    exemplars: Array
    reach: float

    @classmethod
    def fit(
        cls,
        rows: Mapping[str, Array],
        labelled: Ids,
        labels: Labels,
        classes: Sequence[str],
        task: Task = "multiclass",
        *,
        weights: Mapping[str, float] | None = None,
        regularisation: Regularisation = 10.0,
        class_weight: ClassWeight = "none",
    ) -> "BlockModel":
        """Return a model of labelled images.

        Parameters
        ----------
        rows : mapping of str to array (N, d)
            The rows of each feature block for the whole pool.
        labelled : int64 array (n)
            The rows of the labelled images.
        labels : int64 array (n) or (n, K)
            Their labels: class numbers, or 0 and 1 per class.
        classes : sequence of str
            The names of the K classes.
        task : str
            "multiclass" or "multilabel".
        weights : mapping of str to float, optional
            The weight of each block, 1 where not named; a block of weight 0 is left out.
        regularisation : float or "cv"
            The inverse strength of the regression, or "cv" for the best on held-out labels.
        class_weight : str
            "balanced" makes every class count the same.

        Returns
        -------
        BlockModel
            The model, with the temperature that its held-out predictions tell.

        Raises
        ------
        DataError
            The labels are all of one class.
        """
        blocks = scaled_pool(rows, weights)
        fitted = fit_regression(
            blocks, labelled, labels, len(classes), task, regularisation, class_weight
        )
        if not any(fitted.classifiers):
            raise DataError(
                f"all {len(labelled)} labels are of one class; label images of a second one",
                code="one-class-only",
            )
        exemplars = blocks.rows(labelled).astype(np.float32)
        distances = nearest_distances(blocks, exemplars, labelled)
        free = np.setdiff1d(np.arange(len(blocks)), labelled)
        reach = float(np.quantile(distances[free] if len(free) >= ENOUGH else distances, FAR))
        return cls(tuple(classes), blocks.units, fitted, exemplars, reach)

    @property
    def task(self) -> Task:
        """The task: "multiclass" or "multilabel"."""
        return self.fitted.task

    def probabilities(self, rows: Mapping[str, Array]) -> Array:
        """Return the probability of each class.

        Parameters
        ----------
        rows : mapping of str to array (N, d)
            The rows of each block, for any images.

        Returns
        -------
        float32 array (N, K)
            Rows sum to 1 for a multi-class task. A class without a label has probability 0.
        """
        return self.fitted.infer(self._scaled(rows)).probabilities

    def unlike(self, rows: Mapping[str, Array]) -> Array:
        """Return which images resemble no labelled one.

        Parameters
        ----------
        rows : mapping of str to array (N, d)
            The rows of each block, for any images.

        Returns
        -------
        bool array (N)
            True when the nearest labelled image is farther than for 99% of the images of the fit
            that have no label. Where these are fewer than 100, the labelled ones count as well,
            each by its distance to the nearest other one.
        """
        return nearest_distances(self._scaled(rows), self.exemplars) > self.reach

    def _scaled(self, rows: Mapping[str, Array]) -> ScaledBlocks:
        missing = [name for name in self.units if name not in rows]
        if missing:
            raise UsageError(
                f"features lack the blocks {', '.join(missing)} of the classifier; give a row of "
                "each",
                code="missing-block",
            )
        blocks = ScaledBlocks({name: rows[name] for name in self.units}, self.units)
        width, of_fit = sum(blocks.widths), self.exemplars.shape[1]
        if width != of_fit:
            raise DataError(
                f"features have {width} columns and the classifier's have {of_fit}; use the "
                "features that it was fitted to",
                code="other-features",
            )
        return blocks

    def settings(self) -> dict[str, Any]:
        """Return all that is not an array, as JSON values."""
        return {
            "task": self.task,
            "classes": list(self.classes),
            "units": dict(self.units),
            "models": [None if c is None else c.classes_.tolist() for c in self.fitted.classifiers],
            "temperature": self.fitted.temperature,
            "train_accuracy": self.fitted.training.accuracy,
            "reach": self.reach,
        }

    def arrays(self) -> dict[str, Array]:
        """Return the arrays by name."""
        arrays = {"constants": self.fitted.constants, "exemplars": self.exemplars}
        for number, model in enumerate(self.fitted.classifiers):
            if isinstance(model, LinearClassifier):
                arrays[f"models/{number}/coefficients"] = model.coefficients
                arrays[f"models/{number}/intercepts"] = model.intercepts
        return arrays

    @classmethod
    def of(cls, settings: Mapping[str, Any], arrays: Mapping[str, Array]) -> "BlockModel":
        """Return the model that `settings` and `arrays` came from."""
        models = tuple(
            None
            if classes is None
            else LinearClassifier(
                np.array(classes, np.int64),
                arrays[f"models/{number}/coefficients"],
                arrays[f"models/{number}/intercepts"],
            )
            for number, classes in enumerate(settings["models"])
        )
        classes = tuple(settings["classes"])
        fitted = FittedClassical(
            models,
            arrays["constants"],
            len(classes),
            settings["task"],
            settings["temperature"],
            ScaledBlocks({"labelled": arrays["exemplars"]}, {"labelled": 1.0}),
            Training(settings["train_accuracy"], 0, 0, "none"),
        )
        return cls(classes, settings["units"], fitted, arrays["exemplars"], settings["reach"])


def scaled_pool(
    rows: Mapping[str, Array], weights: Mapping[str, float] | None = None
) -> ScaledBlocks:
    """Return the pool's rows as equation 6 has them; a block of weight 0 is left out."""
    used = {name: 1.0 for name in rows} | dict(weights or {})
    kept = {name: array for name, array in rows.items() if used[name]}
    distances = {name: partial(rms_distance, array) for name, array in kept.items()}
    return ScaledBlocks.of(kept, used, distances)


def fit_regression(
    blocks: ScaledBlocks,
    labelled: Ids,
    labels: Labels,
    classes: int,
    task: Task = "multiclass",
    regularisation: Regularisation = 10.0,
    class_weight: ClassWeight = "none",
) -> FittedClassical:
    """Return a regression, or one per finding, with the temperature of its held-out predictions.

    Parameters
    ----------
    blocks : ScaledBlocks
        The rows of the pool (N), as `scaled_pool` returns them.
    labelled, labels, task, regularisation, class_weight
        As for `BlockModel.fit`.
    classes : int
        The number K of classes.
    """
    settings = LinearSettings(
        blocks=dict.fromkeys(blocks.arrays, 1.0),  # `scaled_pool` has applied the weights
        regularisation=regularisation,
        class_weight=class_weight,
        temperature="cv",
    )
    return ClassicalModel(settings, task, classes).train(blocks, labelled, labels)


def nearest_distances(blocks: ScaledBlocks, exemplars: Array, own: Ids | None = None) -> Array:
    """Return the distance (N) of each row to the nearest exemplar (n, d), float64.

    `own` (n) are the rows that the exemplars are; each is then compared with the others alone.
    """
    lengths = (exemplars.astype(np.float64) ** 2).sum(axis=1)  # [n]
    nearest = np.empty(len(blocks))
    step = max(1, PAIRS // len(exemplars))
    for start in range(0, len(blocks), step):
        tile = blocks.take(slice(start, start + step))
        partial_squares = lengths - 2 * tile.products(exemplars)  # [step, n]
        if own is not None:
            columns = np.flatnonzero((own >= start) & (own < start + step))
            partial_squares[own[columns] - start, columns] = np.inf
        squares = (tile.rows() ** 2).sum(axis=1)
        nearest[start : start + step] = partial_squares.min(axis=1) + squares
    return np.asarray(np.sqrt(np.maximum(nearest, 0)))
