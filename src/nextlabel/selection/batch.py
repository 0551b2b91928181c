"""The next batch to label, from features or probabilities that a user has already."""

from collections.abc import Mapping
from typing import Any, Literal, TypedDict, Unpack, overload

from nextlabel.core.carried import Carried
from nextlabel.core.progress import ProgressCallback
from nextlabel.core.space.feature_space import Scale
from nextlabel.core.strategy import Strategy
from nextlabel.core.types import Array, Task
from nextlabel.selection.choice import Request, choose


class _Settings(TypedDict, total=False):
    """The settings of `select` that do not change the type of its result."""

    strategy: str | Strategy | type[Strategy] | None
    options: Mapping[str, Any] | None
    weights: Mapping[str, float] | None
    scale: Scale
    probabilities: object
    labelled: object
    excluded: object
    signals: Mapping[str, object] | None
    seed: int
    task: Task
    progress: ProgressCallback | None
    carried: Carried | None


@overload
def select(
    features: object = None,
    budget: int | None = None,
    *,
    return_scores: Literal[False] = False,
    **settings: Unpack[_Settings],
) -> Array: ...
@overload
def select(
    features: object = None,
    budget: int | None = None,
    *,
    return_scores: Literal[True],
    **settings: Unpack[_Settings],
) -> tuple[Array, Array]: ...
def select(
    features: object = None,
    budget: int | None = None,
    *,
    strategy: str | Strategy | type[Strategy] | None = None,
    options: Mapping[str, Any] | None = None,
    weights: Mapping[str, float] | None = None,
    scale: Scale = "rms",
    probabilities: object = None,
    labelled: object = (),
    excluded: object = (),
    signals: Mapping[str, object] | None = None,
    seed: int = 0,
    task: Task = "multiclass",
    return_scores: bool = False,
    progress: ProgressCallback | None = None,
    carried: Carried | None = None,
) -> Array | tuple[Array, Array]:
    """Return the images to label next, in the order of choice.

    Parameters
    ----------
    features
        One row of d numbers per image, shape (N, d), or a mapping of block names to such arrays,
        which `weights` and `scale` combine into one feature space (equation 6). An array may be a
        numpy array of any type (also memory-mapped), a tensor, nested lists, a pandas DataFrame,
        a Series of vectors, or the path of an .npy, .npz, CSV or Parquet file.
    budget
        The number of images to choose.
    strategy
        The name of a strategy (core-set by default; `nextlabel strategies` lists them), a strategy
        object, or a strategy class, which is called with `options`.
    options
        Settings of the strategy by name, for example {"neighbours": 10}. Those that are distances,
        such as `radius` and `bandwidth`, are distances in the feature space after `weights` and
        `scale`: with "rms" a radius of 0.5 is half the root-mean-square distance of a block's rows.
    weights
        The weight of each block; 1 where not named, and 0 leaves a block out.
    scale
        "rms" divides each block by its root-mean-square distance between images first, so that
        weights of different blocks can be compared; "unit" divides each row of a block by its
        length (distances as cosine similarity has them); "none" takes the rows as they are.
    probabilities
        The predicted probability of each class per image, shape (N, K), from 0 to 1. For two
        classes one column is enough, shape (N) or (N, 1): the probability of the second.
    labelled, excluded
        The images that are labelled already, and those that must not be chosen: ids (rows from 0
        to N - 1) in any sequence or set, a mask of N times true or false, or N labels that are
        NaN or None where they are unknown. Where rows have labels, these are meant instead of ids.
    signals
        Other signals that the strategy needs, by name: one row of numbers per image each.
    seed
        The number that decides everything random.
    task
        "multiclass" or "multilabel" (each probability is of its own).
    return_scores
        Whether to return the score of each image too; `nextlabel strategies` lists the score of
        each strategy. Some have none, which is an error here.
    progress
        Called with the number of images picked so far and the budget, at least once. It may raise
        an exception to stop.
    carried
        A `Carried` that is given to each of several rounds on the same images. MaxHerding,
        UHerding and ProbCover then begin with what they computed in the round before.

    Returns
    -------
    Array
        B ids, int64. Images with equal rows of features are copies of one picture: it is chosen
        once, and not at all when a copy of it is labelled. So B is `budget`, or fewer, with a
        warning, where only copies are left. Where the input has labels of rows, these instead of
        ids: the index of a DataFrame or Series, or the names in a file. With `return_scores` a
        tuple of these and the scores, float, both of length B. A score is that of the moment of
        choice, when all earlier picks count as labelled; it is NaN where the first pick has
        nothing to be compared with.

    Raises
    ------
    UsageError
        An argument does not fit; UnknownId, AlreadyLabelled and BudgetError are kinds of it. A
        budget above the number of unlabelled images is a BudgetError, and so is any budget when
        all of them are copies of labelled ones. It is a ValueError.
    DataError
        An array cannot be used; the message names the row. It is a ValueError.

    Examples
    --------
    >>> from nextlabel import select
    >>> features = [[0.0], [0.1], [5.0], [9.0]]
    >>> select(features, 2, labelled=[0])
    array([3, 2])
    >>> select(features, 1, strategy="typiclust", labelled={3})
    array([0])
    >>> select(features, 2, labelled=[0], scale="none", return_scores=True)
    (array([3, 2]), array([9., 4.]))

    """
    choice = choose(
        Request(
            features,
            budget,
            strategy,
            options,
            weights,
            scale,
            probabilities,
            labelled,
            excluded,
            signals,
            seed,
            task,
            progress,
            carried,
        ),
        scores="needed" if return_scores else "none",
    )
    chosen = choice.ids if choice.labels is None else choice.labels.of(choice.ids)
    if not return_scores:
        return chosen
    assert choice.scores is not None
    return chosen, choice.scores
