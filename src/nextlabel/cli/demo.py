"""`nextlabel demo`: the packaged experiment on scikit-learn's real digits."""

import typer

from nextlabel.cli.execution import RunOptions, execute, with_run_options


@with_run_options("data_dir")
def command(context: typer.Context, options: RunOptions) -> None:
    """Compare selection heuristics on real digits, in a few minutes; nothing is downloaded."""
    from importlib.resources import as_file, files

    with as_file(files("nextlabel") / "experiments" / "digits.toml") as source:
        execute(source, options, context.obj)
