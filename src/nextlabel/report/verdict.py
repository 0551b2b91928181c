"""The result of an experiment in sentences."""

from collections.abc import Sequence

from nextlabel.report.comparisons import Pair
from nextlabel.report.formatting import p_value, signed
from nextlabel.report.hypotheses import Verdict
from nextlabel.report.results import Study, Trial
from nextlabel.statistics import ALPHA


def name_trial(trial: Trial) -> str:
    """Return how a trial is called in a sentence."""
    return f"{trial.arm}, seed {trial.seed}"


def verdict(study: Study, pairs: Sequence[Pair], claims: Sequence[Verdict] = ()) -> list[str]:
    """Return what the experiment showed, sentence by sentence.

    The primary test comes first, then the stated hypotheses, then all else.
    """
    if not study.drawn:
        return [
            f"No trial has reached the target of {study.spec['target']} labels yet, so there is "
            "nothing to compare. Run the same command again to go on."
        ]
    primary = next((pair for pair in pairs if pair.primary), None)
    name = study.spec.get("primary")
    if primary is not None:
        found = [_headline(primary), *_test(primary), *_power(primary)]
    elif name is not None:
        found = [
            f"The primary test, {name} against {study.arms[name].get('baseline')}, is not "
            "possible yet: no seed is complete for both arms."
        ]
    elif claims:
        found = []
    else:
        found = [
            "This experiment names no primary test: all p-values below are exploratory, and a "
            "small one among many is no proof."
        ]
    return found + hypotheses(claims) + _secondary(pairs)


def hypotheses(claims: Sequence[Verdict]) -> list[str]:
    """Return how the stated hypotheses fell, whichever way; nothing where none are stated."""
    if not claims:
        return []
    held = [v for v in claims if v.p_holm is not None and v.p_holm <= ALPHA and _as_claimed(v)]
    of = "the one hypothesis stated" if len(claims) == 1 else f"{len(claims)} hypotheses stated"
    count = "none" if not held else str(len(held))
    found = [f"Of {of} in the experiment, {count} {'is' if len(held) < 2 else 'are'} supported."]
    if any(len(v.seeds) < v.planned for v in claims):
        found.append(
            f"Not all {claims[0].planned} seeds are complete for all of their arms yet: this is an "
            "interim look and no verdict, since who looks again after every seed finds differences "
            "by chance."
        )
    return found + [_fell(claim, claim in held) for claim in claims]


def _as_claimed(claim: Verdict) -> bool:
    return claim.area is not None and (claim.alternative == "two-sided" or claim.area.mean > 0)


def _fell(claim: Verdict, held: bool) -> str:
    head = f"“{claim.name}”"
    if claim.area is None:
        return f"{head} cannot be tested yet: no seed is complete for all of its arms."
    area = claim.area
    span = f"95% bootstrap interval {signed(area.low)} to {signed(area.high)}"
    told = (
        f"over {area.n} paired {'seed' if area.n == 1 else 'seeds'} the area under the curve of "
        f"{claim.title} differs by {signed(area.mean)} ({span})"
    )
    if area.test.p is None or claim.p_holm is None:
        return f"{head} cannot be tested: {told}, and one pair allows no test."
    sides = "one-sided" if claim.alternative == "greater" else "two-sided"
    fell = "is supported" if held else "is not supported"
    if not held and claim.alternative == "greater" and area.mean < 0:
        fell += ", and the difference goes the other way"
    least = area.test.smallest_p
    limit = ""
    if not held and least is not None and least > ALPHA:
        limit = f"; with {area.n} pairs p cannot fall below {p_value(least)}"
    return (
        f"{head} {fell}: {told}, {sides} p = {p_value(area.test.p)}, after Holm "
        f"{p_value(claim.p_holm)}{limit}.{_saved(claim)}"
    )


def _saved(claim: Verdict) -> str:
    """Return what the arms save of the labels that the others were given, in a sentence."""
    saving = claim.saving
    if saving is None:
        return ""
    level, needs = f"{saving.level:.4f}", f"{saving.baseline_needs:.0f}"
    if saving.arm_needs is None or saving.saved is None:
        text = f" They do not reach {level}, for which the others need {needs} labels"
    else:
        text = f" They reach {level} with {saving.arm_needs:.0f} labels, the others with {needs}"
    if claim.interval is None:
        return f"{text}."
    low, high = ("not reached" if end is None else signed(end, 0) for end in claim.interval)
    return f"{text} (labels saved, 95% bootstrap interval: {low} to {high})."


def _secondary(pairs: Sequence[Pair]) -> list[str]:
    others = [pair for pair in pairs if not pair.primary and pair.p_holm is not None]
    if not others:
        return []
    clear = [
        f"{p.arm} is {_direction(p)} than {p.baseline} (p = {p_value(p.p_holm)})"
        for p in others
        if p.p_holm is not None and p.p_holm <= ALPHA
    ]
    count = (
        "the one other comparison" if len(others) == 1 else f"the {len(others)} other comparisons"
    )
    return [
        f"Of {count}, after Holm’s correction: "
        + ("; ".join(clear) if clear else f"none has a p of {ALPHA:g} or less")
        + "."
    ]


