"""Scores of picks that are made already: the value by which each was the best when picked.

N images, L labelled ids, B picks in the order of choice, n open (unlabelled) images. Each
pick counts as labelled for those after it. All distances are direct differences in float64.
"""

from collections.abc import Iterator

import numpy as np

from nextlabel.core.pool import Pool
from nextlabel.core.space.embedding import Embedding
from nextlabel.core.types import Ids
from nextlabel.kernels.coverage.gaussian_kernel import gaussian
from nextlabel.kernels.distance.exact import Floats, Metric
from nextlabel.kernels.distance.tiles import Distances, nearest_squared_distances


def nearest_labelled_distances(features: Embedding, labelled: Ids, chosen: Ids) -> Floats:
    """Return the distance of each pick to the nearest labelled or earlier picked image.

    Parameters
    ----------
    features
        N rows.
    labelled, chosen
        Ids, int64 (L) and (B).

    Returns
    -------
    Floats
        Distances in the space of the features, shape (B); NaN for a first pick with nothing
        labelled.
    """
    metric = Metric(features)
    nearest = [
        squared.min() if len(squared) else np.nan
        for squared in _to_earlier(metric, labelled, chosen)
    ]
    return np.sqrt(np.array(nearest, np.float64)) / metric.distance_unit  # [B]


def mean_squared_distances(features: Embedding, labelled: Ids, chosen: Ids) -> Floats:
    """Return the mean squared distance of each pick to all labelled or earlier picked images.

    Parameters
    ----------
    features
        N rows.
    labelled, chosen
        Ids, int64 (L) and (B).

    Returns
    -------
    Floats
        Squared distances in the space of the features, shape (B); NaN for a first pick with
        nothing labelled.
    """
    metric = Metric(features)
    means = [
        squared.mean() if len(squared) else np.nan
        for squared in _to_earlier(metric, labelled, chosen)
    ]
    return np.array(means, np.float64) / metric.distance_unit**2  # [B]


def _to_earlier(metric: Metric, labelled: Ids, chosen: Ids) -> Iterator[Floats]:
    """Yield for pick k its squared distances, (L + k), to all labelled or picked before it."""
    both = np.concatenate([labelled, chosen])
    for k, pick in enumerate(chosen.tolist()):
        yield metric.squared_distances(both[: len(labelled) + k], metric.row(pick))


def coverage_gains(
    features: Embedding, pool: Pool, chosen: Ids, bandwidth: float, image_weights: Floats
) -> Floats:
    """Return by how much each pick raises Σ_x w_x max_s k(x, s), s labelled or picked.

    Parameters
    ----------
    features
        N rows.
    pool
        The labelled images before the first pick.
    chosen
        Ids, int64 (B).
    bandwidth
        σ of the kernel exp(-d²/σ²), a distance in the space of the features.
    image_weights
        A number of at least 0 per image, shape (N).

    Returns
    -------
    Floats
        Rises, shape (B).
    """
    metric = Metric(features)
    open_ids, n = pool.unlabelled, len(pool.unlabelled)
    sigma = bandwidth * metric.distance_unit
    both = Distances(metric, np.concatenate([open_ids, pool.labelled]))
    covered = gaussian(
        nearest_squared_distances(both, np.arange(n), np.arange(n, len(both))), sigma * sigma
    )  # [n]
    scores = np.zeros(len(chosen))  # [B]
    for k, pick in enumerate(chosen.tolist()):
        squared = metric.squared_distances(open_ids, metric.row(pick))  # [n]
        similar = np.maximum(gaussian(squared, sigma * sigma), covered)  # [n]
        scores[k] = (similar - covered) @ image_weights[open_ids]
        covered = similar
    return scores
