"""Settings: classes that change under labels, and labels that buttons import and export."""

import csv
import io
import zipfile

from browser.conftest import CLASSES, next_image, on_screen, publish, said, saved, until

LABELS = "path,label\ndigit-00.png,zero\ndigit-01.png,four\nnot-here.png,one\n"


def row(page, name):
    """Return the row of a class."""
    return page.locator(".class-row").filter(has=page.get_by_label(f"Name of {name}", exact=True))


def test_a_field_keeps_what_is_typed_while_another_change_is_saved(project, serve, visit):
    page = visit(serve(project).url, "settings")
    held = []
    page.route("**/api/classes", lambda route: held.append(route))
    page.get_by_label("Name of one").fill("uno")
    page.keyboard.press("Tab")
    while not held:
        page.wait_for_timeout(20)
    page.get_by_label("Name of two").press("End")
    page.keyboard.type(" or three")
    held[0].continue_()
    page.get_by_label("Name of uno").wait_for()
    assert page.locator(":focus").input_value() == "two or three"
    page.unroute("**/api/classes")
    page.keyboard.press("Enter")
    page.get_by_label("Name of two or three").wait_for()
    assert [one.name for one in project.state().classes] == ["zero", "uno", "two or three"]


def test_classes_get_other_names_keys_and_colours(project, serve, visit):
    page = visit(serve(project).url, "settings")
    page.get_by_label("Name of zero").fill("<i>nought</i>")
    page.keyboard.press("Enter")
    nought = row(page, "<i>nought</i>")
    nought.get_by_label("Key of").fill("q")
    page.keyboard.press("Tab")
    page.get_by_label("Colour of one").fill("#aa1122")
    page.get_by_label("Name of two").fill("one")
    page.keyboard.press("Tab")
    said(page, "'one'")  # is taken
    until(page, "document.querySelectorAll('.class-row input')[7].value === 'two'")
    page.get_by_role("link", name="Label", exact=True).click()
    page.locator("#classes .class-name").first.wait_for()
    assert page.locator("#classes .class-name").all_inner_texts() == ["<i>nought</i>", "one", "two"]
    colour = page.locator("#classes .swatch").nth(1)
    assert colour.evaluate("(one) => getComputedStyle(one).backgroundColor") == "rgb(170, 17, 34)"
    with next_image(page) as image:
        page.keyboard.press("q")
    saved(page)
    assert dict(project.state().labels) == {image: (0,)}
    assert [one.name for one in project.state().classes] == ["<i>nought</i>", "one", "two"]


def test_labels_follow_a_class_that_is_merged(project, serve, visit):
    site = serve(project)
    page = visit(site.url)
    images = []
    for key in "123":
        with next_image(page) as image:
            images.append(image)
            page.keyboard.press(key)
    saved(page)
    page.goto(f"{site.url}/settings")
    assert row(page, "two").get_by_role("button", name="Remove").is_disabled()
    row(page, "two").get_by_role("button", name="Merge").click()
    page.locator("#merge-into").select_option(label="zero")
    page.locator("dialog button[type=submit]").click()
    row(page, "zero").get_by_text("2 labels").wait_for()
    assert page.locator(".class-row").count() == 2
    assert dict(project.state().labels) == {images[0]: (0,), images[1]: (1,), images[2]: (0,)}
    page.goto(f"{site.url}/label")
    page.locator("#recent li").nth(2).wait_for()
    page.keyboard.press("ArrowLeft")
    page.locator("#notice", has_text="1 back: zero").wait_for()


def test_labels_come_in_from_a_file_and_go_out_to_one(project, serve, visit):
    site = serve(project)
    page = visit(site.url, "settings")

    def take(name, content):
        page.locator("#file").set_input_files(
            {"name": name, "mimeType": "text/csv", "buffer": content.encode()}
        )
        page.get_by_role("button", name="Import").click()

    take("mine.csv", "nothing of the kind")
    page.locator("#imported.error").wait_for()
    take("mine.csv", LABELS)
    page.locator("#imported", has_text="2 labels imported. New classes: four.").wait_for()
    assert "1 path is not in the folder, such as not-here.png" in (
        page.locator("#imported").inner_text()
    )
    page.get_by_label("Name of four").wait_for()
    take("mine.csv", LABELS)
    page.locator("#imported", has_text="0 labels imported; 2 were here already").wait_for()

    page.goto(f"{site.url}/progress")
    page.get_by_role("link", name="CSV", exact=True).wait_for()
    files = {}
    for name in page.locator("#exports a").all_inner_texts():
        with page.expect_download() as download:
            page.get_by_role("link", name=name, exact=True).click()
        files[name] = download.value.path().read_bytes()
        assert download.value.suggested_filename.startswith("photos-labels.")
    assert len(files) >= 6 and all(files.values())
    lines = list(csv.DictReader(io.StringIO(files["CSV"].decode())))
    assert {one["path"]: one["label"] for one in lines if one["label"]} == {
        "digit-00.png": "zero",
        "digit-01.png": "four",
    }
    packed = zipfile.ZipFile(io.BytesIO(files["Folders by class"])).namelist()
    assert {"zero/digit-00.png", "four/digit-01.png"} <= set(packed)
    assert [one.name for one in project.state().classes] == [*CLASSES, "four"]


def test_the_page_says_that_the_model_changes_over_to_other_features(project, serve, visit, truth):
    publish(project, truth)
    page = visit(serve(project).url)
    on_screen(page)
    assert page.locator(".toast").count() == 0
    publish(project, truth, space="features of a pretrained network and a VAE")
    said(page, "The model and the queue now use features of a pretrained network and a VAE.")


def test_a_labeller_sees_settings_and_changes_none(project, serve, new_page):
    from browser.test_people import PASSWORD, logged_in
    from nextlabel.project.people.people import People

    People(project.database).add("ada", PASSWORD, "labeller")
    site = serve(project, users=True)
    page = logged_in(new_page(), site, "ada")
    page.goto(f"{site.url}/settings")
    page.get_by_label("Name of zero").wait_for()
    assert page.locator("#class-rows :enabled").count() == 0
    for hidden in ("#import-section", "#people-section", "#add"):
        assert not page.locator(hidden).is_visible()
    page.goto(f"{site.url}/label")
    on_screen(page)
    assert not page.locator("#add-class").is_visible()
