"""The page fits wide and narrow windows; measured in a browser, where there is one."""

import html
import shutil
import subprocess
from pathlib import Path

import pytest
from studies import ARMS, fill, spec_of

from nextlabel.report.page import build_report
from nextlabel.store.records import DataRecord, PartRecord
from nextlabel.store.store import Store

BROWSER = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chrome"))), None)
CLASSES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

FRAMES = """<!doctype html>
<iframe width="1280" height="800" srcdoc="{page}"></iframe>
<iframe width="390" height="800" srcdoc="{page}"></iframe>
<script>
const cut = frame => {{
  const page = frame.contentDocument, {{ scrollWidth, clientWidth }} = page.documentElement
  for (const details of page.querySelectorAll('details')) details.open = true
  const wide = [...page.querySelectorAll('.scroll')].filter(
    box => box.scrollWidth > box.clientWidth + 1)
  return `${{clientWidth}}: page ${{scrollWidth - clientWidth}}, boxes ${{wide.length}}`
}}
addEventListener('load', () => {{
  document.title = [...document.querySelectorAll('iframe')].map(cut).join('; ')
}})
</script>"""
"""Frames, since a window of a browser has at least 500 pixels."""


@pytest.fixture
def classes_report(store: Store, tmp_path: Path) -> Path:
    """The folder with the report of two arms on images of ten classes."""
    parts = {"train": PartRecord(6000, (600,) * 10), "validation": PartRecord(100, (10,) * 10)}
    labels = tuple(image % 10 for image in range(6000))
    names = tuple(f"{image}.png" for image in range(6000))
    store.keep_data(DataRecord("d", "digits", "multiclass", CLASSES, parts, names, labels))
    fill(store, spec_of(ARMS[:2], seeds=2))
    return build_report(store, None, tmp_path / "classes", ()).html.parent


@pytest.mark.skipif(BROWSER is None, reason="there is no browser")
@pytest.mark.parametrize("report_of", ["report", "classes_report"])
def test_no_table_is_cut_on_a_screen_or_a_phone(
    request: pytest.FixtureRequest, tmp_path: Path, report_of: str
) -> None:
    made = (request.getfixturevalue(report_of) / "report.html").read_text()
    page = tmp_path / "page.html"
    page.write_text(FRAMES.format(page=html.escape(made)))
    command = [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    command += ["--window-size=1400,900", "--dump-dom", page.as_uri()]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert "<title>1280: page 0, boxes 0; 390: page 0, boxes 0</title>" in dom
