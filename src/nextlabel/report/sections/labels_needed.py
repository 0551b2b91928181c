"""The labels that every arm needs for what random choice reaches at best."""

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nextlabel.core.seeds import Seeds
from nextlabel.report.experiment_record import ExperimentRecord, common
from nextlabel.report.figures import arm_styles
from nextlabel.report.figures.labels_needed import Need, draw_labels_needed
from nextlabel.report.formatting import show
from nextlabel.report.frame import Row, Table, make_frame
from nextlabel.report.results import Results
from nextlabel.report.sections.section import Download, Drawing, Section, view
from nextlabel.report.tables import NOT_REACHED, reached
from nextlabel.statistics import attainable, label_saving, need_interval

if TYPE_CHECKING:
    from pandas import DataFrame

LEVEL_DIGITS = 9
"""Digits of a level that are compared: beyond them, it is rounding."""
COLUMNS = ("arm", "random_arm", "level", "needs", "needs_low", "needs_high", "confidence")


def build(results: Results) -> Section | None:
    """Return the section; None without an arm of random choice and another one."""
    references = random_arms(results)
    if not references or len(results.drawn) < 2:
        return None
    frame = needs_frame(results, references)
    shown = [name for name in references if name in (_control(results, references), references[0])]
    table = frame[["arm"]].drop_duplicates().set_index("arm")
    headings, needs_by_level = {}, {}
    for name in shown:
        rows = frame[frame["random_arm"] == name]
        cells = rows.astype(object).where(rows.notna(), None).to_dict("records")
        table[name] = [_cell(row) for row in cells]
        levels = rows["level"].dropna().round(LEVEL_DIGITS).unique()
        same = f": {show(levels[0], 'number')}" if len(levels) == 1 else ""
        headings[name] = f"{name}{same}"  # arms of other seeds have other levels
        needs_by_level[headings[name]] = [_need(row) for row in cells if row["level"] is not None]
    return Section(
        "Labels needed",
        text=(
            "The number of labels that an arm needs for the best level that random choice reached, "
            "with its interval, read off the mean curves as above. If it is the first number of "
            "labels, fewer may do. “From” means that some subsets of the seeds do not reach the "
            "level.",
        ),
        figures=_figures(results, needs_by_level),
        tables=(view(table.reset_index(), headings=headings),),
        downloads=(Download(Table("labels_needed", frame), "CSV, for every random arm"),),
        folded=True,
        name="needed",
    )


def random_arms(record: ExperimentRecord) -> list[str]:
    """Return the arms of random choice alone, the one that reaches most first."""
    names = [name for name in record.drawn if _is_random(record.arms[name])]
    return sorted(names, key=lambda name: -record.curve(name).mean.max())


def _is_random(arm: Mapping[str, Any]) -> bool:
    """Return whether an arm draws all of its images at random."""
    strategies = {arm["strategy"], arm.get("start", "random")}
    return strategies == {"random"} and "then" not in (arm.get("options") or {})


def needs_frame(record: ExperimentRecord, references: list[str]) -> "DataFrame":
    """Return one row per arm and random arm; an arm needs nothing to be compared with itself."""
    rows = (_row(record, arm, name) for arm in record.drawn for name in references)
    return make_frame(COLUMNS, rows)


def _row(record: ExperimentRecord, arm: str, reference: str) -> Row:
    row: dict[str, Any] = {"arm": arm, "random_arm": reference}
    seeds = common((record.complete(arm), record.complete(reference)))
    if arm == reference or not seeds:
        return row
    values, others = (record.curve(name, seeds).values for name in (arm, reference))
    saving = label_saving(record.counts, values.mean(axis=0), others.mean(axis=0))[-1]
    rng = Seeds(0).rng(f"subsets {arm} needs {reference}")
    ends = need_interval(record.counts, values, others, rng)
    row |= {"level": saving.level, "needs": reached(saving.arm_needs)}
    if ends is None:
        return row
    low, high = map(reached, ends)
    return row | {"needs_low": low, "needs_high": high, "confidence": attainable(len(seeds))}


def _control(record: ExperimentRecord, references: list[str]) -> str | None:
    """Return the random arm whose model reads PCA alone, if there is one."""
    for name in references:
        model = record.arms[name].get("model") or record.spec["model"]
        if set(model.get("blocks") or ()) == {"pca"}:
            return name
    return None


def _figures(results: Results, needs_by_level: Mapping[str, Sequence[Need]]) -> tuple[Drawing, ...]:
    """Return the figure, if there is anything to compare."""
    if not any(needs_by_level.values()):
        return ()
    figure = draw_labels_needed(needs_by_level, arm_styles(results.arms), results.counts[-1])
    caption = (
        "A tick is the labels that an arm needs, a bar the interval. At an arrow, some subsets of "
        "the seeds do not reach the level, or none does."
    )
    return (Drawing("labels-needed", caption, figure),)


def _need(row: Mapping[Hashable, Any]) -> Need:
    """Return a row for the figure."""
    labels, low, high = (
        None if row[name] == NOT_REACHED else row[name]
        for name in ("needs", "needs_low", "needs_high")
    )
    return Need(row["arm"], labels, low, high)


def _cell(row: Mapping[Hashable, Any]) -> str:
    """Return the labels needed as text, with the interval in parentheses."""
    needs, low, high = (show(row[name], "labels") for name in ("needs", "needs_low", "needs_high"))
    if row["needs_low"] in (None, NOT_REACHED):
        return needs
    return (
        f"{needs} (from {low})"
        if row["needs_high"] == NOT_REACHED
        else f"{needs} ({low} to {high})"
    )
