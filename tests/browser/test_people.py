"""Two people, or two tabs: never the same image; and none for a page that is closed."""

import threading

import pytest

from browser.conftest import PATIENCE, TOKEN, fetched, next_image, on_screen, saved

PASSWORD = "a long password"
AT_ONCE = 30_000
"""Milliseconds for an image that no lease holds back; a lease lasts four times as long."""


def test_two_tabs_are_never_asked_the_same_image(project, serve, visit):
    site = serve(project)
    tabs = [visit(site.url), visit(site.url)]
    asked = [[], []]
    for _ in range(8):
        for page, images in zip(tabs, asked, strict=True):
            with next_image(page) as image:
                images.append(image)
                page.keyboard.press("1")
    for page in tabs:
        saved(page)
    assert len(set(asked[0] + asked[1])) == 16
    assert len(project.answers()) == 16


def test_images_asked_by_a_page_that_was_left_meanwhile_are_free(
    project, serve, visit, monkeypatch
):
    from nextlabel.web.workspace import Workspace

    asked, left, given = threading.Event(), threading.Event(), threading.Event()
    usual = Workspace.next

    def late(*args, **options):
        first = not asked.is_set()
        asked.set()
        if first:
            left.wait(PATIENCE / 1000)
        reply = usual(*args, **options)
        given.set()
        return reply

    monkeypatch.setattr(Workspace, "next", late)
    site = serve(project)
    page = visit(site.url, "grid")
    assert asked.wait(PATIENCE / 1000)
    page.goto(f"{site.url}/settings")
    left.set()
    assert given.wait(PATIENCE / 1000)
    page.goto(f"{site.url}/label")
    page.locator("#stage > img").wait_for(timeout=AT_ONCE)


@pytest.mark.parametrize("lost", [False, True])
def test_a_reload_shows_the_same_image_also_when_the_last_message_is_lost(
    project, serve, new_page, lost
):
    page = new_page()
    if lost:
        page.add_init_script("navigator.sendBeacon = () => true")
    page.goto(f"{serve(project).url}/label?token={TOKEN}")
    before = on_screen(page)
    fetched(page, 20)  # more than half of all images are ahead
    page.reload()
    assert on_screen(page) == before


def test_a_copy_of_a_tab_has_other_images(project, serve, visit):
    page = visit(serve(project).url)
    page.reload()  # so that its storage has the name of a page that is gone
    first = on_screen(page)
    with page.context.expect_page() as opened:
        page.evaluate("window.open(location.href)")
    copy = opened.value
    assert copy.evaluate("sessionStorage.length") > 0
    assert on_screen(copy) != first


def test_a_page_that_the_browser_shows_again_begins_anew(project, serve, visit):
    page = visit(serve(project).url)
    on_screen(page)
    with page.expect_navigation():
        page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    on_screen(page)


def test_people_log_in_and_answer_under_their_names(project, serve, new_page):
    from nextlabel.project.people.people import People

    for name in ("ada", "ben"):
        People(project.database).add(name, PASSWORD, "labeller")
    site = serve(project, users=True)
    ada = logged_in(new_page(), site, "ada")
    ada.locator(".card").first.wait_for()
    ada.keyboard.press("1")
    saved(ada)
    ben = logged_in(new_page(), site, "ben")
    ben.get_by_text("No image is open").wait_for()  # the page of ada shows them all
    ada.goto(f"{site.url}/progress")
    ben.locator(".card").first.wait_for()
    ben.keyboard.press("1")
    saved(ben)
    answers = project.answers()
    assert [answer.person for answer in answers] == ["ada", "ben"]
    assert answers[0].image != answers[1].image


def logged_in(page, site, name):
    """Return the page that a person came to after logging in: the grid, asked for at first."""
    page.goto(f"{site.url}/grid")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    page.locator("#error:not(:empty)").wait_for()
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.locator("#wall").wait_for(state="attached")
    return page


def test_what_people_disagree_on_is_settled_in_the_review(project, serve, new_page):
    from nextlabel.project.labelling.answer import NewAnswer
    from nextlabel.project.people.people import People

    for name, role in (("ada", "owner"), ("ben", "labeller")):
        People(project.database).add(name, PASSWORD, role)
    for name, labels in (("ada", (0, 1, 2)), ("ben", (0, 2, 1))):
        project.record(
            [NewAnswer(f"{name}{i}", i, "label", (label,)) for i, label in enumerate(labels)], name
        )
    site = serve(project, users=True)
    page = logged_in(new_page(), site, "ada")
    page.goto(f"{site.url}/progress")
    page.locator("#people-table", has_text="3 images have labels of several people").wait_for()
    page.locator("#people-table tr", has_text="ada and ben").wait_for()
    page.goto(f"{site.url}/review")
    page.locator("#what").select_option("conflicts")
    card = page.locator(".card[data-image='1']")
    card.get_by_text("ada: one · ben: two").wait_for()
    assert page.locator(".card").count() == 2
    card.click()
    page.keyboard.press("2")  # one: as she said before
    saved(page)
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("1")  # zero: as neither of them said
    saved(page)
    state = project.state()
    assert not state.conflicts and dict(state.labels) == {0: (0,), 1: (1,), 2: (0,)}
    assert [answer.view for answer in project.answers()][-2:] == ["resolve"] * 2
    page.locator("#what").select_option("doubts")
    page.locator("#what").select_option("conflicts")
    page.get_by_role("heading", name="No conflicts").wait_for()
