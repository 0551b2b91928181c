"""The result of an experiment, in sentences."""

from collections.abc import Sequence

from nextlabel.report.comparisons import Pair
from nextlabel.report.experiment_record import ExperimentRecord
from nextlabel.report.formatting import p_value, percent, signed
from nextlabel.report.hypotheses import HypothesisResult
from nextlabel.statistics import (
    ALPHA,
    CONFIDENCE,
    Comparison,
    attainable,
    least_corrected,
    pairs_needed,
)

FEWEST_PAIRS = 6
"""The fewest pairs with which a two-sided test can reach the 0.05 level.

With fewer, the spread of the differences is too uncertain to say which difference is detectable.
"""


def verdict(
    record: ExperimentRecord, pairs: Sequence[Pair], hypotheses: Sequence[HypothesisResult] = ()
) -> list[str]:
    """Return the result of the experiment, sentence by sentence.

    The primary test comes first, then the stated hypotheses, then the other comparisons.
    """
    if not record.drawn:
        return [
            f"No trial has reached the target of {record.spec['target']} labels yet, so there is "
            "nothing to compare. Run the same command again to go on."
        ]
    primary = next((pair for pair in pairs if pair.primary), None)
    name = record.spec.get("primary")
    sentences = []
    if primary is not None:
        sentences = [_headline(primary), *_test(primary), *_power(primary)]
    elif name is not None:
        sentences = [
            f"The primary test, {name} against {record.arms[name].get('baseline')}, is not "
            "possible yet: no seed is complete for both arms."
        ]
    elif not hypotheses:
        sentences = [
            "This experiment names no primary test: all p-values below are exploratory, and a "
            "small one among many is not a proof."
        ]
    return sentences + hypothesis_sentences(hypotheses) + _secondary(pairs)


def hypothesis_sentences(results: Sequence[HypothesisResult]) -> list[str]:
    """Return the outcome of the stated hypotheses, supported or not; empty without hypotheses."""
    if not results:
        return []
    supported = sum(result.supported for result in results)
    of = "the one hypothesis stated" if len(results) == 1 else f"{len(results)} hypotheses stated"
    verb = "is" if supported < 2 else "are"
    sentences = [f"Of {of} in the experiment, {supported or 'none'} {verb} supported."]
    if any(len(result.seeds) < result.planned for result in results):
        sentences.append(
            f"Not all {results[0].planned} seeds are complete for all of their arms yet: this is "
            "an interim result and not a verdict, since repeated tests after every seed find "
            "differences by chance."
        )
    return sentences + _out_of_reach(results) + [_outcome(result) for result in results]


def _out_of_reach(results: Sequence[HypothesisResult]) -> list[str]:
    """Return a sentence per number of seeds that are too few for some hypotheses."""
    groups: dict[tuple[int, float, int | None], list[str]] = {}
    for result in results:
        if result.out_of_reach and result.least is not None:
            key = (len(result.seeds), result.least, result.needed)
            groups.setdefault(key, []).append(f"“{result.name}”")
    return [
        f"No outcome could have supported {', '.join(names)}: with "
        f"{pairs} {'pair' if pairs == 1 else 'pairs'} p after Holm’s correction cannot fall below "
        f"{p_value(least)}. {'It takes' if len(names) == 1 else 'Each takes'} "
        f"{'more seeds' if needed is None else f'at least {needed} seeds'}."
        for (pairs, least, needed), names in groups.items()
    ]


def _outcome(result: HypothesisResult) -> str:
    head = f"“{result.name}”"
    if result.area is None:
        return f"{head} cannot be tested yet: no seed is complete for all of its arms."
    area = result.area
    difference = (
        f"over {area.n} paired {'seed' if area.n == 1 else 'seeds'} the area under the curve of "
        f"{result.title} differs by {signed(area.mean)}{_interval(area)}"
    )
    if area.test.p is None or result.p_holm is None:
        return f"{head} cannot be tested: {difference}, and one pair allows no test."
    test = "one-sided" if result.alternative == "greater" else "two-sided"
    outcome = "is supported" if result.supported else "is not supported"
    if not result.supported and result.alternative == "greater" and area.mean < 0:
        outcome += ", and the difference goes the other way"
    return (
        f"{head} {outcome}: {difference}, {test} p = {p_value(area.test.p)}, after Holm’s "
        f"correction {p_value(result.p_holm)}.{_saved(result)}"
    )


def _interval(area: Comparison, more: str = "") -> str:
    """Return the interval of a difference in parentheses, with `more` after it; "" without one."""
    if area.low is None or area.high is None:
        return ""
    most = "" if area.confidence >= CONFIDENCE else f", the most that {area.n} pairs can cover,"
    ends = f"{signed(area.low)} to {signed(area.high)}"
    return f" ({percent(area.confidence)} interval{most} {ends}{more})"


def _saved(result: HypothesisResult) -> str:
    """Return the labels that the arms save, in a sentence."""
    saving = result.saving
    if saving is None:
        return ""
    level, needs = f"{saving.level:.4f}", f"{saving.baseline_needs:.0f}"
    if saving.arm_needs is None or saving.saved is None:
        text = f" They do not reach {level}, for which the others need {needs} labels"
    else:
        text = f" They reach {level} with {saving.arm_needs:.0f} labels, the others with {needs}"
    if result.interval is None:
        return f"{text}."
    low, high = result.interval
    level = percent(attainable(len(result.seeds)))
    if high is None:
        return f"{text}, nor do they in the interval."
    if low is None:
        return (
            f"{text} (labels saved: at most {signed(high, 0)} in the {level} interval, and in part "
            "of the subsets of seeds the level is not reached)."
        )
    span = f"{signed(low, 0)} to {signed(high, 0)}"
    return f"{text} (labels saved, {level} interval: {span})."


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
    least = least_corrected([pair.area.n for pair in others], ["two-sided"] * len(others))
    possible = any(p is not None and p <= ALPHA for p in least)
    needed = pairs_needed(["two-sided"] * len(others))[0]
    none = f"none has a p of {ALPHA:g} or less" + (
        ""
        if possible
        else f", and with so few pairs none could; it takes {needed or 'more than 16'} seeds"
    )
    return [f"Of {count}, after Holm’s correction: {'; '.join(clear) if clear else none}."]


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
    effect = (
        ""
        if area.effect is None
        else f", {signed(area.effect, 2)} standard deviations of the differences"
    )
    method = "by random sign flips" if area.test.note.startswith("by ") else "by exact sign flips"
    return [
        f"Primary test: over {area.n} paired seeds the area under the curve differs by "
        f"{signed(area.mean)}{_interval(area, effect)}; p = {p_value(area.test.p)} {method}."
    ]


def _power(pair: Pair) -> list[str]:
    area = pair.area
    if area.test.smallest_p is None:
        return []
    sentences = [
        f"With {area.n} pairs p cannot fall below {p_value(area.test.smallest_p)}"
        + (
            f": at the {ALPHA:g} level this test could not have shown any difference, however "
            f"large; run at least {FEWEST_PAIRS} seeds."
            if area.test.smallest_p > ALPHA
            else "."
        )
    ]
    if area.detectable and area.n >= FEWEST_PAIRS:
        sentences.append(
            f"With differences that vary as they do here, a paired t test on {area.n} pairs finds "
            f"a true difference of {area.detectable:.4f} or more in 80% of runs; a smaller one "
            "would mostly be missed."
        )
    return sentences
