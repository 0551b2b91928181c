"""The common part of `run` and `demo`: run with progress, then table and report."""

import inspect
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from nextlabel.cli import options as cli
from nextlabel.cli.interruption import INTERRUPTED
from nextlabel.cli.output import (
    complain,
    duration,
    note,
    plural,
    put,
    put_json,
    size,
)
from nextlabel.cli.summary import show_summary
from nextlabel.cli.values import parse_seeds
from nextlabel.core.errors import StoreError, UsageError, hide_passwords
from nextlabel.files.output_mark import make_output

if TYPE_CHECKING:
    from nextlabel.engine.events import TrialFailed
    from nextlabel.engine.executor import Executor
    from nextlabel.engine.plan import Plan
    from nextlabel.experiment.spec import Experiment
    from nextlabel.models.settings import TrainingSettings
    from nextlabel.store.store import Store


@dataclass(frozen=True)
class Invocation:
    """The arguments of the command line, and the maker of its executor; by its name if None."""

    arguments: Sequence[str]
    executor: "Callable[..., Executor] | None" = None

    def make_executor(self, options: "RunOptions", training: "TrainingSettings") -> "Executor":
        """Return the executor of trials that are trained so."""
        if self.executor is None:
            return options.make_executor(training)
        return self.executor(
            options.jobs, training.threads, data_dir=options.data_dir, cache_dir=options.cache_dir
        )


@dataclass(frozen=True)
class RunOptions:
    """The options of `run` and `demo`; the annotations are those of the command line."""

    overrides: cli.Overrides = field(default_factory=list)
    seeds: cli.SeedList = None
    arms: cli.Arms = field(default_factory=list)
    store: cli.StoreAt = None
    out: cli.OutDir = None
    data_dir: cli.DataDir = None
    cache_dir: cli.CacheLocation = None
    jobs: cli.Jobs = None
    executor: cli.ExecutorName = "local"
    scheduler: cli.Scheduler = None
    mixed_workers: cli.MixedWorkers = False
    fail_fast: cli.FailFast = False
    plan: cli.PlanOnly = False
    json: cli.AsJson = False

    def make_executor(self, training: "TrainingSettings") -> "Executor":
        """Return the executor of trials that are trained so."""
        from nextlabel.engine.executor import Setup
        from nextlabel.engine.executors import create

        setup = Setup(
            self.jobs,
            training.threads,
            self.data_dir,
            self.cache_dir,
            self.scheduler,
            self.mixed_workers,
            training.device,
        )
        return create(self.executor, setup)

    def all_overrides(self) -> list[str]:
        """Return `--set` and `--seeds` as one list of overrides."""
        seeds = [] if self.seeds is None else [f"seeds={parse_seeds(self.seeds)}"]
        return [*self.overrides, *seeds]


