"""The verdict: the result in sentences, and its limits."""

from nextlabel.report.notices import notices
from nextlabel.report.results import Results
from nextlabel.report.sections.section import Section
from nextlabel.report.verdict import verdict


def build(results: Results) -> Section:
    """Return the section."""
    limits = tuple(notices(results, results.pairs))
    notice = Section("Before you trust it", items=limits, style="notice")
    return Section(
        text=tuple(verdict(results, results.pairs, results.hypotheses)),
        subsections=(notice,) if limits else (),
        style="verdict",
        name="verdict",
    )
