"""`nextlabel demo`: the packaged experiment on scikit-learn's real digits."""

import typer

from nextlabel.cli import options
from nextlabel.cli.execution import Wish, execute


def command(
    context: typer.Context,
    overrides: options.Overrides = [],  # noqa: B006 - typer copies it
    seeds: options.SeedList = None,
    arms: options.Arms = [],  # noqa: B006 - typer copies it
    store: options.StoreAt = None,
    out: options.OutDir = None,
    cache_dir: options.CacheDir = None,
    jobs: options.Jobs = None,
    fail_fast: options.FailFast = False,
    plan: options.PlanOnly = False,
    json: options.AsJson = False,
) -> None:
    """Compare selection heuristics on real digits, in a few minutes; nothing is downloaded."""
    from importlib.resources import as_file, files

    wish = Wish(overrides, seeds, store, out, None, cache_dir, jobs, fail_fast, plan, json, arms)
    with as_file(files("nextlabel") / "experiments" / "digits.toml") as source:
        execute(source, wish, context.obj)
