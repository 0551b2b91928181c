"""Every view: no serious finding of axe-core in light and dark, and none wider than a phone."""

import os
from pathlib import Path

import pytest

from browser.conftest import TOKEN, publish, ready, until

VIEWS = {
    "label": "#stage > img",
    "grid": ".card img",
    "gallery": ".card img",
    "map": "#empty h2",
    "review": "#empty h2",
    "progress": "#figures li",
    "settings": ".class-row",
}
"""The views, and what each shows when it is complete."""
SERIOUS = {"serious", "critical"}


@pytest.fixture(scope="module")
def scanner():
    from axe_playwright_python.sync_playwright import Axe

    return Axe()


def findings(scanner, page):
    """Return the rules that the view breaks, each with the first element."""
    violations = scanner.run(page).response["violations"]
    return [
        (one["id"], one["nodes"][0]["html"][:200]) for one in violations if one["impact"] in SERIOUS
    ]


def keep(page, name, tmp_path):
    """Write a screenshot, to the folder NEXTLABEL_SCREENSHOTS if it is set."""
    folder = Path(os.environ.get("NEXTLABEL_SCREENSHOTS") or tmp_path)
    folder.mkdir(exist_ok=True)
    page.screenshot(path=folder / f"{name}.png")
    assert (folder / f"{name}.png").stat().st_size > 10_000


@pytest.fixture
def busy(project, truth):
    """A project with labels, a model and a queue."""
    from nextlabel.project.labelling.answer import NewAnswer

    project.record([NewAnswer(f"k{i}", i, "label", (truth[i],)) for i in range(9)], "me")
    publish(project, truth)
    return project


def complete(page, site, view):
    """Open a view, and wait until it shows what it has, with its images."""
    page.goto(f"{site.url}/{view}")
    ready(page)
    page.locator(VIEWS[view]).first.wait_for()
    until(
        page,
        "[...document.querySelectorAll('main img:not([hidden] *)')]"
        ".every((one) => one.complete || one.loading === 'lazy')",
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_views_are_accessible_in_light_and_dark(busy, serve, visit, scanner, scheme, tmp_path):
    site = serve(busy)
    page = visit(site.url, color_scheme=scheme)
    broken = {}
    for view in VIEWS:
        complete(page, site, view)
        keep(page, f"{view}-{scheme}", tmp_path)
        if wrong := findings(scanner, page):
            broken[view] = wrong
    page.keyboard.press("?")
    page.locator("dialog").wait_for()
    if wrong := findings(scanner, page):
        broken["help"] = wrong
    assert broken == {}


def test_the_log_in_is_accessible(busy, serve, browser, scanner):
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{serve(busy, users=True).url}/login")
    page.get_by_label("Password").wait_for()
    assert findings(scanner, page) == []
    page.goto(serve(busy).url)  # without the token, where a token is all there is
    page.get_by_role("heading", name="This browser is not let in yet").wait_for()
    assert findings(scanner, page) == []
    context.close()


@pytest.mark.parametrize("width", [390, 820])
def test_no_view_is_wider_than_the_screen(busy, serve, visit, width, tmp_path):
    site = serve(busy)
    page = visit(site.url, viewport={"width": width, "height": 800}, has_touch=True)
    for view in VIEWS:
        complete(page, site, view)
        assert page.evaluate("document.scrollingElement.scrollWidth") <= width, view
        keep(page, f"{view}-{width}", tmp_path)


def test_a_phone_shows_classes_skip_and_undo_without_scrolling(busy, serve, visit):
    page = visit(serve(busy).url, has_touch=True, viewport={"width": 390, "height": 800})
    page.locator("#stage > img").wait_for()
    for name in ("Skip", "Undo"):
        button = page.locator("#actions").get_by_role("button", name=name, exact=True)
        box = button.bounding_box()
        assert box["y"] + box["height"] <= 800
        assert box["x"] + box["width"] <= 390
    lowest = page.locator("#classes button").last.bounding_box()
    assert lowest["y"] + lowest["height"] <= page.locator("#actions").bounding_box()["y"]


def test_the_keyboard_reaches_all_controls(busy, serve, visit):
    page = visit(serve(busy).url, "label")
    page.locator("#stage > img").wait_for()
    wanted = page.locator("button:visible:not(:disabled), summary:visible, a:visible").count()
    outlines = {}
    for _ in range(wanted + 5):
        page.keyboard.press("Tab")
        element, outline = page.evaluate(
            "(one => [one.outerHTML, getComputedStyle(one).outlineStyle])(document.activeElement)"
        )
        if not element.startswith("<body"):
            outlines[element] = outline
    assert len(outlines) > 0.8 * wanted
    assert set(outlines.values()) == {"solid"}


def test_the_token_leaves_the_address(busy, serve, visit):
    page = visit(serve(busy).url, "progress")
    assert TOKEN not in page.url
