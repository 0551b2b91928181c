import os

from nextlabel.lab.worker import THREADS, process_pool


def test_workers_have_the_threads_of_the_trial_whatever_the_user_has_set(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("MALLOC_TOP_PAD_", "1")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    with process_pool(1, 2):
        assert [os.environ[name] for name in THREADS] == ["2"] * 3
        assert os.environ["MALLOC_TOP_PAD_"] == "1"
    assert os.environ["OMP_NUM_THREADS"] == "7" and os.environ["MALLOC_TOP_PAD_"] == "1"
    assert "MKL_NUM_THREADS" not in os.environ
