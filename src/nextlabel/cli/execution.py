"""What `run` and `demo` do: load, run with progress, then table and report."""

import os
import shlex
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from nextlabel.cli.output import complain, duration, note, plural, put, put_json, size
from nextlabel.cli.summary import show_summary
from nextlabel.core.errors import UsageError

if TYPE_CHECKING:
    from nextlabel.engine.events import TrialFailed
    from nextlabel.engine.plan import Plan
    from nextlabel.experiment.spec import Experiment
    from nextlabel.store.store import Store


@dataclass(frozen=True)
class Wish:
    """The options of `run`, as the user gave them."""

    overrides: Sequence[str]
    seeds: str | None
    store: str | None
    out: Path | None
    data_dir: Path | None
    cache_dir: Path | None
    jobs: int | None
    fail_fast: bool
    plan: bool
    json: bool
    arms: Sequence[str] = ()

    def workers(self, threads: int) -> int:
        """Return how many trials of so many threads may run at a time."""
        if self.jobs is not None:
            return self.jobs
        cores = getattr(os, "sched_getaffinity", None)  # Linux alone tells what it may use
        return max(1, (len(cores(0)) if cores else os.cpu_count() or 1) // threads)

    def all_overrides(self) -> list[str]:
        """Return `--set` and `--seeds` as one list of overrides."""
        seeds = [] if self.seeds is None else [f"seeds={parse_seeds(self.seeds)}"]
        return [*self.overrides, *seeds]


def parse_seeds(text: str) -> list[int]:
    """Return the seeds of "5" (0 to 4), "0-9" or "0,3,7"; UsageError when it is no such list."""
    from nextlabel.experiment.parse import MOST_SEEDS

    words = text.strip()
    if words.isdecimal():
        if int(words) == 0:
            raise UsageError("seeds '0' are too few; give 1 or more, or 0-0 for seed 0 alone")
        words = f"0-{int(words) - 1}"
    seeds: list[int] = []
    for part in words.removesuffix(",").split(","):
        first, dash, last = (word.strip() for word in part.partition("-"))
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise UsageError(f"seeds {text!r} are no list; give 5, 0-4 or 0,3,7")
        low, high = int(first), int(last or first)
        if high < low:
            raise UsageError(f"seeds {part.strip()!r} run backwards; give {high}-{low}")
        if high - low >= MOST_SEEDS:
            raise UsageError(f"seeds {text!r} are too many; give at most {MOST_SEEDS}")
        seeds += range(low, high + 1)
    if len(set(seeds)) < len(seeds):
        raise UsageError(f"seeds {text!r} name one seed twice; name each once")
    return seeds


def execute(source: Path, wish: Wish, arguments: Sequence[str]) -> None:
    """Run the experiment in `source`; exits with 1 when a trial failed, 130 after Ctrl-C."""
    try:
        _execute(source, wish)
    except KeyboardInterrupt:
        note("stopped; all finished rounds are kept, and this goes on from there:")
        note(f"  {resume_command(arguments)}")
        raise SystemExit(130) from None


def _execute(source: Path, wish: Wish) -> None:
    from nextlabel.experiment.parse import load_experiment

    experiment = load_experiment(source, wish.all_overrides())
    out = wish.out or Path("runs") / experiment.name
    location = wish.store or str(out / "store.db")
    if wish.plan:
        _show_plan(experiment, location, wish)
        return
    from nextlabel.store.store import Store

    out.mkdir(parents=True, exist_ok=True)
    if not os.access(out, os.W_OK | os.X_OK):
        raise UsageError(f"{out} cannot be written; make it writable, or give another --out")
    with Store.open(location) as store:
        failed = _run(experiment, store, wish)
        _conclude(experiment, store, out, failed, wish)
    if failed:
        raise typer.Exit(1)


def _run(experiment: "Experiment", store: "Store", wish: Wish) -> "list[TrialFailed]":
    from nextlabel.cli.progress import display
    from nextlabel.engine.events import TrialFailed
    from nextlabel.engine.executors.local import share_imports
    from nextlabel.engine.run import run

    share_imports()
    failed = []
    events = run(
        experiment,
        store,
        data_dir=wish.data_dir,
        cache_dir=wish.cache_dir,
        jobs=wish.workers(experiment.training.threads),
        fail_fast=wish.fail_fast,
        progress=sys.stderr.isatty(),
        arms=wish.arms or None,
    )
    with display() as show, closing(events):
        for event in events:
            show(event)
            if isinstance(event, TrialFailed):
                failed.append(event)
    return failed


def _conclude(
    experiment: "Experiment",
    store: "Store",
    out: Path,
    failed: "Sequence[TrialFailed]",
    wish: Wish,
) -> None:
    from nextlabel.report.page import write_report
    from nextlabel.report.results import read_results
    from nextlabel.report.tables import hypothesis_rows
    from nextlabel.report.verdict import hypothesis_sentences

    results = read_results(store, experiment.name)
    if wish.json:
        put_json(
            {
                "experiment": experiment.name,
                "store": store.location,
                "report": str(write_report(results, out).html),
                "summary": [asdict(row) for row in results.summary_rows],
                "hypotheses": hypothesis_rows(results.hypotheses),
                "failed": [{"arm": f.arm, "seed": f.seed, "error": f.error} for f in failed],
            }
        )
    else:  # first the table, since the figures of the report take longer
        show_summary(results.summary_rows, results.headline)
        for line in hypothesis_sentences(results.hypotheses):
            put(line)
        put(f"report: {write_report(results, out).html}")
    for trial in failed:
        complain(f"{trial.arm}, seed {trial.seed}: {trial.error}")
    if failed:
        them = "it" if len(failed) == 1 else "them"
        note(f"{plural(len(failed), 'trial')} failed; the same command tries {them} again")


def _show_plan(experiment: "Experiment", location: str, wish: Wish) -> None:
    from nextlabel.engine.plan import plan
    from nextlabel.store.store import Store

    jobs = wish.workers(experiment.training.threads)
    more: dict[str, Any] = {
        "data_dir": wish.data_dir,
        "cache_dir": wish.cache_dir,
        "jobs": jobs,
        "progress": sys.stderr.isatty(),
        "arms": wish.arms or None,
    }
    if "://" not in location and not Path(location).exists():
        found = plan(experiment, None, **more)
    else:
        with Store.read(location) as store:
            found = plan(experiment, store, **more)
    if wish.json:
        put_json({"experiment": experiment.name, "store": location, **_plan_facts(found)})
        return
    put(f"experiment        {experiment.name}")
    put(f"trials            {found.trials}, of which {found.pending} are still to run")
    put(f"training samples  {found.training_samples:,}")
    put(f"time              about {duration(found.seconds)} with {plural(jobs, 'job')}")
    put(f"disk              about {size(found.disk_bytes)}")
    put(f"store             {location}")


def _plan_facts(found: "Plan") -> dict[str, float]:
    names = ("trials", "pending", "training_samples", "seconds", "disk_bytes")
    return {name: getattr(found, name) for name in names}


def resume_command(arguments: Sequence[str]) -> str:
    """Return the command line that was given, quoted for a shell, with the data folder it used."""
    program = Path(sys.argv[0])
    started = [str(program)] if program.stem == "nextlabel" else ["nextlabel"]
    if program.name == "__main__.py":
        started = [sys.executable, "-m", "nextlabel"]
    data = os.environ.get("NEXTLABEL_DATA")
    prefix = f"NEXTLABEL_DATA={shlex.quote(data)} " if data else ""
    return prefix + shlex.join([*started, *arguments])
