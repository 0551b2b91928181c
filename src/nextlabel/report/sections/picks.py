"""The picked images: the share of each class, the next files to label, and contact sheets."""

from itertools import zip_longest

import numpy as np

from nextlabel.report.experiment_record import Trial
from nextlabel.report.figures import arm_styles
from nextlabel.report.figures.class_shares import MOST_CLASSES, draw_class_shares
from nextlabel.report.formatting import show
from nextlabel.report.frame import Table
from nextlabel.report.picks import ClassShares, describe
from nextlabel.report.results import Results
from nextlabel.report.sections.section import (
    Download,
    Drawing,
    Heading,
    Section,
    Sheet,
    TableView,
)

LISTED = 64
"""The most file names under a contact sheet, which shows as many images; all are in the CSV."""
SEEDS = 4
"""The most seeds in a table of next picks; all are in the CSV."""
PICTURED = 20
"""The most seeds with contact sheets: a page of more would be too large to open."""
ODD = 0.05
"""The smallest difference of a class share to that of the pool that the page points out."""


def build(results: Results) -> Section | None:
    """Return the section; None before the first round."""
    if not any(trial.rounds for trial in results.trials):
        return None
    subsections = [_next_picks(results), _contact_sheets(results)]
    shares = results.class_shares
    text = (
        "Every picked image, by arm, seed and round in the order of choice, is in picks.csv"
        + (" with its file name and its class." if results.data is not None else " by its id."),
    )
    return Section(
        "What was picked",
        text=(*text, *odd_sentences(shares)),
        figures=(_drawing(results, shares),) if shares else (),
        tables=(_overall(shares),) if shares else (),
        downloads=(Download(Table("picks", results.picks()), "CSV of all picks"),),
        subsections=tuple(one for one in subsections if one is not None),
        name="picks",
    )


def odd_sentences(shares: tuple[ClassShares, ...]) -> list[str]:
    """Return a sentence per arm whose picks have clearly more of a class than the pool."""
    sentences = []
    for arm in shares:
        images = max(1, int(arm.images.sum()))
        excess = arm.overall - arm.pool
        noise = 3 * np.sqrt(arm.pool * (1 - arm.pool) / images)
        top = int(np.argmax(excess))
        if excess[top] > max(ODD, float(noise[top])):
            sentences.append(
                f"{100 * arm.overall[top]:.0f}% of the picks of {arm.arm} are of class "
                f"{arm.classes[top]}, of which the pool has {100 * arm.pool[top]:.0f}%."
            )
    if sentences:
        sentences.append(
            "A strategy that seeks distant or uncertain images, as core-set does, picks the odd "
            "ones. That can help or hurt a model: the curves show which. But the picks are not a "
            "random sample, so do not estimate class frequencies from them."
        )
    return sentences


def _drawing(results: Results, shares: tuple[ClassShares, ...]) -> Drawing:
    limit = f" The first {MOST_CLASSES} classes." if len(shares[0].classes) > MOST_CLASSES else ""
    caption = (
        "The share of each class in the batch of a round, over all complete seeds; the dashed "
        f"line is its share of the pool, which random choice follows.{limit}"
    )
    figure = draw_class_shares(shares, arm_styles(results.arms))
    table = Table("class_shares", results.class_share_table())
    return Drawing("class-shares", caption, figure, table)


def _overall(shares: tuple[ClassShares, ...]) -> TableView:
    """Return the share of each class in all picks, of each arm and of the pool.

    Classes or arms are the columns, of which there are fewer, so that the table fits a phone.
    """
    classes = shares[0].classes[:MOST_CLASSES]
    by_name = {"the pool": shares[0].pool} | {arm.arm: arm.overall for arm in shares}
    cells = [
        ["arm", *classes],
        *(
            [name, *(show(share, "share") for share in values[: len(classes)].tolist())]
            for name, values in by_name.items()
        ),
    ]
    if len(classes) > len(by_name):
        cells = [["class", *classes], *cells[1:]]
        cells = [list(row) for row in zip(*cells, strict=True)]
    headings = tuple(Heading(name, number > 0) for number, name in enumerate(cells[0]))
    rows = tuple(tuple(row) for row in cells[1:])
    return TableView(headings, rows, "Share of each class in all picks")


