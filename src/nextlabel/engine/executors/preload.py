"""What the server that workers are forked from imports, once for all of them; nobody else does.

Importing torch and scikit-learn takes seconds of a processor: here they are paid for once a run,
not once a worker.
"""

import os

_driver = os.getppid()


def _go_on() -> None:
    """End this process when its driver is gone: what it would import is for nobody."""
    if os.getppid() != _driver:
        os._exit(0)


import sklearn.metrics  # noqa: E402

_go_on()

import torch  # noqa: E402

_go_on()

import torch._dynamo  # noqa: E402 - the first optimiser would import it

_go_on()

import nextlabel.engine.worker  # noqa: E402

__all__ = ["nextlabel", "sklearn", "torch"]
