"""The image of a project that an entry of a file means: by content, else by name."""

from collections.abc import Sequence
from functools import cached_property

from nextlabel.data.lists.image_names import NameIndex
from nextlabel.project.labelling.project import Project


class ImageFinder:
    """The images of a project by content, else by name; also names of files that are gone.

    Parameters
    ----------
    project : Project
        The project.
    """

    def __init__(self, project: Project) -> None:
        self.files = project.files(gone=True)
        self.digests = {digest: image for image, digest in enumerate(project.images().digests)}
        self.unknown: list[str] = []

    def image(self, path: object, sha256: object = None) -> int | None:
        """Return an image; None where there is none, which `unknown` notes."""
        image = self.digests.get(str(sha256)) if sha256 else None
        if image is None:
            image = self.files.get(str(path))
        if image is None:
            row = self._index.row(str(path))
            image = None if row is None else self.files[self._names[row]]
        if image is None:
            self.unknown.append(str(path))
        return image

    def images(self, paths: Sequence[str], called: str) -> list[int | None]:
        """Return the image of each path (n); paths may have common folders before the names."""
        rows = self._index.rows([(path,) for path in paths], called)
        self.unknown += [path for path, row in zip(paths, rows, strict=True) if row is None]
        return [None if row is None else self.files[self._names[row]] for row in rows]

    @cached_property
    def _names(self) -> list[str]:
        return list(self.files)

    @cached_property
    def _index(self) -> NameIndex:
        return NameIndex(self._names)
