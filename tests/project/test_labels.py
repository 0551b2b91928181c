import numpy as np
import pytest

from nextlabel.core.errors import DataError, UsageError
from nextlabel.project.labels import known_labels
from refusals import refused

NAMES = ("a.png", "b.png", "c.png", "d.png")


def test_empty_and_missing_lines_are_unlabelled(write_labels):
    known = known_labels(NAMES, [write_labels({"c.png": "dog", "a.png": "cat", "b.png": ""})])
    assert known.ids.tolist() == [0, 2]
    assert known.classes == ("cat", "dog")
    assert known.labels.tolist() == [0, 1]
    assert known.counts == (1, 1)


def test_without_files_nothing_is_labelled():
    known = known_labels(NAMES, classes=["cat", "dog"])
    assert (len(known), known.classes, known.can_be_told_apart) == (0, ("cat", "dog"), False)


def test_the_order_of_classes_is_the_one_given(write_labels):
    file = write_labels({"c.png": "dog", "a.png": "cat"})
    known = known_labels(NAMES, [file], ["emu", "dog", "cat"])
    assert known.labels.tolist() == [2, 1]
    assert known.counts == (0, 1, 1)
    with refused(DataError, "label-of-unknown-class"):
        known_labels(NAMES, [file], ["emu", "dog"])
    for classes in (["cat"], ["cat", "cat"], ["cat", ""]):
        with refused(UsageError, "bad-classes"):
            known_labels(NAMES, [file], classes)
    with refused(UsageError, "names-not-a-list", match=r"such as classes=\['cat,dog'\]$"):
        known_labels(NAMES, [file], "cat,dog")


def test_files_may_repeat_each_other_and_not_disagree(write_labels):
    first = write_labels({"a.png": "cat", "b.png": "dog"}, "first.csv")
    second = write_labels({"b.png": "dog", "c.png": "cat"}, "second.csv")
    assert len(known_labels(NAMES, [first, second])) == 3
    other = write_labels({"b.png": "cat"}, "other.csv")
    with refused(DataError, "labels-disagree", match=r"b\.png is dog in .*first.* and cat in"):
        known_labels(NAMES, [first, other])


def test_several_labels_make_findings(write_labels):
    file = write_labels({"a.png": "cat; dog", "b.png": "none", "c.png": "dog", "d.png": "cat;dog"})
    known = known_labels(NAMES, [file])
    assert known.task == "multilabel"
    assert known.labels.tolist() == [[1, 1], [0, 0], [0, 1], [1, 1]]
    assert known.counts == (2, 3)
    spread = known_labels(NAMES, [file], ["dog", "emu", "cat"])
    assert np.array_equal(spread.labels[:, [2, 0]], known.labels)
    assert not spread.labels[:, 1].any()


@pytest.mark.parametrize("text", ["path,label\n", ""])
def test_a_file_that_lists_nothing_labels_nothing(text, tmp_path):
    file = tmp_path / "labels.csv"
    file.write_text(text)
    with pytest.warns(UserWarning, match=r"labels\.csv does not list an image"):
        known = known_labels(NAMES, [file], ["cat", "dog"])
    assert len(known) == 0
    assert known.classes == ("cat", "dog")


def test_none_is_no_class_where_another_file_has_several_labels(write_labels):
    several = write_labels({"a.png": "cat;dog", "b.png": "none"}, "several.csv")
    single = write_labels({"b.png": "none", "c.png": "None", "d.png": "cat"}, "single.csv")
    for files in ([several, single], [single, several]):
        known = known_labels(NAMES, files)
        assert known.classes == ("cat", "dog")
        assert known.labels.tolist() == [[1, 1], [0, 0], [0, 0], [1, 0]]
    assert known_labels(NAMES, [single]).classes == ("None", "cat", "none")


def test_labels_of_files_that_are_gone_are_left_out_with_a_warning(write_labels):
    file = write_labels({"a.png": "cat", "gone.png": "dog"})
    with pytest.warns(UserWarning, match=r"gone\.png"):
        known = known_labels(NAMES, [file])
    assert known.ids.tolist() == [0]


@pytest.mark.parametrize(
    ("answers", "apart"),
    [
        ({"a.png": "cat", "b.png": "cat"}, False),
        ({"a.png": "cat", "b.png": "dog"}, True),
        ({"a.png": "cat;dog", "b.png": "cat;dog"}, False),
        ({"a.png": "cat;dog", "b.png": "cat"}, True),
    ],
)
def test_two_answers_are_needed(answers, apart, write_labels):
    known = known_labels(NAMES, [write_labels(answers)])
    assert known.can_be_told_apart is apart
    if not apart:
        with refused(DataError, "one-class-only"):
            known.check()


def test_a_class_with_one_label_is_named(write_labels):
    answers = {"a.png": "cat", "b.png": "dog", "c.png": "cat"}
    with pytest.warns(UserWarning, match="dog: 1 label only"):
        known_labels(NAMES, [write_labels(answers)]).check()


def test_of_many_classes_with_one_label_few_are_named(write_labels):
    names = tuple(f"{i:02}.png" for i in range(10))
    known = known_labels(names, [write_labels({name: f"k{name[1]}" for name in names})])
    with pytest.warns(UserWarning, match=r"k0, k1, k2, k3, k4 and 5 more: 1 label only") as said:
        known.check()
    assert "k5" not in str(said[0].message)
