"""One image: keys, undo, going back, and what is written about what was on the screen."""

import re

from browser.conftest import (
    fetched,
    image_of,
    next_image,
    on_screen,
    publish,
    saved,
    truth_of,
)


def test_a_key_labels_saves_and_shows_the_next_image(project, serve, visit, truth):
    page = visit(serve(project).url)
    given = {}
    for _ in range(12):
        with next_image(page) as image:
            given[image] = truth_of(project.images().names[image], truth)
            page.keyboard.press(str(given[image] + 1))
    saved(page)
    assert {image: classes[0] for image, classes in project.state().labels.items()} == given
    assert page.locator("#labelled").inner_text() == "12"
    answers = project.answers()
    assert all(answer.view == "one" and answer.shown_at <= answer.answered_at for answer in answers)


def test_keys_faster_than_the_network_label_what_was_on_the_screen(project, serve, visit, truth):
    publish(project, truth)
    site = serve(project)
    page = visit(site.url)
    fetched(page, 20)
    site.latency = 0.3
    shown = page.evaluate(
        """async () => {
          const seen = [];
          const keys = ["1", "2", "3"];
          for (let i = 0; i < 20; i++) {
            let image;
            while (!(image = document.querySelector("#stage > img"))) await new Promise(requestAnimationFrame);
            seen.push([Number(image.dataset.image), i % 3]);
            const press = new KeyboardEvent("keydown", { key: keys[i % 3], bubbles: true });
            document.body.dispatchEvent(press);
            await new Promise((done) => setTimeout(done, 10));
          }
          return seen;
        }"""  # noqa: E501
    )
    assert len(shown) == 20
    saved(page)
    assert len({image for image, _ in shown}) == 20
    assert {i: c[0] for i, c in project.state().labels.items()} == {i: c for i, c in shown}
    assert {answer.model for answer in project.answers()} == {1}


def test_undo_goes_back_without_end_and_redo_returns(project, serve, visit):
    page = visit(serve(project).url)
    images = []
    for key in "1231":
        with next_image(page) as image:
            images.append(image)
            page.keyboard.press(key)
    saved(page)
    page.reload()  # the history of an earlier session can be undone as well
    on_screen(page)
    page.locator("#recent li:nth-child(4)").wait_for()
    for image in reversed(images):
        page.keyboard.press("z")
        assert image_of(on_screen(page)) == image
    saved(page)
    assert not project.state().labels
    page.keyboard.press("Shift+z")
    page.keyboard.press("Control+y")
    saved(page)
    assert {i: c[0] for i, c in project.state().labels.items()} == {images[0]: 0, images[1]: 1}
    assert image_of(on_screen(page)) == images[2]  # the first of those without an answer
    page.keyboard.press("3")
    saved(page)
    assert project.state().labels[images[2]] == (2,)


def test_skip_unsure_flag_and_note_are_written(project, serve, visit):
    page = visit(serve(project).url)
    with next_image(page) as skipped:
        page.keyboard.press("s")
    with next_image(page) as unsure:
        page.keyboard.press("u")
    flagged = image_of(on_screen(page))
    page.keyboard.press("f")
    page.keyboard.press("n")
    page.locator("#dialog-text").fill("a <b>bold</b> note")
    page.keyboard.press("Control+Enter")
    page.locator("#notice", has_text="Note: a <b>bold</b> note").wait_for()
    saved(page)
    state = project.state()
    assert (set(state.skipped), set(state.unsure), set(state.flagged)) == (
        {skipped},
        {unsure},
        {flagged},
    )
    assert state.notes[flagged] == "a <b>bold</b> note"
    page.keyboard.press("f")
    saved(page)
    assert not project.state().flagged


def test_an_earlier_image_is_corrected(project, serve, visit):
    page = visit(serve(project).url)
    for key in "11":
        with next_image(page):
            page.keyboard.press(key)
    present = on_screen(page)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.locator("#notice", has_text="Earlier image, 2 back: zero").wait_for()
    wrong = image_of(on_screen(page))
    page.keyboard.press("3")
    page.locator("#notice").wait_for(state="hidden")
    assert on_screen(page) == present
    saved(page)
    assert project.state().labels[wrong] == (2,)


def test_names_are_text(project, serve, visit):
    page = visit(serve(project).url)
    awkward = next(i for i, name in enumerate(project.images().names) if "<b" in name)
    for _ in range(36):
        if image_of(on_screen(page)) == awkward:
            break
        with next_image(page):
            page.keyboard.press("1")
    page.locator("#caption", has_text="<b id=x>'7'&.png").wait_for()
    assert page.locator("#x").count() == 0


