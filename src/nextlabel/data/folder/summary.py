"""The summary of a folder that was read: how many images, how many read now, what was left out."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class FolderSummary:
    """The numbers of a folder that was read.

    Parameters
    ----------
    images
        The images that are used.
    read
        The files that were read now.
    decoded
        Those of them that were decoded; the content of the others was known.
    unchanged
        The files that were not read, because they have not changed.
    copies
        The images that are exact copies of others.
    left_out
        How many files or links were left out, by kind, the largest number first.
    """

    images: int
    read: int
    decoded: int
    unchanged: int
    copies: int
    left_out: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return the summary as one line."""
        files = "file" if self.read == 1 else "files"
        phrases = [f"{self.read:,} {files} read now, {self.unchanged:,} unchanged since before"]
        if self.left_out:
            shown = ", ".join(f"{count:,} × {reason}" for reason, count in self.left_out.items())
            phrases.append(f"left out: {shown}")
        if self.copies:
            one = self.copies == 1
            phrases.append(
                f"{self.copies:,} image{' is a copy' if one else 's are copies'} of others"
            )
        return "; ".join(phrases)
