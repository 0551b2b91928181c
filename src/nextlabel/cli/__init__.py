"""The command line: one file per command; each command imports its heavy packages itself."""

import sys
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from nextlabel.cli import (
    cache,
    datasets,
    demo,
    embed,
    export,
    fit,
    import_,
    label,
    map,
    predict,
    report,
    run,
    select,
    status,
    strategies,
    suggest,
)
from nextlabel.cli.execution import Invocation
from nextlabel.cli.failure import explain
from nextlabel.cli.interruption import INTERRUPTED, sigterm_as_ctrl_c
from nextlabel.cli.output import complain, note, warn

if TYPE_CHECKING:
    from nextlabel.engine.executor import Executor

app = typer.Typer(
    name="nextlabel",
    help="Decide which unlabelled images to label next, and measure whether a way of deciding "
    "is any better.",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
COMMANDS = (
    demo, run, status, report, map, label, suggest, fit, predict, export, import_, select, embed,
    strategies, datasets,
)  # fmt: skip
for module in COMMANDS:
    app.command(module.__name__.rpartition(".")[2].rstrip("_"))(module.command)
app.add_typer(cache.app, name="cache")


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"nextlabel {version('nextlabel')}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit


def main(
    arguments: Sequence[str] | None = None,
    *,
    executor: "Callable[..., Executor] | None" = None,
) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        The words after the program's name; by default those that the program was started with.
    executor : callable, optional
        Makes the executor of trials from `jobs`, `threads` and the folders; tests give one.

    Returns
    -------
    int
        The exit code: 0, 1 for a failure, 2 for wrong usage, 130 after Ctrl-C or SIGTERM.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    invocation = Invocation(given, executor)
    with warnings.catch_warnings(), sigterm_as_ctrl_c():
        warnings.showwarning = warn
        try:
            code = app(args=given, obj=invocation, prog_name="nextlabel", standalone_mode=False)
            sys.stdout.flush()
            if code == INTERRUPTED:  # typer turns Ctrl-C into an exit
                note("stopped")
        except SystemExit as stop:  # the command has explained it
            code = stop.code
        except (Exception, KeyboardInterrupt) as error:
            message, code = explain(error)
            if message:
                complain(message)
    return code if isinstance(code, int) else 0
