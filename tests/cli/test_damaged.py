"""A damaged store gives one clear sentence, for any kind of damage."""

import random
import sqlite3
import sys
from pathlib import Path

import pytest

from nextlabel.cli import main, status
from nextlabel.store.store import Store

sys.path.insert(0, str(Path(__file__).parents[1] / "report"))  # for studies.py
from studies import fill, spec_of

MAP = Path(__file__).parents[2] / "docs/results/map_pneumonia/store.db"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "store.db"
    with Store.open(path) as store:
        fill(store, spec_of(primary="core-set + VAE"))
    return path.read_bytes()


@pytest.fixture
def tell(tmp_path, capsys, monkeypatch):
    """Give what status and report say of a store: their exit codes and words on stderr."""
    monkeypatch.setattr("nextlabel.report.figures.render", lambda figure, kind: b"<svg></svg>")
    monkeypatch.delenv("NEXTLABEL_DEBUG", raising=False)

    def commands(path):
        for command in (["status"], ["report", "--out", str(tmp_path / "out"), "--format", "svg"]):
            code = main([*command, "--store", str(path)])
            yield code, capsys.readouterr().err

    return lambda path: list(commands(path))


def test_a_whole_store_is_not_called_damaged(whole, tell, tmp_path):
    (tmp_path / "s.db").write_bytes(whole)
    assert [code for code, _ in tell(tmp_path / "s.db")] == [0, 0]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("UPDATE experiments SET spec = substr(spec, 1, 40)", "JSON that does not parse"),
        ("UPDATE experiments SET spec = '[' || spec || ']'", "spec is [{"),
        ("UPDATE experiments SET spec = cast(x'7bff7d' AS TEXT)", "decode"),
        ("UPDATE experiments SET spec = replace(spec, 'strategy', 'strat')", "spec.arms.0.strat"),
        ("UPDATE experiments SET spec = replace(spec, '\"target\"', '\"t\"')", "spec.target: "),
        ("UPDATE environments SET content = '[NaN]'", "NaN is not a finite number"),
        ("UPDATE environments SET content = '[1]'", "environment is [1], not a table"),
        ("UPDATE trials SET arm = cast(x'ff' AS TEXT)", "decode"),
        ("UPDATE trials SET arm = 'other'", "trials of 'other', which is not an arm"),
        ("UPDATE trials SET status = 'paused'", "a status is 'paused', not one of pending, "),
        ("UPDATE trials SET seed = 'many'", "seed is 'many', not a whole number"),
        ("UPDATE rounds SET chosen = '[1, \"x\"]'", "UsageError: ids must be"),
        ("UPDATE rounds SET chosen = '[1e30]'", "UsageError: ids must be"),
        ("UPDATE rounds SET chosen = '[123456789012345678901]'", "UsageError: ids must be"),
        ("UPDATE rounds SET labelled_count = 1.5", "labels is 1.5, not a whole number"),
        ("UPDATE metrics SET value = 9e999", "accuracy is inf, not a finite number"),
        (
            'UPDATE block_logs SET log = \'[{"elbo": "low"}]\'',
            "vae.elbo is 'low', not a finite number",
        ),
        ("UPDATE pictures SET png = 7", "a picture is 7, not bytes"),
        ("DROP TABLE metrics", "no such table"),
        (
            "DELETE FROM metrics WHERE name LIKE 'validation%' AND number = 1 AND trial_id = 1",
            "round 1 of a trial lacks 'validation/accuracy', which others have",
        ),
    ],
)
def test_a_value_that_no_run_has_written_is_named(change, says, whole, tell, tmp_path):
    path = tmp_path / "s.db"
    path.write_bytes(whole)
    with sqlite3.connect(path) as raw:
        raw.execute(change)
    raw.close()
    _, (code, words) = tell(path)
    assert code == 1 and words.count("\n") == 1
    assert words.startswith(f"error: {path} is damaged (") and says in words
    assert words.endswith("; restore it from a copy, or give another store\n")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("UPDATE maps SET arm = 'other'", "KeyError: ('other', 0, 'task')"),
        ("UPDATE maps SET spec = '{\"arms\": 3}'", "arms: Input should be"),
        ("UPDATE maps SET settings = '{}'", "perplexity"),
        ("UPDATE maps SET content = replace(content, 'weights', 'weighs')", "weights"),
        ("UPDATE maps SET content = json_remove(content, '$.ids[0]')", "fewer points than images"),
    ],
)
def test_a_damaged_map_is_told_of(change, says, tell, tmp_path):
    path = tmp_path / "s.db"
    path.write_bytes(MAP.read_bytes())
    with sqlite3.connect(path) as raw:
        raw.execute(change)
    raw.close()
    code, words = tell(path)[1]
    assert code == 1 and words.count("\n") == 1
    assert words.startswith(f"error: {path} is damaged (") and says in words


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("UPDATE trials SET arm = cast(x'ff' AS TEXT)", "decode"),
        ("UPDATE trials SET status = 'paused' WHERE id = 1", "a status is 'paused'"),
        ("UPDATE trials SET status = 'failed', seed = 'many'", "seed is 'many'"),
        ("UPDATE rounds SET labelled_count = 'ten' WHERE trial_id = 1", "labels is 'ten'"),
        ("UPDATE rounds SET labelled_count = -2.5 WHERE trial_id = 1", "sum of labels is"),
    ],
)
def test_a_damaged_store_is_told_of_where_trials_are_counted(
    change, says, whole, tell, tmp_path, monkeypatch
):
    monkeypatch.setattr(status, "LONGEST", 0)
    (tmp_path / "s.db").write_bytes(whole)
    with sqlite3.connect(tmp_path / "s.db") as raw:
        raw.execute(change)
    raw.close()
    (code, words), _ = tell(tmp_path / "s.db")
    assert code == 1 and words.count("\n") == 1
    assert "s.db is damaged (" in words and says in words


@pytest.mark.parametrize("longest", [0, 100])
@pytest.mark.parametrize("seed", range(8))
def test_bytes_changed_anywhere_never_end_in_a_traceback(
    seed, longest, whole, tell, tmp_path, monkeypatch
):
    monkeypatch.setattr(status, "LONGEST", longest)
    rng, changed = random.Random(seed), bytearray(whole)
    for _ in range(4):
        start = rng.randrange(100, len(changed) - 8)
        changed[start : start + 8] = rng.randbytes(8)
    if seed % 4 == 3:
        changed = changed[: rng.randrange(len(changed))]
    (tmp_path / "s.db").write_bytes(changed)
    for code, words in tell(tmp_path / "s.db"):
        assert "unexpected" not in words and "Traceback" not in words
        assert (code, words.count("error: ")) in {(0, 0), (1, 1)}
        assert code == 0 or "s.db" in words
