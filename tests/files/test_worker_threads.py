import os
import threading
from collections.abc import Iterator

import pytest

from nextlabel.files.worker_threads import made_ahead, usable_cores


def test_results_come_in_order_and_items_are_taken_as_needed() -> None:
    taken = []

    def items() -> Iterator[int]:
        for item in range(50):
            taken.append(item)
            yield item

    results = made_ahead(items(), lambda item: item * item, threads=3, waiting=4)
    assert [next(results), next(results)] == [0, 1]
    assert len(taken) == 6  # two returned and four that wait
    assert list(results) == [item * item for item in range(2, 50)]


def test_threads_work_at_the_same_time() -> None:
    both = threading.Barrier(2, timeout=5)
    assert len(list(made_ahead(range(2), lambda _: both.wait(), threads=2, waiting=2))) == 2


def test_an_error_comes_when_its_turn_comes_and_the_rest_is_not_made() -> None:
    made = []

    def make(item: int) -> int:
        made.append(item)
        if item == 2:
            raise ValueError("broken")
        return item

    results = made_ahead(range(1000), make, threads=1, waiting=3)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="broken"):
        next(results)
    assert len(made) < 20


def test_cores_are_those_that_the_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert usable_cores() == 1
