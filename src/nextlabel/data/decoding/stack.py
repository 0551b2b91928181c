"""Stacks: files of several pages, of which one is taken, or all become one."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nextlabel.data.decoding.base import Undecodable, Wanted
from nextlabel.data.resize import Pixels


@dataclass(frozen=True)
class Stack:
    """Pages of one file: their number, and a function that reads one of them (H, W, C)."""

    count: int
    read: Callable[[int], Pixels]

    def one(self, wanted: Wanted) -> Pixels:
        """Return the page or the projection that is wanted, (H, W, C).

        One page is in memory at a time, and the projection so far. Raises Undecodable when there
        are several pages and nothing says which, or when there is no such page.
        """
        if wanted.project is not None:
            return self._projection(wanted.project)
        if wanted.page == "middle":
            return self.read(self.count // 2)
        if wanted.page is not None:
            if wanted.page >= self.count:
                raise Undecodable(
                    f"it has {self.count} page(s), and no page {wanted.page} (data.page counts "
                    "from 0); choose another",
                    code="no-such-page",
                )
            return self.read(wanted.page)
        if self.count != 1:
            raise Undecodable(
                f"it has {self.count} pages; choose one by --page 0 or --page middle, or join them "
                'by --project max, in experiments data.page = 0 or data.project = "max"',
                code="image-of-many-pages",
            )
        return self.read(0)

    def _projection(self, how: str) -> Pixels:
        first = self.read(0)
        if self.count == 1:
            return first
        result = first.astype(np.float64) if how == "mean" else first.copy()
        join = {"max": np.maximum, "min": np.minimum, "mean": np.add}[how]
        for number in range(1, self.count):
            page = self.read(number)
            if page.shape != first.shape:
                raise Undecodable(
                    "its pages differ in size; choose one by --page 0 (data.page)",
                    code="pages-differ",
                )
            join(result, page, out=result)
        if how != "mean":
            return result
        result /= self.count
        whole = np.issubdtype(first.dtype, np.integer)
        return np.rint(result).astype(first.dtype) if whole else result.astype(first.dtype)
