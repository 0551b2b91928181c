"""Many images at once: grid, gallery, review."""

import pytest

from browser.conftest import CLASSES, publish, said, saved, truth_of
from nextlabel.project.scanning.image_facts import ImageFacts


def labels(project):
    return {image: classes[0] for image, classes in project.state().labels.items()}


def cards(page):
    """Wait for cards, and return their images in order."""
    page.locator(".card").first.wait_for()
    return page.locator(".card").evaluate_all(
        "(all) => all.sort((a, b) => a.dataset.index - b.dataset.index)"
        ".map((one) => Number(one.dataset.image))"
    )


def test_a_key_labels_the_selection_of_the_grid(project, serve, visit):
    page = visit(serve(project).url, "grid")
    images = cards(page)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    page.locator("#chosen", has_text="3 images selected").wait_for()
    page.keyboard.press("2")
    saved(page)
    assert labels(project) == dict.fromkeys(images[1:4], 1)
    page.keyboard.press("z")
    saved(page)
    assert labels(project) == {}
    page.keyboard.press("Control+a")
    page.keyboard.press("3")
    saved(page)
    assert len(labels(project)) == 36
    assert {answer.view for answer in project.answers()} == {"grid"}


def test_the_grid_goes_on_to_other_images(project, serve, visit):
    page = visit(serve(project).url, "grid")
    first = cards(page)[0]
    page.keyboard.press("1")
    page.keyboard.press("s")
    saved(page)
    page.keyboard.press("n")
    page.locator(f".card[data-image='{first}']").wait_for(state="detached")
    assert len(cards(page)) == 34


def test_the_cursor_goes_on_after_one_image_and_after_a_selection(project, serve, visit):
    page = visit(serve(project).url, "grid")
    shown = cards(page)
    page.keyboard.press("1")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("2")
    assert page.locator(".card.active").get_attribute("data-image") == str(shown[4])
    saved(page)
    assert labels(project) == dict(zip(shown[:4], (0, 1, 1, 1), strict=True))


def test_a_page_of_several_classes_is_confirmed_after_a_question(project, serve, visit, truth):
    publish(project, truth)
    page = visit(serve(project).url, "gallery")
    assert len(cards(page)) == 36
    page.keyboard.press("r")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("heading", name="images as predicted?").wait_for()
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    assert labels(project) == {}
    page.keyboard.press("r")
    dialog.get_by_role("button", name="Label").click()
    page.locator(".card.answered").first.wait_for()
    saved(page)
    row = labels(project)
    assert len(set(row.values())) > 1
    page.locator("#total", has_text=f"and {len(row)} just answered").wait_for(state="detached")
    page.select_option("#only", "open")  # the keys work again after a choice, on the wall
    page.locator("#total", has_text=f"{36 - len(row)} images").wait_for()
    page.keyboard.press("1")
    saved(page)
    assert len(labels(project)) == len(row) + 1
    page.locator("#total", has_text="and 1 just answered").wait_for()
    left = page.locator("#shelves [aria-pressed=true] .n", has_text=f"{36 - len(row) - 1}")
    left.wait_for()  # the same number as above the images


def test_rows_and_pages_of_the_gallery_are_confirmed(project, serve, visit, truth):
    publish(project, truth)
    page = visit(serve(project).url, "gallery?class=1")
    names = project.images().names
    shown = cards(page)
    assert {truth_of(names[image], truth) for image in shown} == {1}
    page.keyboard.press("r")
    saved(page)
    row = labels(project)
    assert set(row.values()) == {1} and 3 < len(row) < len(shown)
    assert {answer.model for answer in project.answers()} == {1}  # whose predictions were seen
    page.keyboard.press("z")
    saved(page)
    assert labels(project) == {}
    page.keyboard.press("p")
    saved(page)
    assert labels(project) == dict.fromkeys(shown, 1)


def test_all_above_a_confidence_are_confirmed_after_a_question(project, serve, visit, truth):
    publish(project, truth, noise=0.1)
    page = visit(serve(project).url, "gallery?class=2")
    total = len(cards(page))
    page.locator("#above").fill("50")
    page.keyboard.press("a")
    page.get_by_role("heading", name=f"Label {total} images as two?").wait_for()
    page.keyboard.press("Escape")
    assert labels(project) == {}
    page.keyboard.press("a")
    page.get_by_role("button", name=f"Label {total}").wait_for()
    page.keyboard.press("Enter")
    said(page, f"{total} images labelled as two")
    assert len(labels(project)) == total
    page.locator(".toast button").click()
    saved(page)
    assert labels(project) == {}


