"""The registry of executors, and what a worker proves before it runs a trial."""

import pytest

from nextlabel.core.errors import UsageError
from nextlabel.engine.executor import Assignment, Setup
from nextlabel.engine.executors import EXECUTORS, create
from nextlabel.engine.executors.local import LocalExecutor
from nextlabel.engine.messages import DoneMessage, FailedMessage, RoundMessage
from nextlabel.engine.worker import work
from nextlabel.trial.data import load_data
from nextlabel.trial.spec import TrialSpec
from refusals import refused


def test_executors_are_found_by_name(tmp_path):
    assert {"local", "in_process"} <= set(EXECUTORS)
    for name in EXECUTORS:
        executor = create(name, Setup(jobs=1, cache_dir=tmp_path))
        assert isinstance(executor, EXECUTORS[name]) and executor.jobs == 1
    with refused(UsageError, "unknown-name", match="did you mean 'local'"):
        create("locl", Setup())


def test_one_job_per_core_is_the_default():
    assert LocalExecutor.of(Setup(threads=10_000)).jobs == 1
    assert LocalExecutor.of(Setup(jobs=7, threads=2)).jobs == 7


@pytest.mark.parametrize("option", [{"scheduler": "tcp://host:1"}, {"mixed_workers": True}])
def test_an_option_that_the_executor_does_not_have_is_refused(option):
    with refused(UsageError, "option-of-another-executor"):
        create("local", Setup(**option))


@pytest.mark.parametrize("same", [True, False])
def test_a_worker_proves_that_it_has_the_data_of_the_driver(tiny, tmp_path, same):
    experiment = tiny(target=20, seeds=[0])
    trial = TrialSpec.of(experiment, "random", 0)
    checksum = load_data(experiment, None).checksum
    key = trial.key(checksum if same else checksum[::-1])
    messages = []
    work(Assignment(key, trial, [], None, tmp_path), messages.append)
    if same:
        assert isinstance(messages[-1], DoneMessage)
    else:
        (failure,) = messages
        assert isinstance(failure, FailedMessage) and "differs from the driver's" in failure.error
    assert any(isinstance(message, RoundMessage) for message in messages) == same
