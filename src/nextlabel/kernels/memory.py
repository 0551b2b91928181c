"""Running out of memory, said in a sentence: how much was wanted, and what to lower."""

from collections.abc import Iterator
from contextlib import contextmanager

from nextlabel.core.errors import OutOfMemory, out_of_memory


@contextmanager
def memory_for(budget: int, size: int, wanted: int) -> Iterator[None]:
    """Turn a failed allocation into OutOfMemory; `wanted` are the bytes that the work takes.

    Numpy raises MemoryError; torch a RuntimeError, of a class of its own on CUDA.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not out_of_memory(error):
            raise
        first = str(error).partition("\n")[0]
        raise OutOfMemory(
            f"selecting {budget} of {size} images needs about {-(-wanted // 2**20)} MB beside the "
            f"features, and they were not to be had{f' ({first})' if first else ''}; free memory, "
            "or lower the number of images, of feature columns or of picks"
        ) from error
