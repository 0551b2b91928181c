"""`nextlabel label`: the labelling page of a folder of images."""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from nextlabel.cli import options
from nextlabel.cli.output import note, plural, put
from nextlabel.cli.values import parse_classes, parse_seeds
from nextlabel.core.errors import UsageError

if TYPE_CHECKING:
    from nextlabel.core.types import Task
    from nextlabel.project.labelling.project import Project
    from nextlabel.web.announcement import Announcement

NEEDED = ("fastapi", "uvicorn", "argon2")
"""Modules of the extra `label`."""


def command(
    folder: Annotated[
        Path | None, typer.Argument(metavar="FOLDER", help="The folder of images.")
    ] = None,
    classes: options.ClassList = None,
    project: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="The folder of the project; by default FOLDER.nextlabel, next to it.",
        ),
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(metavar="URL", help="A PostgreSQL database instead of a file of the project."),
    ] = None,
    labels: Annotated[
        list[Path],
        typer.Option(
            metavar="FILE", help="Labels that exist already, imported once. Several are allowed."
        ),
    ] = [],  # noqa: B006 - typer copies it
    multilabel: Annotated[
        bool, typer.Option("--multilabel", help="An image may have several classes, or none.")
    ] = False,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="The port; the next free one when it is taken."),
    ] = None,
    host: Annotated[
        str,
        typer.Option(help="The address to listen at; any other than this machine's needs --users."),
    ] = "127.0.0.1",
    host_name: Annotated[
        list[str],
        typer.Option(
            metavar="NAME",
            help="Another name under which the page is reached, as behind a web server.",
        ),
    ] = [],  # noqa: B006 - typer copies it
    users: Annotated[
        bool, typer.Option("--users", help="People log in by name and password.")
    ] = False,
    demo: Annotated[
        bool,
        typer.Option(
            "--demo",
            help="Write 1,797 digits as PNG to FOLDER, or digits-to-label, and label them.",
        ),
    ] = False,
    simulate: Annotated[
        Path | None,
        typer.Option(
            metavar="TRUTH.csv",
            help="Let a program answer by these labels, in a project that is removed afterwards, "
            "and print how good the model gets.",
        ),
    ] = None,
    answers: Annotated[
        int, typer.Option(min=1, metavar="N", help="The answers of --simulate.")
    ] = 300,
    seeds: Annotated[
        str, typer.Option(metavar="LIST", help="The seeds of --simulate: 5 (0 to 4), 0-9 or 0,3,7.")
    ] = "1",
    order: Annotated[
        Literal["queue", "random"],
        typer.Option(help="The order of --simulate: the queue's, or random for comparison."),
    ] = "queue",
    json: options.AsJson = False,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the address only, and open no browser.")
    ] = False,
) -> None:
    """Open the labelling page of a folder; end it by Ctrl-C.

    Answers are saved at once. The images are never changed.
    """
    check_installed()
    names = parse_classes(classes) or ()
    task: Task | None = "multilabel" if multilabel else None
    if demo:
        from nextlabel.data.sources.digits import CLASSES
        from nextlabel.web.demo_images import FOLDER, write_digits

        folder, names = folder or FOLDER, CLASSES
        write_digits(folder)
    if folder is None:
        raise UsageError("no folder is given; name that of the images", code="no-folder")
    if simulate is not None:
        from nextlabel.cli.simulated import simulate as simulated
        from nextlabel.web.simulation.trial import Simulation

        simulation = Simulation(folder, simulate, answers, order, names, task or "multiclass")
        simulated(simulation, parse_seeds(seeds), json)
        return
    from nextlabel.project.labelling.project import Project
    from nextlabel.web.server import ServerOptions, serve

    settings = ServerOptions(host, port, users, tuple(host_name), store)
    settings.check()
    with Project.open_or_create(
        folder,
        directory=project,
        store=store,
        classes=names,
        task=task,
    ) as opened:
        if demo:
            from nextlabel.web.demo_images import give_digit_keys

            give_digit_keys(opened)
        for file in labels:
            take_in(opened, file)
        before = opened.state().seq
        try:
            serve(opened, settings, lambda here: tell(here, not no_browser))
        except KeyboardInterrupt:
            pass
        say_end(opened, before)


def take_in(project: "Project", file: Path) -> None:
    """Record the labels of a file, and say how many there are."""
    from nextlabel.project.exchange.transfer import import_file

    if not len(project.images()):
        project.scan()
    taken = import_file(project, file)
    note(f"{taken.recorded:,} labels of {file} are new, {taken.unchanged:,} were there")


def check_installed() -> None:
    """Raise UsageError unless the packages of the page are there."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"the labelling page needs {', '.join(missing)}; run `pip install 'nextlabel[label]'`, "
            "or `pip install '.[label]'` in a copy of the project",
            code="label-not-installed",
        )


def tell(here: "Announcement", browser: bool) -> None:
    """Print the address of the page, and open it."""
    put(here.address)
    note("this address is for you alone; Ctrl-C ends the page, answers are saved at once")
    if browser and has_browser():
        import webbrowser

        webbrowser.open(here.address)


def has_browser() -> bool:
    """Return whether there is a screen; a browser in the terminal would hide the messages."""
    import os
    import sys

    screens = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    return sys.platform in ("win32", "darwin") or any(map(os.environ.get, screens))


def say_end(project: "Project", before: int) -> None:
    """Say how many answers came since, and where they are."""
    state = project.state()
    note(
        f"stopped; {plural(state.seq - before, 'answer')} new, "
        f"{plural(len(state.labels), 'image')} labelled in {project.directory}"
    )
