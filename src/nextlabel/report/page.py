"""One self-contained HTML file from a store, with its figures and tables as files beside it."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from nextlabel.files.atomic import write_files
from nextlabel.report import figures, formatting, sections, tables
from nextlabel.report import verdict as words
from nextlabel.report.columns import Cell
from nextlabel.report.comparisons import Pair, compare_arms
from nextlabel.report.figures import FORMATS
from nextlabel.report.hypotheses import Verdict, hypothesis_table, judge_hypotheses
from nextlabel.report.map import MEASURES, MapView, map_files, map_views
from nextlabel.report.results import Study, read_study
from nextlabel.report.run_time import run_time_table
from nextlabel.report.summary import SummaryRow, summary_table
from nextlabel.report.sweeps import Sweep, find_sweeps, sweep_table
from nextlabel.report.tables import Table
from nextlabel.store.store import Store

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["ReportPaths", "SummaryRow", "build_report", "summary_table"]


@dataclass(frozen=True)
class ReportPaths:
    """What was written: the page, and every file beside it."""

    html: Path
    files: tuple[Path, ...]


class Drawing(NamedTuple):
    """A figure of the page, with the numbers behind it."""

    name: str
    caption: str
    figure: "Figure"
    table: Table | None


class View(NamedTuple):
    """A table as the page shows it: text, and which columns are numbers."""

    caption: str
    headings: tuple[tuple[str, bool], ...]
    rows: tuple[tuple[str, ...], ...]


def build_report(
    store: Store, experiment: str | None, out: Path, formats: Sequence[str] = FORMATS
) -> ReportPaths:
    """Write report.html, the CSV files, and each figure in `formats` to `out`, from a store alone.

    `experiment` may be None when there is only one. The same store gives the same bytes. Raises
    UsageError for an unknown experiment or format, StoreError when `out` cannot be written.
    """
    study = read_study(store, experiment)
    pairs, claims = compare_arms(study), judge_hypotheses(study)
    mapped = store.maps(study.name)
    words = json.dumps([study.spec, *(found.spec for found in mapped)], ensure_ascii=False)
    with figures.house_style(words):
        drawings = _drawings(study, pairs)
        maps = map_views(mapped, study.spec)
        written = {
            f"{d.name}.{kind}": figures.render(d.figure, kind) for d in drawings for kind in formats
        }
        for view in maps:
            written |= map_files(view, formats)
        html = _html(study, pairs, claims, drawings, maps)
    for table in _tables(study, pairs, claims, drawings):
        written[f"{table.name}.csv"] = table.csv.encode()
    files = {name: written[name] for name in sorted(written)}
    *paths, page = write_files(out, files | {"report.html": html.encode()})  # the page last
    return ReportPaths(page, tuple(paths))


def _drawings(study: Study, pairs: Sequence[Pair]) -> tuple[Drawing, ...]:
    look = figures.styles(study)
    found = []
    if study.drawn:
        curves = [study.curve(arm) for arm in study.drawn]
        found.append(
            Drawing(
                "curves",
                f"All arms: {_curve_caption(study, len(curves[0].seeds))}",
                figures.draw_curves(curves, look, study.headline),
                tables.curve_table("curves", curves),
            )
        )
    for number, pair in enumerate((p for p in pairs if p.twin), 1):
        name = f"twin-{number}"
        found.append(
            Drawing(
                name,
                f"{pair.title}: {_curve_caption(study, len(pair.seeds))}",
                figures.draw_curves(pair.curves[::-1], look, study.headline, 4.0),
                tables.curve_table(name, pair.curves[::-1]),
            )
        )
    if pairs:
        found.append(
            Drawing(
                "differences",
                "Each arm minus its baseline, in area under the curve: a dot for each seed, the "
                "mean and its 95% bootstrap interval as a bar.",
                figures.draw_differences(pairs, look),
                tables.difference_table(pairs),
            )
        )
    return tuple(found + _sweep_drawings(study) + _block_drawings(study))


def _sweep_drawings(study: Study) -> list[Drawing]:
    return [
        Drawing(
            f"alpha-{number}",
            _sweep_caption(sweep),
            figures.draw_sweep(sweep, study.headline),
            sweep_table(number, sweep),
        )
        for number, sweep in enumerate(find_sweeps(study), 1)
    ]


def _sweep_caption(sweep: Sweep) -> str:
    seeds = f"{len(sweep.seeds)} paired seeds" if len(sweep.seeds) > 1 else "a single seed"
    bars = (
        "; bars: the 95% bootstrap intervals of the paired differences to α = 0, the broken line"
        if any(point.against_zero for point in sweep.points)
        else "; there is no arm at α = 0 to compare with"
    )
    return f"Area under the curve against {sweep.title}: mean over {seeds}{bars}."


def _block_drawings(study: Study) -> list[Drawing]:
    found = []
    for number, block in enumerate(sections.block_records(study)):
        if block.logs:
            name, caption = f"block-{number}", f"{block.block}, by epoch of its training."
            table = tables.log_table(name, block.logs)
            found.append(Drawing(name, caption, figures.draw_log(block.logs), table))
    return found


def _curve_caption(study: Study, seeds: int) -> str:
    spread = f"mean ± 1 s.d. over {seeds} paired seeds" if seeds > 1 else "a single seed"
    return f"{study.headline} against labelled images, {spread}."


def _tables(
    study: Study, pairs: Sequence[Pair], claims: Sequence[Verdict], drawings: Sequence[Drawing]
) -> list[Table]:
    """Return every table that becomes a CSV file."""
    return [
        *(d.table for d in drawings if d.table is not None),
        *([hypothesis_table(claims)] if claims else []),
        tables.area_table(study, pairs),
        tables.count_table(pairs),
        tables.saving_table(pairs),
        tables.metric_table(study),
        tables.time_table(study),
        run_time_table(study, pairs),
        tables.trial_table(study),
        tables.round_table(study),
    ]


def _html(
    study: Study,
    pairs: Sequence[Pair],
    claims: Sequence[Verdict],
    drawings: Sequence[Drawing],
    maps: Sequence[MapView],
) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(uri=_uri, csv_uri=_csv_uri, svg=_svg)
    return environment.get_template("page.html").render(
        study=study,
        drawings=drawings,
        sweeps=[d.name for d in drawings if d.name.startswith("alpha-")],
        verdict=words.verdict(study, pairs, claims),
        hypotheses=_hypotheses(claims),
        notices=words.notices(study, pairs),
        areas=_areas(study, pairs),
        counts=_counts(pairs),
        savings=_savings(pairs),
        metrics=_metrics(study),
        times=_view("Each arm", tables.time_table(study)),
        run_times=_view("Each pair", run_time_table(study, pairs)),
        maps=[_map(view) for view in maps],
        picks=sections.picks(study),
        blocks=sections.block_records(study),
        arms=_arms(study),
        record=sections.record(study),
        trials=_trials(study),
        spec=json.dumps(study.spec, indent=2, ensure_ascii=False),
        downloads=_tables(study, pairs, claims, ()),
    )


def _view(caption: str, table: Table, columns: Sequence[str] | None = None) -> View:
    """Return a table, or some of its columns, as text."""
    chosen = [
        (place, column)
        for place, column in enumerate(table.columns)
        if columns is None or column.name in columns
    ]
    return View(
        caption,
        tuple((column.heading, column.kind != "text") for _, column in chosen),
        tuple(
            tuple(formatting.show(row[place], column.kind) for place, column in chosen)
            for row in table.rows
        ),
    )


def _areas(study: Study, pairs: Sequence[Pair]) -> tuple[View, View]:
    table = tables.area_table(study, pairs)
    compared = Table(table.name, table.columns, tuple(r for r in table.rows if r[6] is not None))
    level = _view("Levels", table, ("arm", "seeds", "aubc", "aubc_sd", "aubc_log2"))
    names = ("arm", "baseline", "pairs", "difference", "low", "high")
    rest = ("effect_dz", "p", "p_holm", "detectable")
    raw = _view("Differences to the baselines", compared, names + rest)
    main = {pair.arm for pair in pairs if pair.primary}
    rows = tuple((arm + " (primary)" * (arm in main), *row) for arm, *row in raw.rows)
    return level, _with_interval(View(raw.caption, raw.headings, rows), 4)


def _counts(pairs: Sequence[Pair]) -> list[View]:
    views = []
    for pair in pairs:
        table = tables.count_table([pair])
        noted = any(row[-1] for row in table.rows)
        names = [c.name for c in table.columns[2:] if noted or c.name != "note"]
        views.append(_view(pair.title, table, names))
    return views


def _savings(pairs: Sequence[Pair]) -> View:
    table = tables.saving_table(pairs)
    last = tuple(tables.saving_table([pair]).rows[-1] for pair in pairs)
    names = ("arm", "baseline", "level", "baseline_needs", "arm_needs", "saved")
    view = _view("", Table(table.name, table.columns, last), (*names, "saved_low", "saved_high"))
    return _with_interval(view, 6)


def _with_interval(view: View, place: int) -> View:
    """Return a view whose columns `place` and the next, two ends, are one."""
    headings = (*view.headings[:place], ("95% interval", True), *view.headings[place + 2 :])
    rows = tuple(
        (*row[:place], _interval(*row[place : place + 2]), *row[place + 2 :]) for row in view.rows
    )
    return View(view.caption, headings, rows)


def _interval(low: str, high: str) -> str:
    return low if low == high == formatting.NONE else f"{low} to {high}"


def _hypotheses(claims: Sequence[Verdict]) -> View:
    names = ("hypothesis", "pairs", "difference", "low", "high", "effect_dz", "p", "p_holm")
    rest = ("detectable", "level", "against_needs", "arms_need", "saved", "saved_low", "saved_high")
    return _with_interval(_with_interval(_view("", hypothesis_table(claims), names + rest), 13), 3)


def _metrics(study: Study) -> list[View]:
    """Return the last round's metrics, one table for validation and one for test."""
    cells = {(row[0], row[1]): row for row in tables.metric_table(study).rows}
    views = []
    for part in dict.fromkeys(metric.split("/")[0] for metric in study.metrics):
        names = [metric for metric in study.metrics if metric.split("/")[0] == part]
        rows = tuple(
            (arm, *(_mean_and_spread(*cells.get((arm, name), (None,) * 5)[3:]) for name in names))
            for arm in study.drawn
        )
        headings = tuple((name.partition("/")[2] or name, True) for name in names)
        views.append(View(part, (("arm", False), *headings), rows))
    return views