def test_the_last_image_ends_in_a_summary(project, serve, visit):
    page = visit(serve(project).url)
    for _ in range(35):
        with next_image(page):
            page.keyboard.press("2")
    page.keyboard.press("2")
    page.get_by_role("heading", name="Every image has an answer").wait_for()
    saved(page)
    assert len(project.state().labels) == 36


def test_zoom_is_exact_and_the_next_image_is_whole_again(project, serve, visit):
    page = visit(serve(project).url)
    on_screen(page)
    page.keyboard.press("v")
    assert page.locator("#zoom").inner_text() == "1×"
    assert page.locator("#stage > img").bounding_box()["width"] == 32
    page.keyboard.press("v")
    fitted = page.locator("#stage > img").bounding_box()["width"]
    page.keyboard.press("+")
    larger = page.locator("#stage > img").bounding_box()["width"]
    assert larger > fitted and larger % 32 == 0
    style = page.locator("#stage > img").evaluate("(image) => image.style.imageRendering")
    assert style == "pixelated"
    with next_image(page):
        page.keyboard.press("1")
    assert page.locator("#stage > img").bounding_box()["width"] == fitted


def test_a_key_of_a_class_comes_before_that_of_an_action(project, serve, visit):
    from nextlabel.project.labelling.classes import NewClassChange

    project.change_classes([NewClassChange("s", "key", 1, "s")], "me")
    page = visit(serve(project).url)
    with next_image(page) as image:
        page.keyboard.press("s")
    with next_image(page) as skipped:
        page.keyboard.press("Shift+S")
    saved(page)
    assert project.state().labels[image] == (1,)
    assert set(project.state().skipped) == {skipped}
    page.keyboard.press("?")
    assert re.search(r"⇧S\s+Skip", page.locator("dialog").inner_text())


def test_a_class_is_added_while_labelling(project, serve, visit):
    page = visit(serve(project).url)
    on_screen(page)
    page.locator("#add-class").click()
    page.locator("#dialog-text").fill("<i>new</i>")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="<i>new</i>").wait_for()
    with next_image(page) as image:
        page.keyboard.press("4")
    saved(page)
    assert project.state().labels[image] == (3,)


def test_a_project_without_classes_shows_the_image_and_a_way_to_name_one(folder, serve, visit):
    from nextlabel.project.labelling.project import Project

    with Project.create(folder) as project:
        project.scan()
        site = serve(project)
        page = visit(site.url)
        on_screen(page)
        page.get_by_role("heading", name="Which classes are there?").wait_for()
        page.get_by_role("button", name="Add a class", exact=True).click()
        page.locator("#dialog-text").fill("cell")
        page.keyboard.press("Enter")
        page.locator("#classes .class", has_text="cell").wait_for()
        with next_image(page) as image:
            page.keyboard.press("1")
        saved(page)
        assert dict(project.state().labels) == {image: (0,)}
        site.stop()


def test_the_buttons_do_the_same_as_the_keys(project, serve, visit):
    page = visit(serve(project).url, has_touch=True, viewport={"width": 390, "height": 800})
    with next_image(page) as image:
        page.locator("#classes button", has_text="two").tap()
    saved(page)
    assert dict(project.state().labels) == {image: (2,)}
    page.locator("#actions button", has_text="Undo").tap()
    saved(page)
    assert not project.state().labels


def test_the_reason_is_shown_after_the_answer_alone(project, serve, visit, truth):
    publish(project, truth)
    page = visit(serve(project).url)
    on_screen(page)
    page.keyboard.press("w")
    page.locator("#why-body", has_text="are shown after the answer").wait_for()
    assert "margin" not in page.locator("#why-body").inner_text()
    with next_image(page):
        page.keyboard.press("1")
    saved(page)
    page.keyboard.press("ArrowLeft")
    page.locator("#why-body", has_text="Chosen by margin.").wait_for()


def test_the_counts_of_classes_change_with_the_answer_and_its_undo(project, serve, visit):
    page = visit(serve(project).url)
    counts = "[...document.querySelectorAll('.class-count')].map((one) => one.textContent)"

    def press(key):  # what is counted at once, before the server can say it
        page.keyboard.press(key)
        return page.evaluate(counts)

    with next_image(page):
        assert press("2") == ["0", "1", "0"]
    assert press("z") == ["0", "0", "0"]
    with next_image(page):
        assert press("Shift+Z") == ["0", "1", "0"]
    saved(page)
