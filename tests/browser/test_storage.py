"""The storage of a project: on a full disk, on a server, and while a view could not load it."""

from contextlib import contextmanager

from sqlalchemy import event

from browser.conftest import CLASSES, image_of, next_image, on_screen, ready, saved, waiting
from postgresql import postgresql_server, postgresql_url  # noqa: F401 - fixtures


@contextmanager
def full(project):
    """Give a database no page more than it has: SQLite says the same of a disk without space."""
    with project.database.reading() as connection:
        used = connection.exec_driver_sql("PRAGMA page_count").scalar()
        engine = connection.engine

    def limit(pages):
        return lambda connection, *_: connection.execute(f"PRAGMA max_page_count = {pages}")

    small, large = limit(used), limit(2**30)
    event.listen(engine, "checkout", small)
    yield
    event.remove(engine, "checkout", small)
    event.listen(engine, "checkout", large)


def test_a_full_disk_refuses_visibly_and_the_answer_waits_in_the_browser(project, serve, visit):
    page = visit(serve(project).url)
    with full(project):
        image = image_of(on_screen(page))
        page.keyboard.press("n")
        page.locator("#dialog-text").fill("x" * 9000)
        page.keyboard.press("Control+Enter")
        page.locator("#banner", has_text="the disk is full").wait_for()
        assert page.locator("#saving").inner_text() == "Not saved: 1"
        page.keyboard.press("1")
        page.locator("#banner", has_text="2 answers are kept in this browser").wait_for()
        page.reload()
        ready(page)
        page.locator("#banner", has_text="the disk is full").wait_for()
        assert waiting(page) == 2
        assert not project.answers()
    page.evaluate("dispatchEvent(new Event('online'))")  # no need to wait for the next attempt
    saved(page)
    assert waiting(page) == 0 and len(project.answers()) == 2
    assert dict(project.state().labels) == {image: (0,)}
    assert project.state().notes[image] == "x" * 9000


def test_labels_that_could_not_be_loaded_are_not_overwritten(project, serve, visit):
    """A first load fails, part by part; what is saved after it adds to what is stored."""
    from nextlabel.project.labelling.answer import NewAnswer

    before = {image: (image % 3,) for image in range(5)}
    project.record([NewAnswer(f"k{i}", i, "label", label) for i, label in before.items()], "me")
    site = serve(project)
    page = visit(site.url, "progress")
    for part in ("project", "history", "next"):
        page.route(f"**/api/{part}*", lambda route: route.fulfill(status=500, body="{}"))
    page.goto(f"{site.url}/label")
    page.get_by_role("heading", name="The project cannot be loaded").wait_for()
    page.keyboard.press("1")
    page.unroute("**/api/project*")
    page.get_by_role("button", name="Try again").click()
    page.get_by_role("heading", name="No image could be loaded").wait_for()
    page.keyboard.press("1")
    page.unroute("**/api/next*")
    with next_image(page) as image:
        page.keyboard.press("2")
    page.keyboard.press("z")  # of this answer alone: no other one is known to the page
    page.keyboard.press("z")
    assert image_of(on_screen(page)) == image
    page.keyboard.press("3")
    saved(page)
    assert dict(project.state().labels) == before | {image: (2,)}
    assert [answer.key for answer in project.answers()][:5] == [f"k{i}" for i in range(5)]


def test_findings_that_could_not_be_loaded_are_not_toggled(tmp_path, pictures, serve, visit):
    """Of several findings per image, a toggle starts from those that are stored, or not at all."""
    from nextlabel.project.labelling.answer import NewAnswer
    from nextlabel.project.labelling.project import Project

    with Project.create(
        pictures, directory=tmp_path / "several", classes=CLASSES, task="multilabel"
    ) as project:
        project.scan()
        project.record([NewAnswer("k", 0, "label", (0, 1))], "me")
        site = serve(project)
        page = visit(site.url, "progress")
        page.route("**/api/images*", lambda route: route.fulfill(status=500, body="{}"))
        page.goto(f"{site.url}/gallery?by=label&only=labelled")
        page.get_by_role("heading", name="The images could not be loaded").wait_for()
        page.keyboard.press("3")
        page.unroute("**/api/images*")
        page.locator(".card[data-image='0']").wait_for()
        page.locator("#wall").focus()
        page.keyboard.press("3")
        saved(page)
        assert dict(project.state().labels) == {0: (0, 1, 2)}
        assert len(project.answers()) == 2
        site.stop()


def test_a_project_on_a_server_is_labelled_in_the_same_way(request, folder, serve, visit):
    from nextlabel.project.labelling.project import Project

    url = request.getfixturevalue("postgresql_url")
    with Project.create(folder, store=url, classes=CLASSES) as project:
        project.scan()
        site = serve(project)
        page = visit(site.url)
        given = {}
        for key in "1231":
            with next_image(page) as image:
                given[image] = (int(key) - 1,)
                page.keyboard.press(key)
        page.keyboard.press("z")
        del given[image]
        saved(page)
        page.goto(f"{site.url}/progress")
        page.locator("#figures strong", has_text="3").first.wait_for()
        with Project.open(folder, store=url) as again:
            assert dict(again.state().labels) == given
            assert len(again.answers()) == 5
        site.stop()
