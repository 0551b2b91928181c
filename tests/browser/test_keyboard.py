"""Keys of characters: alone, with Alt, or off, as WCAG 2.1.4 requires."""

import re

from browser.conftest import image_of, next_image, on_screen, publish, saved, truth_of


def caps(page, selector):
    """Return the keys on the buttons of a part of the page."""
    return page.locator(f"{selector} kbd").all_inner_texts()


def chosen_in_help(page, mode):
    page.locator("#help-button").click()
    page.locator("#help-keys").select_option(mode)
    help_text = page.locator("dialog .help").inner_text()
    page.keyboard.press("Escape")
    page.locator("dialog").wait_for(state="detached")
    return help_text


def test_with_alt_a_character_alone_does_nothing(project, serve, visit):
    page = visit(serve(project).url)
    on_screen(page)
    assert re.search(r"Alt\+S\s+Skip", chosen_in_help(page, "alt"))
    assert caps(page, "#classes") == ["Alt+1", "Alt+2", "Alt+3"]
    assert page.locator("#classes button").first.get_attribute("aria-keyshortcuts") == "Alt+1"
    page.keyboard.press("1")
    page.keyboard.press("s")
    with next_image(page) as image:
        page.keyboard.press("Alt+2")
    with next_image(page) as skipped:
        page.keyboard.press("Alt+s")
    page.keyboard.press("ArrowLeft")  # keys without a character are as they were
    page.locator("#notice", has_text="Earlier image, 1 back: skipped").wait_for()
    saved(page)
    state = project.state()
    assert (dict(state.labels), set(state.skipped)) == ({image: (1,)}, {skipped})


def test_off_leaves_buttons_and_is_remembered(project, serve, visit):
    site = serve(project)
    page = visit(site.url, "settings")
    page.get_by_label("Keys of letters, digits and signs").select_option("off")
    page.goto(f"{site.url}/grid")
    page.locator(".card").first.wait_for()
    assert set(caps(page, "#bar")) == {"–"} and set(caps(page, ".tools-end")) == {""}
    page.keyboard.press("1")
    page.keyboard.press("Control+a")  # of the browser's own kind
    page.locator("#chosen", has_text="36 images selected").wait_for()
    page.keyboard.press("2")
    page.keyboard.press("?")
    assert page.locator("dialog").count() == 0
    page.keyboard.press("Escape")
    page.locator("#bar button", has_text="two").click()
    saved(page)
    assert set(project.state().labels.values()) == {(2,)} and len(project.answers()) == 1
    assert "Skip the selection" in chosen_in_help(page, "alone")
    page.locator("#wall").focus()
    page.keyboard.press("1")
    saved(page)
    assert len(project.answers()) == 2


def test_keys_of_one_image_go_back_forward_and_move(project, serve, visit):
    page = visit(serve(project).url)
    images = []
    for key in "12":
        with next_image(page) as image:
            images.append(image)
            page.keyboard.press(key)
    here = image_of(on_screen(page))
    for key, image in (
        ("ArrowLeft", images[1]),
        ("ArrowLeft", images[0]),
        ("ArrowRight", images[1]),
        ("End", here),
        ("Backspace", images[1]),
        ("Control+z", images[0]),
        ("Control+Shift+z", images[1]),  # the next one without an answer
    ):
        page.keyboard.press(key)
        assert image_of(on_screen(page)) == image, key
    saved(page)
    assert dict(project.state().labels) == {images[0]: (0,)}

    def corner():
        box = page.locator("#stage > img").bounding_box()
        return round(box["x"]), round(box["y"])

    width = page.locator("#stage > img").bounding_box()["width"]
    page.keyboard.press("-")
    assert page.locator("#stage > img").bounding_box()["width"] < width
    x, y = corner()
    page.keyboard.press("Shift+ArrowRight")
    assert corner()[0] < x
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Shift+ArrowDown")
    assert corner()[0] == x and corner()[1] < y


def test_keys_of_a_wall_select_look_and_mark(project, serve, visit, truth):
    publish(project, truth, noise=0.1)
    page = visit(serve(project).url, "gallery?order=path")
    page.locator(".card").first.wait_for()
    active = page.locator(".card.active")
    for key, index in (("End", 35), ("Home", 0), ("ArrowDown", 7), ("ArrowUp", 0), ("l", 0)):
        page.keyboard.press(key)
        assert active.get_attribute("data-index") == str(index), key
    page.locator("dialog .stage > img").wait_for()
    page.keyboard.press("1")  # a key of a class behind a dialog does nothing
    page.keyboard.press("Escape")
    page.locator("dialog").wait_for(state="detached")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    assert page.locator("[aria-selected=true]").count() == 2
    page.keyboard.press("Escape")
    assert page.locator("[aria-selected=true]").count() == 0
    first = int(page.locator("#card-0").get_attribute("data-image"))
    page.keyboard.press("Home")
    page.keyboard.press("Enter")  # as predicted
    saved(page)
    ((image, label),) = project.state().labels.items()
    assert (image, label) == (first, (truth_of(project.images().names[first], truth),))
    page.keyboard.press("Home")
    page.keyboard.press("l")
    page.locator("dialog").get_by_text(
        re.compile("^(zero|one|two) · .+ · ")
    ).wait_for()  # who, when