def test_one_folder_is_shown_and_confirmed_and_what_cannot_be_shown_is_listed(
    project, serve, visit, truth
):
    (project.folder / "plate").mkdir()
    for path in sorted(project.folder.glob("digit-0*.png")):
        path.rename(path.parent / "plate" / path.name)
    project.scan()
    publish(project, truth)
    project.note_images({0: ImageFacts(problem="cut off")})
    page = visit(serve(project).url, "gallery")
    page.locator("#total", has_text="36 images").wait_for()
    page.locator("#only").select_option("problem")
    page.locator("#total", has_text="1 image").wait_for()
    page.locator(".card", has_text="cut off").wait_for()
    page.locator("#only").select_option("")
    page.locator("#folder").select_option("plate")
    page.locator("#total", has_text="9 images").wait_for()
    page.locator("#shelves button", has_text="zero").click()
    page.locator("#above").fill("50")
    page.keyboard.press("a")
    dialog = page.locator("dialog[open]")
    dialog.get_by_text("unlabelled images in plate").wait_for()
    dialog.get_by_role("button", name="Label").click()
    page.locator(".card.answered").first.wait_for()
    saved(page)
    names = [project.images().names[image] for image in project.state().labels]
    assert len(names) > 1 and all(name.startswith("plate/") for name in names)


def test_a_card_is_dragged_to_another_class(project, serve, visit, truth):
    publish(project, truth)
    page = visit(serve(project).url, "gallery?class=0")
    image = cards(page)[2]
    page.locator(f".card[data-image='{image}']").drag_to(
        page.locator("#shelves button", has_text=CLASSES[2])
    )
    saved(page)
    assert labels(project) == {image: 2}


def test_the_least_and_the_most_sure_come_first(project, serve, visit, truth):
    publish(project, truth)
    page = visit(serve(project).url, "gallery?class=1&order=least")
    rising = cards(page)
    page.locator("#order").select_option("most")
    page.locator(f".card[data-index='0'][data-image='{rising[-1]}']").wait_for()
    assert cards(page) == rising[::-1]


def test_only_rows_in_sight_are_in_the_document(project, serve, visit, truth):
    publish(project, truth)
    page = visit(serve(project).url, "gallery", viewport={"width": 500, "height": 700})
    answer = {"items": []}

    def many(route):
        """Pretend that there are 100,000 images, by giving the few ones again and again."""
        if not answer["items"]:
            answer["items"] = route.fetch().json()["items"]
        few = answer["items"]
        items = [few[k % len(few)] for k in range(120)]
        route.fulfill(json={"total": 100_000, "items": items, "by_class": {}})

    page.route("**/api/images*", many)
    page.reload()
    page.locator("#total", has_text="100,000 images").wait_for()
    page.locator(".card").first.wait_for()
    page.keyboard.press("End")
    page.locator("#card-99999").wait_for()
    assert page.locator(".card").count() < 80


def test_doubtful_labels_are_corrected_or_kept(project, serve, visit, truth):
    page = visit(serve(project).url, "review")
    page.get_by_role("heading", name="There is no model yet").wait_for()
    publish(project, truth)
    items = [
        {
            "image": image,
            "path": f"{image}.png",
            "name": f"{image}.png",
            "url": {"thumb": f"/thumb/{image}", "pixels": f"/pixels/{image}"},
            "label": [0],
            "suggested": [1],
            "doubt": 0.9,
        }
        for image in (3, 4, 5)
    ]
    reply = {"total": 3, "items": items, "facts": "three labels"}
    page.route("**/api/review*", lambda route: route.fulfill(json=reply))
    page.reload()
    page.locator(".card", has_text="model: one, doubt 90%").first.wait_for()
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    page.locator(".card", has_text="checked").nth(1).wait_for()
    saved(page)
    assert labels(project) == {3: 1, 4: 0}
    assert {answer.view for answer in project.answers()} == {"review"}


@pytest.mark.parametrize("view", ["grid", "gallery", "review"])
def test_a_failure_is_shown_with_a_way_to_try_again(project, serve, visit, view):
    page = visit(serve(project).url, view)
    paths = {"grid": "next", "gallery": "images", "review": "review"}
    page.route(f"**/api/{paths[view]}*", lambda route: route.abort())
    page.reload()
    page.get_by_text("The server does not answer").first.wait_for()
    page.get_by_role("button", name="Try again").wait_for()
    page.unroute(f"**/api/{paths[view]}*")
    page.get_by_text("The server does not answer").first.wait_for(state="hidden")
    page.get_by_text("There is no model yet").or_(page.locator(".card")).first.wait_for()


def test_a_wall_that_is_hidden_for_less_than_a_frame_draws_its_cards(project, serve, visit):
    """No change of size is seen then, so that the wall itself must draw after it is shown."""
    page = visit(serve(project).url, "grid")
    drawn = page.evaluate(
        """async () => {
          const { Wall } = await import("/static/many/wall.js");
          const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
          const area = document.createElement("div");
          area.style.cssText = "position: fixed; inset: 0; height: 300px";
          document.body.append(area);
          const load = async () => ({ total: 1, items: [{ image: 0 }] });
          const wall = new Wall(area, { load, draw: () => document.createElement("p") });
          wall.addEventListener("load", () => (area.hidden = false));
          await frame();
          area.hidden = true;
          await wall.reload();
          await frame();
          return area.querySelectorAll("p").length;
        }"""
    )
    assert drawn == 1
