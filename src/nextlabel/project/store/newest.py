"""The newest numbers of a project's logs: what a copy in memory must be up to date with."""

from typing import NamedTuple


class Newest(NamedTuple):
    """The newest numbers of a project.

    Parameters
    ----------
    answer, class_change, model : int
        The last number of each log; 0 before any.
    images : int
        The number of changes of the images.
    """

    answer: int = 0
    class_change: int = 0
    model: int = 0
    images: int = 0


QUERY = (
    "SELECT (SELECT max(seq) FROM answers), (SELECT max(seq) FROM class_changes), "
    "(SELECT max(version) FROM models), (SELECT number FROM versions WHERE name = 'images')"
)
"""As text, since building it again takes longer than its execution."""
