"""The limits of an experiment's results, in sentences."""

from collections.abc import Sequence

from nextlabel.report.comparisons import Pair
from nextlabel.report.experiment_record import ExperimentRecord, Trial
from nextlabel.statistics.latent_activity import logged_activity


def notices(record: ExperimentRecord, pairs: Sequence[Pair]) -> list[str]:
    """Return the limits of the results, in sentences; empty when there is nothing to report."""
    sentences = [
        f"{t.name} failed at {_labels(t)}: {t.state.error or 'no reason was recorded'}. "
        "Nothing is computed from it."
        if t.state.status == "failed"
        else f"{t.name} is incomplete ({_labels(t)} of {record.spec['target']}). "
        "Nothing is computed from it."
        for t in record.incomplete
    ]
    planned = len(record.spec["seeds"])
    for pair in pairs:
        if len(pair.seeds) < planned:
            sentences.append(
                f"{pair.title}: {len(pair.seeds)} of {planned} seeds are complete "
                f"for both ({', '.join(map(str, pair.seeds))}); the others are left out."
            )
    if record.drawn and not record.paired_seeds:
        sentences.append(
            "No seed is complete for all arms: the curves and levels of different arms are over "
            "different seeds. The tests are paired all the same."
        )
    elif any(len(record.complete(arm)) > len(record.paired_seeds) for arm in record.drawn):
        sentences.append(
            "Curves and levels are over the seeds complete for all arms drawn: "
            f"{', '.join(map(str, record.paired_seeds))}."
        )
    complete = [trial for trial in record.trials if trial.complete]
    short = [(t, r) for t in complete for r in t.rounds if not r.training.reached]
    if short:
        rounds = ", ".join(f"{t.name} at {r.labelled_count}" for t, r in short[:8])
        sentences.append(
            f"{len(short)} rounds ended under the required train accuracy (hollow in the "
            f"figures): {rounds}{', …' if len(short) > 8 else ''}."
        )
    sentences += _unpaired(record) + _ceilings(record) + _asleep(record)
    if any(_environment_changed(trial) for trial in record.trials):
        sentences.append("Some trials were continued in another environment; see “Where it ran”.")
    return sentences


def _unpaired(record: ExperimentRecord) -> list[str]:
    sentences = []
    many = len({record.beginning(arm) for arm in record.arms}) > 1
    starts = {seed: set[tuple[object, str | None]]() for seed in record.spec["seeds"]}
    for trial in record.trials:
        if trial.rounds and trial.seed in starts:
            starts[trial.seed].add((record.beginning(trial.arm), trial.state.initial_hash))
    for seed, of_seed in starts.items():
        if len(of_seed) > len({beginning for beginning, _ in of_seed}):
            members = "arms that start alike" if many else "arms"
            sentences.append(
                f"Seed {seed}: not all {members} started from the same initial labels."
            )
    ways = dict.fromkeys(spec.get("start", "random") for spec in record.arms.values())
    if len(ways) > 1:
        sentences.append(
            f"Arms start in different ways ({', '.join(ways)}): differences between arms of "
            "different starts are those of the start as well."
        )
    return sentences


def _ceilings(record: ExperimentRecord) -> list[str]:
    """Return a sentence for the arms that choose by the true labels."""
    names = [name for name, spec in record.arms.items() if spec["strategy"].startswith("oracle")]
    return [
        f"{name} chooses by the true labels, which are unknown before labelling: it is a ceiling, "
        "and not a way to choose."
        for name in names
    ]


def _asleep(record: ExperimentRecord) -> list[str]:
    """Return a sentence for each block that learned little, in some trial of an arm."""
    seeds_by_block: dict[str, dict[str, None]] = {}
    numbers: dict[str, str] = {}
    for trial in record.trials:
        for block, log in trial.block_logs.items():
            learned = logged_activity(log)
            if learned is not None and learned.asleep:
                seeds_by_block.setdefault(block, {})[f"{trial.seed}"] = None
                numbers.setdefault(block, f"{learned}")
    return [
        f"The block {block} learned little with {'seed' if len(seeds) == 1 else 'seeds'} "
        f"{', '.join(sorted(seeds, key=int))}: {numbers[block]}. Differences between arms with and "
        "without it say nothing of a VAE that learned more."
        for block, seeds in seeds_by_block.items()
    ]


def _labels(trial: Trial) -> str:
    return f"{trial.rounds[-1].labelled_count if trial.rounds else 0} labels"


def _environment_changed(trial: Trial) -> bool:
    """Return whether a trial has rounds of more than one environment; weights do not count."""
    machines = [{k: v for k, v in e.items() if k != "weights"} for e in trial.environments]
    return any(machine != machines[0] for machine in machines)
