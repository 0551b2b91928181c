"""`nextlabel demo`: the packaged experiment on scikit-learn's real digits."""

from typing import TYPE_CHECKING

import typer

from nextlabel.cli.execution import RunOptions, execute, with_run_options
from nextlabel.cli.output import note
from nextlabel.core.errors import UsageError

if TYPE_CHECKING:
    from nextlabel.experiment.spec import Experiment


@with_run_options("data_dir")
def command(context: typer.Context, options: RunOptions) -> None:
    """Compare selection heuristics on real digits, in a few minutes; nothing is downloaded."""
    from importlib.resources import as_file, files

    from nextlabel.experiment.parse import load_experiment

    with as_file(files("nextlabel") / "experiments" / "digits.toml") as source:
        experiment = load_experiment(source, options.all_overrides())
    if not options.arms:
        experiment = _of_installed(experiment)
    execute(experiment, options, context.obj)


def _of_installed(experiment: "Experiment") -> "Experiment":
    """Return the experiment without arms whose features need a package that is missing."""
    missing: dict[str, UsageError] = {}
    for arm in experiment.arms:
        if arm.baseline in missing:
            missing[arm.name] = missing[arm.baseline]
        for block in experiment.blocks_of(arm):
            try:
                experiment.identity_of(block)
            except UsageError as error:
                if error.code != "extra-missing":
                    raise
                missing[arm.name] = error
    if not missing:
        return experiment
    note(f"left out: {'; '.join(missing)}")
    note(str(next(iter(missing.values()))))
    kept = tuple(arm for arm in experiment.arms if arm.name not in missing)
    primary = None if experiment.primary in missing else experiment.primary
    return experiment.model_copy(update={"arms": kept, "primary": primary})
