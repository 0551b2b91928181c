"""Parquet: the table of JSON lines, with a column per predicted class."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from nextlabel.core.errors import DataError, UsageError
from nextlabel.project.exchange.content import Content
from nextlabel.project.exchange.formats import register
from nextlabel.project.exchange.given_answers import Given, Reading, in_order
from nextlabel.project.exchange.image_finder import ImageFinder
from nextlabel.project.labelling.project import Project

LACK = "Parquet needs the package pyarrow; pip install 'nextlabel[parquet]', or export CSV"


@register("parquet")
class Parquet:
    """Paths, labels and predictions in a table of columns."""

    title: ClassVar[str] = "Parquet"
    suffix: ClassVar[str] = ".parquet"

    def lack(self) -> str | None:
        """Return what is missing and how it comes here; None when nothing is."""
        return None if find_spec("pyarrow") else LACK

    def write(self, content: Content, target: Path, link: bool) -> None:
        """Write a row per file; `labels` is a list, null for an image without a label."""
        pyarrow, parquet = _packages()
        columns: dict[str, Any] = {
            name: [row.as_dict()[name] for row in content.rows]
            for name in ("path", "sha256", "labels", "state", "person", "answered_at", "flagged",
                         "note", "prediction", "confidence")
        }  # fmt: skip
        names = pyarrow.list_(pyarrow.string())
        types = {
            "labels": names,
            "prediction": names,
            "answered_at": pyarrow.float64(),
            "confidence": pyarrow.float64(),
            "flagged": pyarrow.bool_(),
        }
        arrays = {n: pyarrow.array(v, types.get(n, pyarrow.string())) for n, v in columns.items()}
        if content.probabilities is not None:
            arrays |= {f"p_{n}": content.probabilities[:, k] for k, n in enumerate(content.classes)}
        parquet.write_table(pyarrow.table(arrays), target)

    def fits(self, path: Path) -> bool:
        """Return whether a file has the suffix of Parquet."""
        return path.suffix.lower() == ".parquet"

    def read(self, path: Path, project: Project) -> Reading:
        """Return the labels of the columns path or sha256, and labels or label."""
        pyarrow, parquet = _packages()
        try:
            rows = parquet.read_table(path).to_pylist()
        except (OSError, pyarrow.ArrowException) as error:
            raise DataError(
                f"{path} is not a Parquet file that can be read ({str(error).splitlines()[0]}); "
                "write it again",
                code="not-parquet",
            ) from error
        finder = ImageFinder(project)
        given: dict[int, Given] = {}
        for row in rows:
            labels = row.get("labels", row.get("label"))
            image = finder.image(row.get("path"), row.get("sha256"))
            if image is not None and labels is not None:
                names = (labels,) if isinstance(labels, str) else tuple(map(str, labels))
                given[image] = Given(image, labels=names, person=row.get("person") or None)
        names = in_order(name for one in given.values() for name in one.labels)
        return Reading(list(given.values()), names, tuple(finder.unknown))


def _packages() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError as error:
        raise UsageError(LACK, code="package-missing") from error
    return pyarrow, pyarrow.parquet
