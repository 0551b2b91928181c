"""What the server that workers are forked from imports, once for all of them; nobody else does.

Importing torch and scikit-learn takes seconds of a processor: here they are paid for once a run,
not once a worker.
"""

import signal

# Ctrl-C is the driver's to answer; until here the imports would end in a traceback.
signal.signal(signal.SIGINT, signal.SIG_IGN)

import sklearn.metrics  # noqa: E402
import torch._dynamo  # noqa: E402 - the first optimiser would import it

import nextlabel.lab.worker  # noqa: E402

__all__ = ["nextlabel", "sklearn", "torch"]
