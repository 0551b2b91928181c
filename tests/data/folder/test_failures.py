"""Files that cannot be read, grouped by reason."""

from nextlabel.data.folder.failures import FailureGroup, failure_groups

EMPTY = "the file is empty; copy or export it again"


def test_files_of_one_reason_are_one_group_the_largest_first() -> None:
    failures = {"c.png": EMPTY, "b.png": EMPTY, "a.txt": "it is not an image; export it as PNG"}
    groups = failure_groups(failures)
    assert groups == [
        FailureGroup(EMPTY, 2, "b.png"),
        FailureGroup("it is not an image; export it as PNG", 1, "a.txt"),
    ]
    assert list(map(str, groups)) == [
        f"2 images (b.png first): {EMPTY}",
        "a.txt: it is not an image; export it as PNG",
    ]
    assert [group.fault for group in groups] == ["the file is empty", "is not an image"]


def test_reasons_that_differ_in_numbers_are_one() -> None:
    pages = "it has {} pages; choose one by --page 0"
    (group,) = failure_groups({"a.tif": pages.format(3), "b.tif": pages.format(12)})
    assert group == FailureGroup("it has … pages; choose one by --page 0", 2, "a.tif")
    (group,) = failure_groups({"a.tif": pages.format(3), "b.tif": pages.format(3)})
    assert group.reason == pages.format(3)


def test_nothing_that_fails_is_no_group() -> None:
    assert failure_groups({}) == []


def test_the_fault_is_short() -> None:
    (group,) = failure_groups({"a.png": "it cannot be decoded (bad CRC); export it again"})
    assert group.fault == "cannot be decoded (bad CRC)"
    (group,) = failure_groups({"a.png": f"it is of no known kind ({'png, ' * 10}); export it"})
    assert group.fault == "is of no known kind"
