"""Two people, or two tabs: never the same image."""

from browser.conftest import next_image, saved

PASSWORD = "a long password"


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


def test_people_log_in_and_answer_under_their_names(project, serve, browser):
    from nextlabel.project.people.people import People

    for name in ("ada", "ben"):
        People(project.database).add(name, PASSWORD, "labeller")
    site = serve(project, users=True)
    ada = logged_in(browser, site, "ada")
    ada.locator(".card").first.wait_for()
    ada.keyboard.press("1")
    saved(ada)
    ben = logged_in(browser, site, "ben")
    ben.get_by_text("No image is open").wait_for()  # the page of ada shows them all
    ada.goto(f"{site.url}/progress")
    ben.locator(".card").first.wait_for()
    ben.keyboard.press("1")
    saved(ben)
    answers = project.answers()
    assert [answer.person for answer in answers] == ["ada", "ben"]
    assert answers[0].image != answers[1].image
    for page in (ada, ben):
        page.context.close()


def logged_in(browser, site, name):
    """Return the page that a person came to after logging in: the grid, asked for at first."""
    page = browser.new_context().new_page()
    page.goto(f"{site.url}/grid")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    page.locator("#error:not(:empty)").wait_for()
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.locator("#wall").wait_for(state="attached")
    return page
