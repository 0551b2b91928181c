"""Two people, or two tabs: never the same image."""

from browser.conftest import next_image, saved


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
