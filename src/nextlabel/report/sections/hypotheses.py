"""The hypotheses that the experiment file states."""

from nextlabel.report.frame import Table
from nextlabel.report.results import Results
from nextlabel.report.sections.section import (
    Download,
    Section,
    interval_heading,
    interval_note,
    view,
    with_interval,
)


def build(results: Results) -> Section | None:
    """Return the section; None without stated hypotheses."""
    if not results.hypotheses or not results.drawn:
        return None
    frame = results.hypothesis_tests()
    shown = with_interval(frame, "low", "high", "interval")
    shown = with_interval(shown, "saved_low", "saved_high", "saved_interval")
    headings = dict.fromkeys(("interval", "saved_interval"), interval_heading(frame))
    test = ("hypothesis", "difference", "interval", "p_holm")
    details = ("hypothesis", "pairs", "p", "p_holm", "smallest_p", "effect_dz")
    saving = ("hypothesis", "level", "against_needs", "arms_need", "saved", "saved_interval")
    return Section(
        "Hypotheses",
        text=(
            "The experiment file states these, and they are reported whether or not they hold: the "
            "area under the curve of the mean of some arms minus that of others, seed by seed. p "
            "is from sign flips in the claimed direction; Holm corrects it over all hypotheses of "
            f"the file.{interval_note(frame)}",
        ),
        tables=(view(shown, test, headings=headings),),
        downloads=(Download(Table("hypotheses", frame)),),
        subsections=(
            Section("Tests in detail", tables=(view(shown, details),), folded=True),
            Section(
                "Labels saved",
                text=(
                    "The labels that the arms need less than the others for the best level that "
                    "the others reached. The interval takes the curves of all subsets of the "
                    "seeds.",
                ),
                tables=(view(shown, saving, headings=headings),),
                folded=True,
            ),
        ),
        name="hypotheses",
    )