def _next_picks(results: Results) -> Section | None:
    """Return the images that each arm would label next, the first of them first."""
    trials = [trial for trial in results.trials if trial.next_picks is not None]
    if not trials:
        return None
    subsections = []
    for arm in dict.fromkeys(trial.arm for trial in trials):
        of_arm = [trial for trial in trials if trial.arm == arm][:SEEDS]
        columns = {trial.seed: _described(results, trial) for trial in of_arm}
        rows = [
            (str(order), *names)
            for order, names in enumerate(zip_longest(*columns.values(), fillvalue=""), 1)
        ]
        seeds = (Heading(f"seed {seed}", False) for seed in columns)
        subsections.append(
            Section(arm, tables=(TableView((Heading("", True), *seeds), tuple(rows)),), folded=True)
        )
    return Section(
        "What each arm would label next",
        text=(
            "The images that an arm picks with the model of its last round, the first choice "
            "first. They are unlabelled in this experiment.",
        ),
        downloads=(Download(Table("next_picks", results.next_picks())),),
        subsections=tuple(subsections),
        folded=True,
    )


def _described(results: Results, trial: Trial) -> list[str]:
    ids = [] if trial.next_picks is None else trial.next_picks.tolist()
    return [describe(image, results.data) for image in ids]


def _contact_sheets(results: Results) -> Section | None:
    """Return the pictures of rounds by arm and seed; a start that all arms share comes once."""
    seeds = results.spec["seeds"][:PICTURED]
    pictured = [trial for trial in results.trials if trial.seed in seeds]
    shared = {seed: _shared_start([t for t in pictured if t.seed == seed]) for seed in seeds}
    starts = tuple(
        Section(f"Seed {trial.seed}", sheets=_sheets(results, trial, None)[:1], folded=True)
        for seed, trial in shared.items()
        if trial is not None
    )
    arms = [Section("All arms, at first", subsections=starts, folded=True)] if starts else []
    for arm in results.arms:
        of_arm = tuple(
            Section(f"Seed {trial.seed}", sheets=sheets, folded=True)
            for trial in pictured
            if trial.arm == arm and (sheets := _sheets(results, trial, shared.get(trial.seed)))
        )
        if of_arm:
            arms.append(Section(arm, subsections=of_arm, folded=True))
    text = (f"The first {PICTURED} seeds.",) if len(results.spec["seeds"]) > PICTURED else ()
    return Section("Contact sheets", text, subsections=tuple(arms), folded=True) if arms else None


def _shared_start(of_seed: list[Trial]) -> Trial | None:
    """Return a trial whose picture of the initial labels is the same for all trials of a seed."""
    trials = [trial for trial in of_seed if trial.rounds]
    starts = [[p.png for p in trial.pictures if p.number == 0] for trial in trials]
    if len(starts) < 2 or any(len(start) != 1 or start != starts[0] for start in starts):
        return None
    return trials[0]


def _sheets(results: Results, trial: Trial, shared: Trial | None) -> tuple[Sheet, ...]:
    rounds = {r.number: r for r in trial.rounds}
    return tuple(
        Sheet(
            _caption(p.number, rounds[p.number].labelled_count, p.kind),
            p.png,
            _names(results, rounds[p.number].chosen.tolist()),
        )
        for p in trial.pictures
        if p.number is not None and not (p.number == 0 and shared is not None)
    )


def _names(results: Results, ids: list[int]) -> tuple[str, ...]:
    if results.data is None:
        return ()
    names = tuple(describe(image, results.data) for image in ids[:LISTED])
    more = len(ids) - len(names)
    return (*names, f"and {more} more in picks.csv") if more else names


def _caption(number: int, labelled: int, kind: str) -> str:
    description = (
        "the initial labels" if number == 0 else f"round {number}, up to {labelled} labels"
    )
    return description if kind == "picked" else f"{description}: {kind}"
