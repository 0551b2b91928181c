"""The report page: one self-contained HTML file, and its figures and tables as files."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nextlabel.files.atomic import write_files
from nextlabel.files.html import page_environment
from nextlabel.report import figures
from nextlabel.report.figures.style import DARK_HUES, DARK_NEUTRAL, HUES, NEUTRAL
from nextlabel.report.frame import Table
from nextlabel.report.results import Results, read_results
from nextlabel.report.sections import build_sections
from nextlabel.report.sections.section import Drawing, Section
from nextlabel.store.store import Store

if TYPE_CHECKING:
    from markupsafe import Markup

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class ReportPaths:
    """The written files: the page, and the figures and tables next to it."""

    html: Path
    files: tuple[Path, ...]


def build_report(
    store: Store,
    experiment: str | None,
    out: Path,
    formats: Sequence[str] = figures.FORMATS,
) -> ReportPaths:
    """Read an experiment from a store and write its report; see `write_report`.

    `experiment` may be None when the store holds only one.
    """
    return write_report(read_results(store, experiment), out, formats)


def write_report(
    results: Results, out: Path, formats: Sequence[str] = figures.FORMATS
) -> ReportPaths:
    """Write report.html, the CSV files, and each figure in `formats`, to the folder `out`.

    Parameters
    ----------
    results
        The results of an experiment; their database must still be there.
    out
        The folder; it is made if it is missing.
    formats
        The formats of the figure files: "svg", "pdf" and "png".

    Returns
    -------
    ReportPaths
        The written files. Equal results give equal bytes.

    Raises
    ------
    UsageError
        A format or the headline metric is unknown.
    StoreError
        The files cannot be written.
    """
    files: dict[str, bytes] = {}
    with figures.plot_style():
        sections = build_sections(results)
        for section in _walk(sections):
            for drawing in section.figures:
                for format in formats:
                    name = f"{drawing.name}.{format}"
                    files[name] = figures.render(drawing.figure, format)
        html = _html(results, sections)
    for table in _tables(sections):
        files[f"{table.name}.csv"] = table.csv.encode()
    ordered = {name: files[name] for name in sorted(files)}
    *paths, page = write_files(out, ordered | {"report.html": html.encode()})  # the page last
    return ReportPaths(page, tuple(paths))


def _walk(sections: Sequence[Section]) -> Iterator[Section]:
    for section in sections:
        yield from section.walk()


def _tables(sections: Sequence[Section]) -> Iterator[Table]:
    """Yield every table that becomes a CSV file."""
    for section in _walk(sections):
        yield from (drawing.table for drawing in section.figures if drawing.table is not None)
        yield from (download.table for download in section.downloads)


def _html(results: Results, sections: Sequence[Section]) -> str:
    environment = page_environment(TEMPLATES)
    environment.filters.update(csv=_csv, svg=_svg)
    return environment.get_template("page.html").render(
        title=results.name,
        lead=_lead(results),
        sections=sections,
        light=_variables(HUES, NEUTRAL),
        dark=_variables(DARK_HUES, DARK_NEUTRAL),
    )


def _lead(results: Results) -> str:
    spec = results.spec
    seeds = len(spec["seeds"])
    return (
        f"{len(results.arms)} ways to choose images to label, on {results.data_name} with "
        f"{_models(results)}: {spec['initial']} to {spec['target']} labels, "
        f"{seeds} {'seed' if seeds == 1 else 'seeds'}."
    )


def _models(results: Results) -> str:
    """Return the names of the models of all arms; an arm may set a model of its own."""
    name = results.spec["model"].get("name", "a model")
    arms = (arm for arm in results.spec["arms"] if arm["name"] in results.arms)
    return (
        ", ".join(dict.fromkeys((arm.get("model") or {}).get("name", name) for arm in arms)) or name
    )


def _variables(hues: Sequence[str], neutral: str) -> str:
    """Return the colours of figures as CSS variables."""
    variables = [f"--hue-{number}: {hue};" for number, hue in enumerate(hues)]
    return " ".join([*variables, f"--neutral: {neutral};"])


def _svg(drawing: Drawing) -> "Markup":
    from markupsafe import Markup, escape

    caption = str(escape(drawing.caption))
    return Markup(figures.inline_svg(drawing.figure, drawing.name, caption))


def _csv(table: Table) -> str:
    return f"data:text/csv;charset=utf-8;base64,{base64.b64encode(table.csv.encode()).decode()}"
