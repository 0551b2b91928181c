"""Facts of a worker process that tests ask for; the worker imports this file by its name."""

import sys


def modules():
    """Return the names of the modules that are imported."""
    return set(sys.modules)


def thread_pools():
    """Return the number of threads of each library that computes."""
    import sklearn.metrics  # noqa: F401 - brings its own BLAS and OpenMP
    import threadpoolctl

    return [library["num_threads"] for library in threadpoolctl.threadpool_info()]
