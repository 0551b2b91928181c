"""Inputs of the kernels: the features and the ids of a selection, checked together."""

from nextlabel.core.pool import Pool
from nextlabel.core.space.embedding import Embedding
from nextlabel.core.types import as_ids
from nextlabel.kernels.distance.exact import Metric


def metric_and_pool(
    features: object, labelled: object, excluded: object, budget: int
) -> tuple[Metric, Pool]:
    """Return the distances between the images, and the pool of those to choose from.

    Parameters
    ----------
    features
        An Embedding or one array (N, d) of real numbers.
    labelled, excluded
        Ids, or masks (N) of true and false.
    budget
        The number of ids to pick.

    Raises
    ------
    DataError
        The features are not a table of finite numbers.
    UnknownId, AlreadyLabelled, BudgetError
        The ids or the budget do not fit the pool.
    """
    embedding = Embedding.of(features)
    size = len(embedding)
    pool = Pool(size, as_ids(labelled, size), as_ids(excluded, size))
    pool.check_budget(budget)
    return Metric(embedding), pool
