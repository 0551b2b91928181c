"""Registry of executors: one file per way to run trials, or one entry point of another package.

An executor is a class with the methods of `engine.executor.Executor` and a class method `of` that
makes one from a `Setup`:

    @register("local")
    class LocalExecutor:
        uses: ClassVar[frozenset[str]] = frozenset()

        @classmethod
        def of(cls, setup):
            return cls(setup.jobs or 1, setup.threads)

How the messages of a trial travel to the driver is the executor's own business: a pipe, a queue of
a cluster, a plain iterator. Another package leaves out the decorator and names the class in its
`pyproject.toml`:

    [project.entry-points."nextlabel.executors"]
    mine = "my_package:MyExecutor"

Modules here import their libraries inside functions, since all are imported to list the names.
"""

from nextlabel.core.errors import UsageError
from nextlabel.core.registry import Registry
from nextlabel.engine.executor import Executor, Setup

EXECUTORS: Registry[type[Executor]] = Registry("executor", __name__, "nextlabel.executors")
register = EXECUTORS.register


def create(name: str, setup: Setup) -> Executor:
    """Return the executor called `name`.

    Parameters
    ----------
    name : str
        A name of the registry.
    setup : Setup
        How many trials run at a time, with which folders, and the options of clusters.

    Raises
    ------
    UsageError
        When there is no such executor, or it does not have an option that was given.
    """
    executor_class = EXECUTORS[name]
    for option in setup.cluster_options - executor_class.uses:
        users = [other for other in EXECUTORS if option in EXECUTORS[other].uses]
        raise UsageError(
            f"executor {name!r} has no {option.replace('_', ' ')}; leave that option out, or give "
            f"--executor {' or '.join(users)}",
            code="option-of-another-executor",
        )
    return executor_class.of(setup)
