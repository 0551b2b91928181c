"""The feature blocks: numbers by epoch and pictures of what they learned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nextlabel.report.experiment_record import ExperimentRecord, Trial
from nextlabel.report.figures.block_log import draw_block_log
from nextlabel.report.frame import Table, make_frame
from nextlabel.report.results import Results
from nextlabel.report.sections.picks import PICTURED
from nextlabel.report.sections.section import Drawing, Section, Sheet, TableView, view
from nextlabel.statistics.latent_activity import LOGGED, Activity, logged_activity
from nextlabel.statistics.mixture_collapse import collapsed

if TYPE_CHECKING:
    from pandas import DataFrame

Logs = Mapping[int, Sequence[Mapping[str, float]]]


@dataclass(frozen=True, eq=False)
class ReportedBlock:
    """A feature block as several arms used it: its trial for each seed, and its numbers."""

    block: str
    arms: tuple[str, ...]
    trials: Mapping[int, Trial]

    @property
    def logs(self) -> Logs:
        """The numbers by epoch, for each seed that has some."""
        logs = {seed: trial.block_logs[self.block] for seed, trial in self.trials.items()}
        return {seed: log for seed, log in sorted(logs.items()) if log}

    @property
    def activities(self) -> Mapping[int, Activity]:
        """The activity of the latent dimensions, for each seed for which it was recorded."""
        ends = {seed: logged_activity(log) for seed, log in self.logs.items()}
        return {seed: learned for seed, learned in ends.items() if learned is not None}


def build(results: Results) -> Section | None:
    """Return the section; None without a feature block that is fitted."""
    blocks = reported_blocks(results)
    if not blocks:
        return None
    return Section(
        "Feature blocks",
        subsections=tuple(
            _subsection(f"block-{number}", block) for number, block in enumerate(blocks)
        ),
        folded=True,
        name="blocks",
    )


def reported_blocks(record: ExperimentRecord) -> tuple[ReportedBlock, ...]:
    """Return each fitted block; arms for which a block reported the same numbers share it."""
    groups: dict[str, list[tuple[str, dict[int, Trial]]]] = {}
    for arm in record.arms:
        for block in sorted({block for trial in record.of(arm) for block in trial.block_logs}):
            trials = {trial.seed: trial for trial in record.of(arm) if block in trial.block_logs}
            groups.setdefault(block, []).append((arm, trials))
    blocks = []
    for block, members in groups.items():
        while members:
            _, trials = members[0]
            same = [member for member in members if _agree(block, trials, member[1])]
            merged: dict[int, Trial] = {}
            for _, other in same:
                merged = other | merged
            members = [member for member in members if member not in same]
            blocks.append(ReportedBlock(block, tuple(arm for arm, _ in same), merged))
    return tuple(blocks)


def _agree(block: str, one: Mapping[int, Trial], other: Mapping[int, Trial]) -> bool:
    return all(
        one[seed].block_logs[block] == other[seed].block_logs[block]
        for seed in one.keys() & other.keys()
    )


def _subsection(name: str, block: ReportedBlock) -> Section:
    text = [f"Used by {', '.join(block.arms)}."]
    seeds = [str(seed) for seed, log in block.logs.items() if collapsed(log)]
    if seeds:
        text.append(
            "Collapsed: the components of its prior ended as one, a single Gaussian, with seed "
            f"{', '.join(seeds)}."
        )
    asleep = [str(seed) for seed, learned in block.activities.items() if learned.asleep]
    if asleep:
        text.append(
            f"Learned little with seed {', '.join(asleep)}: what its arms show is not what a VAE "
            "that learned more would show."
        )
    tables: tuple[TableView, ...] = ()
    if block.activities:
        text.append(
            "A latent dimension is active where its posterior mean has a variance above 0.01 over "
            "the images. A straight line in the mean brightness of an image explains the given "
            "share of the variance of all means."
        )
        tables = (view(activity_frame(block.activities)),)
    figures: tuple[Drawing, ...] = ()
    if block.logs:
        caption = f"{block.block}, by epoch of its training."
        table = Table(name, log_frame(block.logs))
        figures = (Drawing(name, caption, draw_block_log(block.logs), table),)
    albums = (
        Section(
            f"Seed {seed}",
            sheets=tuple(Sheet(p.kind, p.png) for p in trial.pictures if p.block == block.block),
            folded=True,
        )
        for seed, trial in sorted(block.trials.items())[:PICTURED]
    )
    return Section(
        block.block,
        text=tuple(text),
        figures=figures,
        tables=tables,
        subsections=tuple(album for album in albums if album.sheets),
    )


def log_frame(logs: Mapping[int, Sequence[Mapping[str, float]]]) -> "DataFrame":
    """Return the numbers that a block reported, by seed and epoch."""
    names = dict.fromkeys(key for log in logs.values() for row in log for key in row)
    return make_frame(
        ("seed", "epoch", *names),
        (
            {**row, "seed": seed, "epoch": epoch}
            for seed, log in logs.items()
            for epoch, row in enumerate(log, 1)
        ),
    )


def activity_frame(activities: Mapping[int, Activity]) -> "DataFrame":
    """Return the activity of the latent dimensions of a fitted VAE, by seed."""
    return make_frame(
        ("seed", *LOGGED),
        ({"seed": seed, **learned.numbers()} for seed, learned in activities.items()),
    )
