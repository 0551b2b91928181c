"""`nextlabel run`: an experiment, from its file to its report."""

from pathlib import Path
from typing import Annotated

import typer

from nextlabel.cli.execution import RunOptions, execute, with_run_options


@with_run_options()
def command(
    context: typer.Context,
    experiment: Annotated[
        Path,
        typer.Argument(metavar="EXPERIMENT.toml", show_default=False, help="The experiment file."),
    ],
    options: RunOptions,
) -> None:
    """Run an experiment; the same command again continues where it stopped."""
    from nextlabel.experiment.parse import load_experiment
    from nextlabel.project.exchange.experiment_data import with_project_data

    spec = load_experiment(experiment, options.all_overrides(), with_project_data)
    execute(spec, options, context.obj)