def with_run_options(
    *left_out: str,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator that replaces a command's parameter `options` by all `RunOptions`.

    `left_out` are names of options that the command does not have.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        parameters = dict(inspect.signature(command, eval_str=True).parameters)
        del parameters["options"]
        names = set(parameters)
        for option in fields(RunOptions):
            if option.name not in left_out:
                made = option.default_factory
                default = option.default if made is MISSING else made()
                parameters[option.name] = inspect.Parameter(
                    option.name, inspect.Parameter.KEYWORD_ONLY,
                    default=default, annotation=option.type,
                )  # fmt: skip

        def run_command(**given: Any) -> None:
            of_command = {name: given.pop(name) for name in names}
            command(**of_command, options=RunOptions(**given))

        run_command.__doc__ = command.__doc__
        run_command.__annotations__ = {n: p.annotation for n, p in parameters.items()}
        vars(run_command)["__signature__"] = inspect.Signature(list(parameters.values()))
        return run_command

    return decorate


def execute(experiment: "Experiment", options: RunOptions, invocation: Invocation) -> None:
    """Run an experiment; exits with 1 when a trial failed, 130 after Ctrl-C or SIGTERM."""
    try:
        _execute(experiment, options, invocation)
    except KeyboardInterrupt:
        note("stopped; all finished rounds are stored, and this command continues:")
        note(f"  {resume_command(invocation.arguments)}")
        raise SystemExit(INTERRUPTED) from None


def _execute(experiment: "Experiment", options: RunOptions, invocation: Invocation) -> None:
    out = options.out or Path("runs") / experiment.name
    location = options.store or str(out / "store.db")
    if options.plan:
        _show_plan(experiment, location, options)
        return
    from nextlabel.store.store import Store

    make_output(out)
    if not os.access(out, os.W_OK | os.X_OK):
        raise UsageError(
            f"{out} cannot be written; make it writable, or give another --out",
            code="out-not-writable",
        )
    with Store.open(location) as store:
        failed = _run(experiment, store, options, invocation)
        _conclude(experiment, store, out, failed, options)
    if failed:
        raise typer.Exit(1)


def _run(
    experiment: "Experiment", store: "Store", options: RunOptions, invocation: Invocation
) -> "list[TrialFailed]":
    from nextlabel.cli.progress import display
    from nextlabel.engine.events import TrialFailed
    from nextlabel.engine.executors.process_pool import share_imports
    from nextlabel.engine.run import run

    share_imports()
    failed = []
    events = run(
        experiment,
        store,
        data_dir=options.data_dir,
        cache_dir=options.cache_dir,
        fail_fast=options.fail_fast,
        progress=sys.stderr.isatty(),
        arms=options.arms or None,
        executor=invocation.make_executor(options, experiment.training),
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
    options: RunOptions,
) -> None:
    from nextlabel.report.page import write_report
    from nextlabel.report.results import read_results
    from nextlabel.report.tables import hypothesis_rows
    from nextlabel.report.verdict import hypothesis_sentences

    results = read_results(store, experiment.name)
    if options.json:
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


def _show_plan(experiment: "Experiment", location: str, options: RunOptions) -> None:
    from nextlabel.engine.plan import plan
    from nextlabel.store.store import Store

    with options.make_executor(experiment.training) as executor:
        jobs = executor.jobs
    arguments: dict[str, Any] = {
        "data_dir": options.data_dir,
        "cache_dir": options.cache_dir,
        "jobs": jobs,
        "progress": sys.stderr.isatty(),
        "arms": options.arms or None,
    }
    try:
        opened = Store.read(location)
    except StoreError as error:
        if error.code != "store-missing":
            raise
        planned = plan(experiment, None, **arguments)
    else:
        with opened as store:
            planned = plan(experiment, store, **arguments)
    if options.json:
        put_json(
            {
                "experiment": experiment.name,
                "store": hide_passwords(location),
                **plan_facts(planned),
            }
        )
        return
    put(f"experiment        {experiment.name}")
    for line in plan_lines(planned):
        put(line)
    put(f"store             {hide_passwords(location)}")


def plan_lines(planned: "Plan") -> list[str]:
    """Return the lines that describe a plan, without experiment and store."""
    ends = dict.fromkeys(duration(seconds) for seconds in (planned.fastest, planned.slowest))
    return [
        f"trials            {planned.trials}, of which {planned.pending} are still to run",
        f"training samples  {planned.training_samples:,}",
        f"time              about {' to '.join(ends)}, with {plural(planned.jobs, 'job')}",
        f"disk              about {size(planned.disk_bytes)}",
        *(
            f"seeds             too few for {each.claim}: p cannot fall below {each.least_p:.4f}; "
            f"it takes {'more than 16' if each.needed is None else each.needed}"
            for each in planned.out_of_reach
        ),
    ]


def plan_facts(planned: "Plan") -> dict[str, Any]:
    """Return a plan as it is written in JSON."""
    return asdict(planned)


def resume_command(arguments: Sequence[str]) -> str:
    """Return the command line that was given, quoted for a shell, with the data folder it used."""
    program = Path(sys.argv[0])
    started = [str(program)] if program.stem == "nextlabel" else ["nextlabel"]
    if program.name == "__main__.py":
        started = [sys.executable, "-m", "nextlabel"]
    data = os.environ.get("NEXTLABEL_DATA")
    prefix = f"NEXTLABEL_DATA={shlex.quote(data)} " if data else ""
    return prefix + shlex.join([*started, *map(hide_passwords, arguments)])
