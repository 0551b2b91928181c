"""Progress bars on stderr."""

import threading
from collections.abc import Iterable
from typing import Any


def progress_bar(items: Iterable[Any] | None = None, **options: Any) -> Any:
    """Return a bar of tqdm, with the options of tqdm.

    Its lock is one of threads. The lock that tqdm makes otherwise is a semaphore of the system,
    which a worker process that is stopped leaves behind.
    """
    from tqdm import tqdm

    tqdm.set_lock(threading.RLock())
    return tqdm(items, **options)
