"""The lowest versions that pyproject.toml allows, as a requirements file for pip.

`python -m scripts.lowest` prints one line per dependency. torch and the tools that run the tests
keep the versions of constraints.txt: an old torch brings gigabytes of CUDA libraries.
"""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
TESTED = ("torch", "hypothesis", "httpx", "pytest", "pytest-xdist", "pyyaml", "grimp")
"""Packages that keep the tested version."""

EXTRAS = ("cluster", "fast", "label", "medical", "parquet", "photos", "pretrained")
"""Extras that the fast tests use."""


def lowest(dependencies: list[str], tested: dict[str, str]) -> list[str]:
    """Return the lines of the file; KeyError for a package without a tested version."""
    versions = {name: tested[name] for name in TESTED}
    for requirement in dependencies:
        name, bound = requirement.split(">=")
        versions.setdefault(name, bound)
    return [f"{name}=={version}" for name, version in versions.items()]


def main() -> None:
    """Print the file."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pins = re.findall(r"^(\S+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.M)
    tested = {name.replace("_", "-").lower(): version for name, version in pins}
    extras = project["optional-dependencies"]
    dependencies = [*project["dependencies"], *(line for name in EXTRAS for line in extras[name])]
    print("\n".join(lowest(dependencies, tested)))


if __name__ == "__main__":
    main()
