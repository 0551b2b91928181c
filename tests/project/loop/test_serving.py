import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nextlabel.project.labelling.models import QueueItem
from nextlabel.project.loop.serving import left, order_of, serve_next, settled, shared
from simulated_project import answer, images_of, state_of

COUNT = 12
ids = st.integers(0, COUNT - 1)
some = st.sets(ids)


def queue_of(rows):
    return [
        QueueItem(position, row, "uherding", None, False, 3) for position, row in enumerate(rows)
    ]


@st.composite
def situations(draw):
    images = images_of(COUNT, gone=draw(some), problems=draw(some))
    kinds = st.sampled_from(["label", "skip", "unsure", "flag", "clear"])
    people = st.sampled_from(["me", "you"])
    events = draw(st.lists(st.tuples(ids, kinds, people), max_size=20))
    state = state_of([answer(n + 1, *event[:2], person=event[2]) for n, event in enumerate(events)])
    queue = queue_of(draw(st.lists(ids, unique=True)))
    return images, state, queue, draw(some), draw(some), draw(st.integers(0, COUNT))


@given(situations())
def test_never_twice_never_answered_never_of_others_and_never_nothing_while_some_is_left(situation):
    images, state, queue, leased, held, count = situation
    served = [item.image for item in serve_next(state, queue, images, leased, count, held)]
    fit = {
        image
        for image in range(COUNT)
        if not images.gone[image] and images.problems[image] is None and not settled(state, image)
    }
    assert left(state, images) == len(fit)
    free = fit - leased - held
    assert len(served) == len(set(served)) == min(count, len(free))
    assert set(served) <= free
    first = [item.image for item in queue if item.image in free][:count]
    assert served[: len(first)] == first  # the order of the queue holds


@given(situations(), st.sampled_from(["me", "you", "they"]))
@settings(max_examples=50)
def test_with_an_overlap_the_same_holds_and_no_person_is_asked_twice(situation, person):
    images, state, queue, leased, held, count = situation
    served = serve_next(state, queue, images, leased, count, held, person=person, overlap=0.5)
    rows = [item.image for item in served]
    assert len(rows) == len(set(rows)) <= count
    assert not set(rows) & (leased | held)
    for item in served:
        assert person not in state.image(item.image).by_person
        assert not images.gone[item.image] and images.problems[item.image] is None
        if settled(state, item.image):
            assert item.reason == "overlap" and len(state.image(item.image).by_person) == 1
    fresh = serve_next(state, queue, images, leased, count, held)
    assert len(rows) >= len(fresh)


def test_without_a_queue_the_images_come_in_the_random_order_of_the_audit():
    images = images_of(30)
    served = serve_next(state_of([]), [], images, (), 30)
    assert [item.image for item in served] == order_of(images).rows.tolist()
    # They are not drawn by a queue, and are recorded as such.
    assert {(item.audit, item.reason) for item in served} == {(False, "random order")}
    other = serve_next(state_of([]), [], images, (), 30, seed=2)
    assert [item.image for item in other] == order_of(images, 2).rows.tolist()
    assert other != served
    assert [item.position for item in served] == list(range(30))
    queue = queue_of([4, 2])
    served = serve_next(state_of([]), queue, images, (), 3)
    assert [(i.image, i.position, i.model) for i in served[:2]] == [(4, 0, 3), (2, 1, 3)]
    assert (served[2].position, served[2].model) == (2, 3)


def test_a_second_person_is_asked_the_share_of_the_overlap_in_turn_with_new_images():
    images = images_of(400)
    both = shared(images, 0.25)
    assert 70 < len(both) < 130
    labelled = state_of([answer(i + 1, i) for i in range(200)])
    queue = queue_of(range(200, 400))
    served = serve_next(labelled, queue, images, (), 20, person="you", overlap=0.25)
    again = [item.image for item in served if item.reason == "overlap"]
    assert len(again) == 10 and set(again) <= both & set(range(200))
    assert [item.image for item in served[1::2]] == list(range(200, 210))
    mine = serve_next(labelled, queue, images, (), 20, person="me", overlap=0.25)
    assert all(item.reason != "overlap" for item in mine)
    assert all(np.array([item.image for item in mine]) >= 200)
