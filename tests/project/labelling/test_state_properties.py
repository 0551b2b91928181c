"""The state as a fold of the log: any order of answers, undos, retries and changes of classes."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from nextlabel.project.labelling.answer import Answer
from nextlabel.project.labelling.classes import ClassChange
from nextlabel.project.labelling.state import State, fold

IMAGES, PEOPLE, CLASSES = range(2), ("ann", "ben"), range(4)
KEYS = st.integers(0, 14).map("k{}".format)


def answer(key: str, image: int, kind: str, classes: frozenset[int], person: str, undoes: str):
    return Answer(
        key,
        image,
        kind,  # type: ignore[arg-type]
        tuple(sorted(classes)) if kind == "label" else (),
        note=f"note {key}" if kind == "note" else "",
        undoes=undoes if kind == "undo" else None,
        view="resolve" if key.endswith("3") else "one",
        seq=0,
        person=person,
        received_at=0.0,
    )


ANSWERS = st.lists(
    st.builds(
        answer,
        KEYS,
        st.sampled_from(IMAGES),
        st.sampled_from(["label"] * 4 + ["undo"] * 3 + ["skip", "unsure", "flag", "note", "clear"]),
        st.frozensets(st.sampled_from(CLASSES), max_size=2),
        st.sampled_from(PEOPLE),
        KEYS,
    ),
    max_size=25,
).map(lambda answers: [replace(a, seq=n) for n, a in enumerate(answers, 1)])


def change(action: str, at: int, other: int) -> ClassChange:
    value = {"merge": str(other), "rename": f"name {other}", "key": "x", "colour": "#000000"}
    return ClassChange(
        f"{action}{at}{other}", action, at, value.get(action), seq=0, at=0.0, person="ann"  # type: ignore[arg-type]
    )  # fmt: skip


ADDED = [
    ClassChange(f"c{n}", "add", value=f"class {n}", seq=n + 1, at=0.0, person="ann")
    for n in CLASSES
]
CHANGES = st.lists(
    st.builds(
        change,
        st.sampled_from(["merge", "merge", "remove", "rename", "key", "colour"]),
        st.sampled_from(CLASSES),
        st.sampled_from(CLASSES),
    ),
    max_size=5,
).map(lambda changes: ADDED + [replace(c, seq=n) for n, c in enumerate(changes, 5)])


@given(ANSWERS, CHANGES, st.lists(st.integers(0, 25), max_size=6), st.lists(st.integers(0, 9)))
def test_steps_of_any_size_give_the_fold(
    answers: list[Answer], changes: list[ClassChange], cuts: list[int], class_cuts: list[int]
) -> None:
    whole = fold(answers, changes)
    state, earlier = State(), []
    for at, class_at in zip(sorted(cuts), sorted(class_cuts), strict=False):
        state = state.advance(answers[:at], changes[:class_at])  # what is known already is skipped
        earlier.append((state, fold(answers[: state.seq], changes[: state.change_seq])))
    state = state.advance(answers, changes)
    assert state == whole
    assert list(state.history()) == list(whole.history())
    for then, expected in earlier:  # an earlier state has not changed meanwhile
        assert then == expected and list(then.history()) == list(expected.history())


@given(ANSWERS, CHANGES)
def test_the_state_is_what_its_definition_says(
    answers: list[Answer], changes: list[ClassChange]
) -> None:
    """The definition in plain words, computed from the whole log each time."""
    state = fold(answers, changes)
    first: dict[str, Answer] = {}
    for one in answers:
        first.setdefault(one.key, one)
    log = sorted(first.values(), key=lambda one: one.seq)
    counts: dict[str, bool] = {}
    for one in reversed(log):
        takers = [u for u in log if u.kind == "undo" and u.undoes == one.key and u.seq > one.seq]
        counts[one.key] = not any(counts[u.key] for u in takers)
    effective = [one for one in log if counts[one.key] and one.kind != "undo"]
    assert list(state.history()) == effective
    assert [list(state.history(p)) for p in PEOPLE] == [
        [one for one in effective if one.person == p] for p in PEOPLE
    ]
    ends = []
    for one in state.classes:
        end = one
        while end.merged_into is not None:
            end = state.classes[end.merged_into]
        ends.append(None if end.removed else end.id)
    for image in IMAGES:
        of_person: dict[str, Answer] = {}
        for one in effective:
            if one.image == image and one.kind in ("label", "skip", "unsure", "clear"):
                of_person[one.person] = one
        labels = {}
        for person, one in of_person.items():
            ids = tuple(sorted({ends[c] for c in one.classes if ends[c] is not None}))
            if one.kind == "label" and (ids or not one.classes):
                labels[person] = (one.seq, ids, one.view)
        newest = max(labels.values(), default=None)
        assert state.labels.get(image) == (None if newest is None else newest[1])
        assert dict(state.image(image).by_person) == {p: ids for p, (_, ids, _) in labels.items()}
        differ = len({ids for _, ids, _ in labels.values()}) > 1
        assert (image in state.conflicts) == (
            differ and newest is not None and newest[2] != "resolve"
        )
        waiting = [o for o in of_person.values() if o.kind in ("skip", "unsure")]
        last = max(waiting, key=lambda o: o.seq, default=None) if newest is None else None
        assert (image in state.skipped) == (last is not None and last.kind == "skip")
        assert (image in state.unsure) == (last is not None and last.kind == "unsure")
        assert (image in state.flagged) == any(
            one.image == image and one.kind == "flag" for one in effective
        )
        notes = [one.note for one in effective if one.image == image and one.kind == "note"]
        assert state.notes.get(image, "") == (notes[-1] if notes else "")
    counted = [one for label in state.labels.values() for one in label]
    assert dict(state.class_counts) == {one: counted.count(one) for one in set(counted)}


@given(ANSWERS, CHANGES, st.lists(st.integers(0, 24), max_size=8))
def test_an_answer_that_is_sent_again_changes_nothing(
    answers: list[Answer], changes: list[ClassChange], again: list[int]
) -> None:
    retried = [answers[n] for n in again if n < len(answers)]
    log = [replace(a, seq=n) for n, a in enumerate([*answers, *retried], 1)]
    first, second = fold(answers, changes), fold(log, changes)
    assert second.labels == first.labels and second.images == first.images
    assert list(second.history()) == list(first.history())


@given(st.integers(1, 8))
def test_undo_and_redo_take_turns(times: int) -> None:
    log = [answer("k0", 0, "label", frozenset({1}), "ann", "")]
    log += [answer(f"u{n}", 0, "undo", frozenset(), "ann", f"u{n - 1}" if n else "k0")
            for n in range(times)]  # fmt: skip
    state = fold([replace(a, seq=n) for n, a in enumerate(log, 1)], ADDED)
    assert (0 in state.labels) == (times % 2 == 0)


def test_a_removed_class_can_come_back_with_its_labels() -> None:
    log = [replace(answer("k0", 0, "label", frozenset({1}), "ann", ""), seq=1)]
    removed = [*ADDED, replace(change("remove", 1, 0), seq=5)]
    added = [*removed, replace(ADDED[1], key="again", seq=6)]
    assert dict(fold(log, removed).labels) == {}
    assert dict(fold(log, added).labels) == {0: (1,)}
    assert len(fold(log, added).classes) == 4


def test_the_newest_label_counts_whoever_gave_it() -> None:
    log = [
        answer("k0", 0, "label", frozenset({0}), "ann", ""),
        answer("k1", 0, "label", frozenset({1}), "ben", ""),
        answer("k2", 0, "label", frozenset({2}), "ann", ""),
    ]
    state = fold([replace(a, seq=n) for n, a in enumerate(log, 1)], ADDED)
    assert state.labels[0] == (2,) and 0 in state.conflicts


def test_two_states_can_continue_from_the_same_one() -> None:
    first, left, right = (
        replace(answer(f"k{n}", n % 2, "label", frozenset({n}), "ann", ""), seq=min(n, 1) + 1)
        for n in range(3)
    )
    base = fold([first], ADDED)
    one, other = base.advance([left]), base.advance([right])
    assert list(one.history()) == [first, left]
    assert list(other.history()) == [first, right]
    assert list(base.history()) == [first]
