"""Calibration: whether a confidence of 0.8 is right in 8 cases of 10, at the last label count."""

from dataclasses import dataclass

from nextlabel.report.experiment_record import Trial
from nextlabel.report.figures import arm_styles
from nextlabel.report.figures.reliability import draw_reliability
from nextlabel.report.formatting import show
from nextlabel.report.frame import Table, make_frame
from nextlabel.report.results import Results
from nextlabel.report.sections.section import Drawing, Heading, Section, TableView
from nextlabel.statistics.reliability import BINS, calibration_error


@dataclass(frozen=True)
class Range:
    """A range of confidence of an arm: means over seeds, each by its share of predictions."""

    share: float
    confidence: float
    accuracy: float


def build(results: Results) -> Section | None:
    """Return the section; None without a complete trial that recorded its reliability."""
    trials = {
        arm: [t for t in results.of(arm) if t.complete and t.reliability] for arm in results.drawn
    }
    trials = {arm: of_arm for arm, of_arm in trials.items() if of_arm}
    if not trials:
        return None
    ranges = {arm: mean_ranges(of_arm) for arm, of_arm in trials.items()}
    rows = tuple(
        (arm, show(sum(errors) / len(errors), "number"), str(len(errors)))
        for arm, of_arm in trials.items()
        if (errors := [calibration_error(trial.reliability) for trial in of_arm])
    )
    frame = make_frame(
        ("arm", "share", "confidence", "accuracy"),
        ({"arm": arm, **vars(one)} for arm, of_arm in ranges.items() for one in of_arm),
    )
    caption = (
        "Accuracy of predictions against their confidence on the validation images, at the last "
        "label count, over all seeds. On the diagonal a confidence means what it says; below it "
        "the model is too sure."
    )
    curves = {
        arm: ([r.confidence for r in of_arm], [r.accuracy for r in of_arm])
        for arm, of_arm in ranges.items()
    }
    figure = draw_reliability(curves, arm_styles(results.arms))
    headings = (Heading("arm", False), Heading("calibration error", True), Heading("seeds", True))
    return Section(
        "Calibration",
        figures=(Drawing("reliability", caption, figure, Table("reliability", frame)),),
        tables=(TableView(headings, rows, "Expected calibration error; 0 is best"),),
        folded=True,
        name="calibration",
    )


def mean_ranges(trials: list[Trial]) -> list[Range]:
    """Return the ranges of confidence, the lowest first, over all trials."""
    rows_by_bin: dict[int, list[dict[str, float]]] = {}
    for trial in trials:
        for row in trial.reliability:
            number = min(int(row["confidence"] * BINS), BINS - 1)
            rows_by_bin.setdefault(number, []).append(dict(row))
    ranges = []
    for _, rows in sorted(rows_by_bin.items()):
        total = sum(row["share"] for row in rows)
        means = (
            sum(r["share"] * r[name] for r in rows) / total for name in ("confidence", "accuracy")
        )
        ranges.append(Range(total / len(trials), *means))
    return ranges
