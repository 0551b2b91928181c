"""Imports of the fork server, done once for all workers.

Importing torch and scikit-learn takes seconds of processor time, per run here and not per worker.
"""

import os

_driver = os.getppid()


def _end_without_driver() -> None:
    """End this process when its driver has ended: no worker will need the imports."""
    if os.getppid() != _driver:
        os._exit(0)


import sklearn.metrics  # noqa: E402

_end_without_driver()

import torch  # noqa: E402

_end_without_driver()

import torch._dynamo  # noqa: E402 - the first optimiser would import it

_end_without_driver()

import nextlabel.engine.executors.local  # noqa: E402

__all__ = ["nextlabel", "sklearn", "torch"]
