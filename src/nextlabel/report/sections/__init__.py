"""The sections of the report page, one file each.

To add a section, write a module here with a function `build(results)` that returns a `Section`, or
None where there is nothing to show, and add it to SECTIONS, which is the order on the page. A
table that is a `Download`, or belongs to a `Drawing`, becomes a CSV file next to the page, and a
drawing becomes figure files. The page itself needs no change.
"""

from collections.abc import Callable

from nextlabel.report.results import Results
from nextlabel.report.sections import (
    blocks,
    calibration,
    count_tests,
    curves,
    data,
    differences,
    hypotheses,
    label_savings,
    labels_needed,
    maps,
    metrics,
    picks,
    record,
    sweeps,
    time,
    verdict,
)
from nextlabel.report.sections.section import Section

SECTIONS: tuple[Callable[[Results], Section | None], ...] = (
    verdict.build,
    hypotheses.build,
    differences.build,
    curves.build,
    sweeps.build,
    data.build,
    picks.build,
    maps.build,
    count_tests.build,
    label_savings.build,
    labels_needed.build,
    metrics.build,
    calibration.build,
    blocks.build,
    time.build,
    record.build,
)
"""The sections in their order on the page."""


def build_sections(results: Results) -> tuple[Section, ...]:
    """Return the sections that have something to show, in their order."""
    sections = (build(results) for build in SECTIONS)
    return tuple(section for section in sections if section is not None)
