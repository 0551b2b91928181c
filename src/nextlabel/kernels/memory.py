"""A sentence for running out of memory, with the amount needed and what to lower."""

from collections.abc import Iterator
from contextlib import contextmanager

from nextlabel.core.errors import OutOfMemory, out_of_memory


@contextmanager
def memory_for(budget: int, size: int, needed: int) -> Iterator[None]:
    """Turn a failed allocation into OutOfMemory; `needed` is the size of the work, in bytes."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not out_of_memory(error):
            raise
        reason = str(error).partition("\n")[0]
        raise OutOfMemory(
            f"selecting {budget} of {size} images needs about {-(-needed // 2**20)} MB in addition "
            f"to the features, which is not free{f' ({reason})' if reason else ''}; free memory, "
            "or lower the number of images, of feature columns or of picks",
            code="out-of-memory",
        ) from error
