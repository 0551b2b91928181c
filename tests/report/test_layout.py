"""The page fits wide and narrow windows; measured in a browser, where there is one."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

BROWSER = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chrome"))), None)

SCRIPT = """<script>
const wide = [...document.querySelectorAll('.scroll')].filter(
  box => !box.closest('details:not([open])') && box.scrollWidth > box.clientWidth + 1)
document.title = `page ${document.documentElement.scrollWidth - innerWidth} boxes ${wide.length}`
</script>"""


@pytest.mark.skipif(BROWSER is None, reason="there is no browser")
@pytest.mark.parametrize("width", [1280, 500])
def test_nothing_that_is_visible_at_first_is_cut(report: Path, tmp_path: Path, width: int) -> None:
    page = tmp_path / "page.html"
    page.write_text((report / "report.html").read_text().replace("</body>", SCRIPT + "</body>"))
    command = [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    command += [f"--window-size={width},800", "--dump-dom", page.as_uri()]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    title = re.search(r"<title>(.*?)</title>", dom)
    assert title is not None and title[1] == "page 0 boxes 0"
