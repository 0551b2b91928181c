"""The base of the sources of networks in files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nextlabel.core.errors import DataError, UsageError
from nextlabel.files.arrays import check_regular
from nextlabel.files.digest import file_digest
from nextlabel.models.pretrained.base import NetworkSource, reason_of


class NetworkFile(NetworkSource):
    """A file of a network, known by its content; a subclass says how it is loaded."""

    takes_name = "the path of a file"
    format = "file"

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self.name)

    @property
    def values(self) -> str:
        """The values of pixels, which a file does not say."""
        return "imagenet" if self.inputs == "auto" else self.inputs

    @property
    def files(self) -> list[Path]:
        """All files that the network consists of."""
        return [self.path]

    def identity(self) -> Mapping[str, Any]:
        """Return the sha256 of the content, wherever it lies, and the values of pixels."""
        try:
            check_regular(self.path)
            for path in (files := self.files):
                check_regular(path)
            digests = [file_digest(path) for path in files]
        except OSError as error:
            raise UsageError(
                f"the network {error.filename or self.path} cannot be read ({error.strerror}); "
                f"check the path, which counts from {Path.cwd()}",
                code="network-file-unreadable",
            ) from error
        return {"network": self.format, "weights": " ".join(digests), "inputs": self.values}

    def broken(self, error: Exception) -> DataError:
        """Return the error for a file that is not such a network."""
        return DataError(
            f"{self.path.name} cannot be loaded as {self.format} ({reason_of(error)}); export it "
            "again",
            code="network-file-broken",
        )

    def pooled(self, output: Any) -> Any:
        """Return the output for a batch as rows (B, columns).

        Feature maps (B, columns, H, W) are averaged over their pixels.
        """
        dimensions = getattr(output, "ndim", None)
        if dimensions == 4:
            return output.mean((2, 3))
        if dimensions != 2:
            given = "" if dimensions is None else f" of {dimensions} dimensions"
            raise DataError(
                f"{self.path.name} gives a {type(output).__name__}{given}; export a network that "
                "gives one array: features (images, columns) or feature maps (images, columns, "
                "height, width)",
                code="network-output",
            )
        return output

    def unfit(self, reason: str, size: int) -> DataError:
        """Return the error for a network that takes no images of this size."""
        return DataError(
            f"{self.path.name} fails on images of {size} × {size} pixels ({reason}); set size to "
            "the pixels that it takes, or export it again",
            code="network-input",
        )
