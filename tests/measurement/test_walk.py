"""The way through the slices that differ."""

from napari_vbmd.measurement.walk import Walk


def test_it_starts_with_the_worst_and_walks_down():
    walk = Walk()
    assert [walk.next([7, 3, 9]) for _ in range(3)] == [7, 3, 9]


def test_a_corrected_slice_is_left_behind_and_the_next_is_still_the_worst_unseen():
    walk = Walk()
    assert walk.next([7, 3, 9, 1]) == 7
    assert walk.next([3, 9, 1, 7]) == 3  # 7 was corrected, and is the last now
    assert walk.next([9, 1]) == 9  # 7 and 3 agree by now


def test_a_slice_that_became_worse_meanwhile_comes_earlier():
    walk = Walk()
    walk.next([7, 3, 9])
    assert walk.next([9, 7, 3]) == 9


def test_back_leads_along_the_way_and_next_forward_again():
    walk = Walk()
    order = [7, 3, 9, 1]
    for _ in range(3):
        walk.next(order)
    assert [walk.back(), walk.back(), walk.back()] == [3, 7, None]
    assert [walk.next(order) for _ in range(3)] == [3, 9, 1]


def test_when_all_were_seen_another_round_begins_with_the_worst():
    walk = Walk()
    for _ in range(2):
        walk.next([7, 3])
    assert walk.left([7, 3]) == 0
    assert walk.next([3, 7]) == 3
    assert walk.left([3, 7]) == 1
    assert walk.back() == 3


def test_nothing_differs_nowhere_to_go():
    walk = Walk()
    assert walk.next([]) is None
    assert walk.back() is None
    walk.next([4])
    assert walk.next([]) is None
    assert walk.back() is None
