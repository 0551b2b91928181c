import numpy as np
import pytest

from nextlabel.project.audit import AuditOrder, audit_places

DIGESTS = [f"{number:064x}" for number in range(200)]


def order_of(*rows):
    return AuditOrder(np.array(rows), np.linspace(0, 1, len(rows), endpoint=False))


def test_the_order_depends_on_content_alone():
    order = AuditOrder.of(DIGESTS).rows
    assert sorted(order.tolist()) == list(range(200))
    assert order.tolist() != list(range(200))
    reverse = AuditOrder.of(DIGESTS[::-1]).rows
    assert (199 - reverse).tolist() == order.tolist()
    fewer = AuditOrder.of(DIGESTS[:150]).rows
    assert fewer.tolist() == [row for row in order.tolist() if row < 150]


def test_a_seed_draws_another_audit():
    first, second = (set(AuditOrder.of(DIGESTS, seed).reserved(0.5).tolist()) for seed in (0, 1))
    assert 25 <= len(first & second) <= 75  # about a quarter of 200 are in both
    other = AuditOrder.of(DIGESTS, 1)
    assert set(AuditOrder.of(DIGESTS[:150], 1).rows.tolist()) == set(range(150))
    assert other.rows.tolist() != AuditOrder.of(DIGESTS).rows.tolist()


def test_equal_images_count_once():
    assert sorted(AuditOrder.of(["a", "b", "a", "c", "b"]).rows.tolist()) == [0, 1, 3]


def test_what_is_reserved_stays_reserved_when_images_come():
    before = set(AuditOrder.of(DIGESTS[:100]).reserved(0.2).tolist())
    after = set(AuditOrder.of(DIGESTS).reserved(0.2).tolist())
    assert before == {row for row in after if row < 100}
    assert 25 <= len(after) <= 55
    assert len(AuditOrder.of(DIGESTS).reserved(0)) == 0
    assert len(AuditOrder.of(DIGESTS).reserved(1)) == 200


def test_the_audit_ends_at_the_first_image_without_a_label():
    order = order_of(5, 2, 9, 1)
    assert order.audited(np.array([1, 2, 5])).tolist() == [2, 1]
    assert order.audited(np.array([2, 9, 1])).tolist() == []
    assert order.audited(np.array([9, 1, 2, 5])).tolist() == [3, 2, 0, 1]


def test_images_with_a_label_are_not_asked_again():
    order = order_of(5, 2, 9, 1)
    assert order.next(np.array([2, 7]), 2).tolist() == [5, 9]
    assert order.next(np.array([2]), 9).tolist() == [5, 9, 1]


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
    orders = (AuditOrder.of([f"{seed} {n}" for n in range(400)]) for seed in range(60))
    shares = [np.mean(order.rows[:50] % 2) for order in orders]
    assert abs(np.mean(shares) - 0.5) < 0.03
    assert 0.04 < np.std(shares) < 0.1  # 0.071 for independent draws, 0.066 without replacement
