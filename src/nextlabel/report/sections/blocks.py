"""The feature blocks: numbers by epoch and pictures of what they learned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nextlabel.report.experiment_record import ExperimentRecord, Trial
from nextlabel.report.figures.block_log import draw_block_log
from nextlabel.report.frame import Table
from nextlabel.report.results import Results
from nextlabel.report.sections.section import Drawing, Section, Sheet
from nextlabel.report.tables import log_frame
from nextlabel.statistics.mixtures import collapsed

Logs = Mapping[int, Sequence[Mapping[str, float]]]


@dataclass(frozen=True, eq=False)
class FittedBlock:
    """A feature block as several arms used it: its trial for each seed, and its numbers."""

    block: str
    arms: tuple[str, ...]
    trials: Mapping[int, Trial]

    @property
    def logs(self) -> Logs:
        """The numbers by epoch, for each seed that has some."""
        logs = {seed: trial.block_logs[self.block] for seed, trial in self.trials.items()}
        return {seed: log for seed, log in sorted(logs.items()) if log}


def build(results: Results) -> Section | None:
    """Return the section; None without a feature block that is fitted."""
    blocks = fitted_blocks(results)
    if not blocks:
        return None
    return Section(
        "Feature blocks",
        parts=tuple(_part(f"block-{number}", block) for number, block in enumerate(blocks)),
        folded=True,
        name="blocks",
    )


def fitted_blocks(record: ExperimentRecord) -> tuple[FittedBlock, ...]:
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
            blocks.append(FittedBlock(block, tuple(arm for arm, _ in same), merged))
    return tuple(blocks)


def _agree(block: str, one: Mapping[int, Trial], other: Mapping[int, Trial]) -> bool:
    return all(
        one[seed].block_logs[block] == other[seed].block_logs[block]
        for seed in one.keys() & other.keys()
    )


def _part(name: str, block: FittedBlock) -> Section:
    text = [f"Used by {', '.join(block.arms)}."]
    seeds = [str(seed) for seed, log in block.logs.items() if collapsed(log)]
    if seeds:
        text.append(
            "Collapsed: the components of its prior ended as one, a single Gaussian, with seed "
            f"{', '.join(seeds)}."
        )
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
        for seed, trial in sorted(block.trials.items())
    )
    return Section(
        block.block,
        text=tuple(text),
        figures=figures,
        parts=tuple(album for album in albums if album.sheets),
    )
