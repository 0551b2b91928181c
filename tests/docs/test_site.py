"""Links of pages that lie elsewhere in the repository than on the site."""

import sys
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from scripts.site import adapted  # noqa: E402

TOP, DOCS, RESULTS = (PurePosixPath(folder) for folder in ("", "docs", "docs/results"))


@pytest.mark.parametrize(
    ("folder", "link", "expected"),
    [
        (TOP, "[a](docs/paper.md#equations)", "[a](paper.md#equations)"),
        (TOP, "![a](docs/images/demo.svg)", "![a](images/demo.svg)"),
        (TOP, "[a](CONTRIBUTING.md)", "[a](contributing.md)"),
        (TOP, "[a](#here)", "[a](#here)"),
        (TOP, "[a](LICENSE)", "a"),
        (DOCS, "[a](paper.md)", "[a](paper.md)"),
        (DOCS, "[a](../CONTRIBUTING.md)", "[a](contributing.md)"),
        (RESULTS, "[a](../../README.md)", "[a](../index.md)"),
        (RESULTS, "[a](mnist_tenth/)", "[a](../results/mnist_tenth/README.md)"),
        (DOCS, "[a](https://example.org/x.md)", "[a](https://example.org/x.md)"),
    ],
)
def test_links_fit_the_site(folder, link, expected):
    assert adapted(link, folder) == expected
