"""Agreement of people on common images."""

import pytest

from nextlabel.project.labelling.answer import Answer
from nextlabel.project.labelling.classes import ClassChange
from nextlabel.project.labelling.state import State, fold
from nextlabel.project.people.agreement import agreement

CLASSES = [
    ClassChange(f"c{n}", "add", value=name, seq=n + 1, at=0.0, person="ann")
    for n, name in enumerate(("zero", "one"))
]


def state_of(**labels: list[tuple[int, ...] | None]) -> State:
    answers = [
        Answer(f"{person}{image}", image, "label", label, seq=0, person=person, received_at=0.0)
        for person, of_person in labels.items()
        for image, label in enumerate(of_person)
        if label is not None
    ]
    numbered = [Answer(**(vars(a) | {"seq": n})) for n, a in enumerate(answers, 1)]
    return fold(numbered, CLASSES)


def test_two_people_with_one_class_an_image() -> None:
    """The binary example of Krippendorff 2011, whose alpha is 0.095; kappa by its definition."""
    a = [(int(c),) for c in "0100000010"]
    b = [(int(c),) for c in "1110010000"]
    made = agreement(state_of(ann=[*a, (1,)], ben=[*b, None]), "multiclass")
    assert (made.images, made.conflicts) == (10, 4)
    assert made.alpha == pytest.approx(0.095, abs=0.0005)
    (pair,) = made.pairs
    assert pair.people == ("ann", "ben") and pair.images == 10 and pair.same == 0.6
    assert pair.kappa == pytest.approx((0.6 - 0.56) / (1 - 0.56))


def test_findings_are_the_mean_over_the_classes() -> None:
    made = agreement(state_of(ann=[(0, 1), (), (0,)], ben=[(0, 1), (), (1,)]), "multilabel")
    assert made.pairs[0].same == pytest.approx(2 / 3)
    assert made.alpha == pytest.approx(4 / 9)
    assert made.conflicts == 1


def test_nothing_in_common() -> None:
    made = agreement(state_of(ann=[(0,), None], ben=[None, (1,)]), "multiclass")
    assert made.images == 0 and made.alpha is None and made.pairs == ()