def _direction(pair: Pair) -> str:
    return "better" if pair.area.mean > 0 else "worse"


def _headline(pair: Pair) -> str:
    p, mean = pair.area.test.p, pair.area.mean
    if p is None:
        return (
            f"With one pair of seeds no test is possible: {pair.arm} differs from {pair.baseline} "
            f"by {signed(mean)}, which may be chance."
        )
    if mean == 0 and pair.area.deviation == 0:
        return f"{pair.arm} and {pair.baseline} are the same on every seed."
    if p > ALPHA:
        return f"No difference was shown between {pair.arm} and {pair.baseline}."
    return f"{pair.arm} is {_direction(pair)} than {pair.baseline}."


def _test(pair: Pair) -> list[str]:
    area = pair.area
    if area.test.p is None:
        return []
    effect = "" if area.effect is None else f", effect d_z = {signed(area.effect, 2)}"
    kind = "by random sign flips" if area.test.note.startswith("by ") else "by exact sign flips"
    return [
        f"Primary test: over {area.n} paired seeds the area under the curve differs by "
        f"{signed(area.mean)} (95% bootstrap interval {signed(area.low)} to {signed(area.high)}"
        f"{effect}); p = {p_value(area.test.p)} {kind}."
    ]


def _power(pair: Pair) -> list[str]:
    area = pair.area
    if area.test.smallest_p is None:
        return []
    sentences = [
        f"With {area.n} pairs p cannot fall below {p_value(area.test.smallest_p)}"
        + (
            f": at the {ALPHA:g} level this test could not have shown any difference, however "
            "large; run at least 6 seeds."
            if area.test.smallest_p > ALPHA
            else "."
        )
    ]
    if area.detectable:
        sentences.append(
            f"With differences that vary as they do here, a paired t test on {area.n} pairs finds "
            f"a true difference of {area.detectable:.4f} or more in 80% of runs; a smaller one "
            "would mostly be missed."
        )
    return sentences


def notices(study: Study, pairs: Sequence[Pair]) -> list[str]:
    """Return what a reader must know before trusting the numbers; empty when all is well."""
    found = [
        f"{name_trial(t)} failed at {_labels(t)}: {t.state.error or 'no reason was recorded'}. "
        "Nothing is computed from it."
        if t.state.status == "failed"
        else f"{name_trial(t)} is incomplete ({_labels(t)} of {study.spec['target']}). "
        "Nothing is computed from it."
        for t in study.incomplete
    ]
    for pair in pairs:
        if len(pair.seeds) < len(study.spec["seeds"]):
            found.append(
                f"{pair.title}: {len(pair.seeds)} of {len(study.spec['seeds'])} seeds are complete "
                f"for both ({', '.join(map(str, pair.seeds))}); the others are left out."
            )
    if study.drawn and not study.paired_seeds:
        found.append(
            "No seed is complete for all arms: the curves and levels of different arms are over "
            "different seeds. The tests are paired all the same."
        )
    elif any(len(study.complete(arm)) > len(study.paired_seeds) for arm in study.drawn):
        found.append(
            "Curves and levels are over the seeds complete for all arms drawn: "
            f"{', '.join(map(str, study.paired_seeds))}."
        )
    short = [(t, r) for t in study.trials if t.complete for r in t.rounds if not r.training.reached]
    if short:
        places = ", ".join(f"{name_trial(t)} at {r.labelled_count}" for t, r in short[:8])
        found.append(
            f"{len(short)} rounds ended under the train accuracy asked for (hollow in the "
            f"figures): {places}{', …' if len(short) > 8 else ''}."
        )
    found += _unpaired(study)
    if any(_moved(trial) for trial in study.trials):
        found.append("Some trials were continued in another environment; see “Where it ran”.")
    return found


def _unpaired(study: Study) -> list[str]:
    found = []
    many = len({study.beginning(arm) for arm in study.arms}) > 1
    for seed in study.spec["seeds"]:
        began = [
            (study.beginning(t.arm), t.state.initial_hash)
            for t in study.trials
            if t.seed == seed and t.rounds
        ]
        if len(set(began)) > len({beginning for beginning, _ in began}):
            who = "arms that start alike" if many else "arms"
            found.append(f"Seed {seed}: not all {who} started from the same initial labels.")
    starts = dict.fromkeys(spec.get("start", "random") for spec in study.arms.values())
    if len(starts) > 1:
        found.append(
            f"Arms start in different ways ({', '.join(starts)}): differences between arms of "
            "different starts are those of the start as well."
        )
    return found


def _labels(trial: Trial) -> str:
    return f"{trial.rounds[-1].labelled_count if trial.rounds else 0} labels"


def _moved(trial: Trial) -> bool:
    """Say whether a trial's rounds come from more than one environment, weights left aside."""
    places = [{k: v for k, v in e.items() if k != "weights"} for e in trial.environments]
    return any(place != places[0] for place in places)
