"""Another project: the answers that count there, with their keys."""

from pathlib import Path
from typing import ClassVar

from nextlabel.core.errors import UsageError
from nextlabel.project.exchange.content import Content
from nextlabel.project.exchange.formats import register
from nextlabel.project.exchange.given_answers import Reading
from nextlabel.project.exchange.image_finder import ImageFinder
from nextlabel.project.exchange.logs import LoggedAnswer, counting, given_of
from nextlabel.project.labelling.classes import followed
from nextlabel.project.labelling.layout import is_project
from nextlabel.project.labelling.project import Project


@register("project")
class OtherProject:
    """A project as it is; it is only read."""

    title: ClassVar[str] = "project"
    suffix: ClassVar[str] = ".nextlabel"

    def write(self, content: Content, target: Path, link: bool) -> None:
        """Refuse: a project is copied as a folder."""
        raise UsageError(
            "a project is not exported as a project; copy its folder, or give --format answers",
            code="format-not-written",
        )

    def fits(self, path: Path) -> bool:
        """Return whether it is the folder of a project."""
        return is_project(path)

    def read(self, path: Path, project: Project) -> Reading:
        """Return the answers of the other project for images that this one has too."""
        finder = ImageFinder(project)
        with Project.open(path) as other:
            state, images, answers = other.state(), other.images(), other.answers()
        ends = followed(state.classes)
        names = {
            one.id: None if (end := ends[one.id]) is None else state.classes[end].name
            for one in state.classes
        }
        logged = []
        for answer in answers:
            image = finder.image(None, images.digests[answer.image])
            classes = tuple(name for one in answer.classes if (name := names[one]) is not None)
            if image is not None and (classes or not answer.classes):
                logged.append(LoggedAnswer(answer, classes, image))
        missing = {
            images.names[a.image] for a in answers if images.digests[a.image] not in finder.digests
        }
        return given_of(counting(logged), tuple(sorted(missing)))
