"""What the page shows besides curves and tables: the record of the run, and its pictures."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nextlabel.report.results import Study, Trial
from nextlabel.statistics.mixtures import collapsed

EVERYWHERE = "all arms, at first"


@dataclass(frozen=True)
class Sheet:
    """A picture and what it shows."""

    caption: str
    png: bytes


@dataclass(frozen=True)
class Album:
    """Pictures of one seed."""

    seed: int
    sheets: tuple[Sheet, ...]


@dataclass(frozen=True, eq=False)
class BlockRecord:
    """What a feature block left in the arms that use it: numbers by epoch, and pictures by seed."""

    block: str
    arms: tuple[str, ...]
    logs: Mapping[int, Sequence[Mapping[str, float]]]
    albums: tuple[Album, ...]

    @property
    def collapsed(self) -> tuple[int, ...]:
        """The seeds whose mixture of components ended as one."""
        return tuple(seed for seed, log in self.logs.items() if collapsed(log))


Facts = tuple[tuple[str, str], ...]


def picks(study: Study) -> dict[str, tuple[Album, ...]]:
    """Return the pictures of rounds by arm and seed; what all arms began with stands once."""
    shared = {seed: _shared_start(study, seed) for seed in study.spec["seeds"]}
    found = {
        EVERYWHERE: tuple(
            Album(seed, (Sheet("the initial labels", png),))
            for seed, png in shared.items()
            if png is not None
        )
    }
    for arm in study.arms:
        found[arm] = tuple(
            Album(trial.seed, sheets)
            for trial in study.of(arm)
            if (sheets := _sheets(trial, shared.get(trial.seed)))
        )
    return {arm: albums for arm, albums in found.items() if albums}


def _shared_start(study: Study, seed: int) -> bytes | None:
    """Return the picture of the initial labels when all arms of a seed have the same one."""
    starts = [
        [p.png for p in trial.pictures if p.number == 0]
        for trial in study.trials
        if trial.seed == seed and trial.rounds
    ]
    if len(starts) < 2 or any(len(s) != 1 or s != starts[0] for s in starts):
        return None
    return starts[0][0]


def _sheets(trial: Trial, shared: bytes | None) -> tuple[Sheet, ...]:
    labelled = {r.number: r.labelled_count for r in trial.rounds}
    return tuple(
        Sheet(_caption(p.number, labelled[p.number], p.kind), p.png)
        for p in trial.pictures
        if p.number is not None and not (p.number == 0 and p.png == shared)
    )


def _caption(number: int, labelled: int, kind: str) -> str:
    what = "the initial labels" if number == 0 else f"round {number}, up to {labelled} labels"
    return what if kind == "picked" else f"{what}: {kind}"


def block_records(study: Study) -> tuple[BlockRecord, ...]:
    """Return what blocks left; arms whose block left the same numbers are taken together."""
    groups: dict[str, list[tuple[str, dict[int, Trial]]]] = {}
    for arm in study.arms:
        for block in sorted({b for t in study.of(arm) for b in t.block_logs or {}}):
            trials = {t.seed: t for t in study.of(arm) if block in (t.block_logs or {})}
            groups.setdefault(block, []).append((arm, trials))
    records = []
    for block, members in groups.items():
        while members:
            _, trials = members[0]
            alike = [m for m in members if _agree(block, trials, m[1])]
            merged: dict[int, Trial] = {}
            for _, found in alike:
                merged = found | merged
            members = [m for m in members if m not in alike]
            records.append(_record(block, tuple(a for a, _ in alike), merged))
    return tuple(records)


def _agree(block: str, one: Mapping[int, Trial], other: Mapping[int, Trial]) -> bool:
    return all(
        (one[seed].block_logs or {})[block] == (other[seed].block_logs or {})[block]
        for seed in one.keys() & other.keys()
    )


def _record(block: str, arms: tuple[str, ...], trials: Mapping[int, Trial]) -> BlockRecord:
    seeds = sorted(trials)
    albums = (
        Album(seed, tuple(Sheet(p.kind, p.png) for p in trials[seed].pictures if p.block == block))
        for seed in seeds
    )
    logs = {seed: (trials[seed].block_logs or {})[block] for seed in seeds}
    return BlockRecord(
        block,
        arms,
        {s: log for s, log in logs.items() if log},
        tuple(a for a in albums if a.sheets),
    )


def record(study: Study) -> dict[str, Facts]:
    """Return what was run, on what and where, as names and values under headings."""
    spec = study.spec
    weights = {r.training.weights for t in study.trials for r in t.rounds}
    labels = {
        "seeds": spec["seeds"],
        "labels": f"{spec['initial']} at first, {spec['batch']} a round, up to {spec['target']}",
        "metric of curves and tests": study.headline,
        "primary test": _primary(spec),
        "weights that training started from": sorted(weights),
        "trained on": sorted(_machines(study)),
        "initial labels": _starts(study),
    }
    environments = [e for t in study.trials for e in t.environments or (t.state.environment,) if e]
    return {
        "Experiment": flatten(labels),
        "Data": flatten(_plain(spec.get("data"))),
        "Model": flatten(_plain(spec.get("model"))),
        "Training": flatten(_plain(spec.get("training"))),
        "Feature blocks": flatten(_plain(spec.get("blocks"))),
        "Where it ran": _together(environments),
    }


def _machines(study: Study) -> set[str]:
    """Return device and precision of the trials, as their settings stood for there."""
    trained = [_plain(trial.state.record.spec.get("training")) for trial in study.trials]
    return {
        f"{t['device']} in {t['precision']}" for t in trained if {"device", "precision"} <= set(t)
    }


def _primary(spec: Mapping[str, Any]) -> str | None:
    name = spec.get("primary")
    if name is None:
        return None
    baseline = next((a.get("baseline") for a in spec["arms"] if a["name"] == name), None)
    return f"{name} against {baseline}"


def _starts(study: Study) -> dict[str, str]:
    """Return for each seed, and each way of starting where there are more, what is shared."""
    many = len({study.beginning(arm) for arm in study.arms}) > 1
    found: dict[str, set[str | None]] = {}
    for trial in study.trials:
        if trial.rounds:
            start, space = study.beginning(trial.arm)
            way = f", {start}{f' ({space})' * bool(space)}" if many else ""
            found.setdefault(f"seed {trial.seed}{way}", set()).add(trial.state.initial_hash)
    return {place: _pairing(hashes, many) for place, hashes in found.items()}


def _pairing(hashes: set[str | None], many: bool) -> str:
    who = "all arms that start so" if many else "all arms"
    if len(hashes) > 1 or None in hashes:
        return f"not the same for {who}"
    return f"the same for {who}, {str(next(iter(hashes)))[:16]}…"


def _plain(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def flatten(values: Mapping[str, Any], prefix: str = "") -> Facts:
    """Return nested settings as dotted names and text, without those that are not set."""
    facts: list[tuple[str, str]] = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            facts += flatten(value, f"{prefix}{name}.")
        elif isinstance(value, list | tuple):
            if value:
                facts.append((prefix + name, ", ".join(map(str, value))))
        elif value is not None:
            facts.append((prefix + name, str(value)))
    return tuple(facts)


def _together(environments: Iterable[Mapping[str, Any]]) -> Facts:
    """Return each fact once, with all the values that it had in different trials."""
    found: dict[str, list[str]] = {}
    for environment in environments:
        for name, value in flatten(environment):
            values = found.setdefault(name, [])
            if value not in values:
                values.append(value)
    return tuple((name, " · ".join(values)) for name, values in found.items())
