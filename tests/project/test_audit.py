import numpy as np
import pytest

from nextlabel.project.audit import audit_order, audit_places, audited, next_to_audit

DIGESTS = [f"{number:064x}" for number in range(200)]


def test_the_order_depends_on_content_alone():
    order = audit_order(DIGESTS)
    assert sorted(order.tolist()) == list(range(200))
    assert order.tolist() != list(range(200))
    reverse = audit_order(DIGESTS[::-1])
    assert (199 - reverse).tolist() == order.tolist()
    fewer = audit_order(DIGESTS[:150])
    assert fewer.tolist() == [row for row in order.tolist() if row < 150]


def test_equal_images_count_once():
    order = audit_order(["a", "b", "a", "c", "b"])
    assert sorted(order.tolist()) == [0, 1, 3]


def test_the_audit_ends_at_the_first_image_without_a_label():
    order = np.array([5, 2, 9, 1])
    assert audited(order, np.array([1, 2, 5])).tolist() == [2, 1]
    assert audited(order, np.array([2, 9, 1])).tolist() == []
    assert audited(order, np.array([9, 1, 2, 5])).tolist() == [3, 2, 0, 1]


def test_images_that_a_strategy_chose_too_are_not_asked_again():
    order = np.array([5, 2, 9, 1])
    assert next_to_audit(order, np.array([2, 7]), 2).tolist() == [5, 9]
    assert next_to_audit(order, np.array([2]), 9).tolist() == [5, 9, 1]


@pytest.mark.parametrize("share", [0, 0.2, 0.3, 1])
def test_one_large_batch_and_several_small_ones_draw_alike(share):
    whole = audit_places(0, 60, share)
    assert len(whole) == round(60 * share)
    parts, begun = [], 0
    for budget in (1, 4, 20, 7, 28):
        parts += (audit_places(begun, budget, share) + begun).tolist()
        begun += budget
    assert parts == whole.tolist()


def test_the_first_images_are_a_fair_sample():
    """Half of the images are of one kind: so is about half of the first fifty, for any contents."""
    shares = [
        np.mean(audit_order([f"{seed} {n}" for n in range(400)])[:50] % 2) for seed in range(60)
    ]
    assert abs(np.mean(shares) - 0.5) < 0.03
    assert 0.04 < np.std(shares) < 0.1  # 0.071 for independent draws, 0.066 without replacement
