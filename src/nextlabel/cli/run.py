"""`nextlabel run`: an experiment, from its file to its report."""

from pathlib import Path
from typing import Annotated

import typer

from nextlabel.cli import options
from nextlabel.cli.execution import Wish, execute


def command(
    context: typer.Context,
    experiment: Annotated[Path, typer.Argument(metavar="EXPERIMENT.toml", show_default=False)],
    overrides: options.Overrides = [],  # noqa: B006 - typer copies it
    seeds: options.SeedList = None,
    arms: options.Arms = [],  # noqa: B006 - typer copies it
    store: options.StoreAt = None,
    out: options.OutDir = None,
    data_dir: options.DataDir = None,
    cache_dir: options.CacheDir = None,
    jobs: options.Jobs = None,
    fail_fast: options.FailFast = False,
    plan: options.PlanOnly = False,
    json: options.AsJson = False,
) -> None:
    """Run an experiment; the same command again goes on where it stopped."""
    wish = Wish(
        overrides, seeds, store, out, data_dir, cache_dir, jobs, fail_fast, plan, json, arms
    )
    execute(experiment, wish, context.obj)
