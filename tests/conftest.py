"""What all tests share: reproducible examples, and no test that waits for a terminal."""

import os

# Two threads a process on a busy machine of two cores are far slower than one: they spin.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from hypothesis import settings

settings.register_profile("steady", deadline=None, derandomize=True, max_examples=40)
settings.load_profile("steady")