def _map(view: MapView) -> dict[str, Any]:
    """Return what the page shows of a map."""
    names = ("space", "measured_in", *(column.name for column in MEASURES))
    return {
        "view": view,
        "drawing": Drawing(view.name, view.caption, view.figure, view.points),
        "numbers": _view("", view.numbers, names),
        "seconds": _view("", view.seconds),
    }


def _mean_and_spread(mean: Cell, spread: Cell) -> str:
    shown = formatting.show(mean, "number")
    return shown if spread is None else f"{shown} ± {formatting.show(spread, 'spread')}"


def _trials(study: Study) -> View:
    view = _view("", tables.trial_table(study))
    short = tuple((*row[:5], row[5][:12], row[6][:12], row[7]) for row in view.rows)
    return View("", view.headings, short)


def _arms(study: Study) -> View:
    """Return what each arm is; what no arm has beside its training is left out."""
    beside = any(arm.get("side") or arm.get("loss_head") for arm in study.arms.values())
    names = ("scale", "baseline", "start")
    rows = []
    for arm in study.arms.values():
        options = ", ".join(f"{k} = {v}" for k, v in (arm.get("options") or {}).items())
        strategy = f"{arm['strategy']} ({options})" if options else str(arm["strategy"])
        side = [_weighted(arm.get("side") or {})] if arm.get("side") else []
        head = ["loss head"] if arm.get("loss_head") else []
        more = [", ".join(side + head) or formatting.NONE] if beside else []
        rest = (formatting.show(arm.get(name)) for name in names)
        rows.append((str(arm["name"]), strategy, _weighted(arm["features"]), *more, *rest))
    headings = ("arm", "strategy", "features", *(["beside the training"] * beside), *names)
    return View("", tuple((name, False) for name in headings), tuple(rows))


def _weighted(blocks: Mapping[str, float]) -> str:
    return " ".join(f"{block} × {weight:g}" for block, weight in blocks.items())


def _svg(drawing: Drawing) -> Any:
    from markupsafe import Markup, escape

    return Markup(figures.inline_svg(drawing.figure, drawing.name, str(escape(drawing.caption))))


def _uri(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def _csv_uri(table: Table) -> str:
    return f"data:text/csv;charset=utf-8;base64,{base64.b64encode(table.csv.encode()).decode()}"
