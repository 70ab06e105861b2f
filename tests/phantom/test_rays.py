"""The four rays of a hand."""

from itertools import pairwise

import numpy as np
import pytest

from napari_vbmd.phantom.rays import draw_rays


@pytest.fixture(scope="module", params=range(12))
def rays(request):
    return draw_rays(request.param)


def test_fingers_lie_in_their_order_and_the_thumb_comes_last(rays):
    assert [ray.finger for ray in rays[:4]] == [2, 3, 4, 5]
    assert np.all(np.diff([ray.u for ray in rays[:4]]) > 10)
    assert all(ray.finger == 1 and ray.u < rays[0].u for ray in rays[4:])


def test_third_head_stands_before_the_fourth_and_the_fifth(rays):
    _, third, fourth, fifth = (ray.w for ray in rays[:4])
    assert third < fourth < fifth


def test_neighbours_do_not_touch(rays):
    for one, other in pairwise(rays[:4]):
        assert other.u - one.u > 0.95 * (one.width + other.width)


def test_some_hands_have_erosions_and_some_a_thumb():
    hands = [draw_rays(seed) for seed in range(60)]
    eroded = sum(any(ray.erosions for ray in rays) for rays in hands)
    thumbs = sum(len(rays) == 5 for rays in hands)
    assert 10 < eroded < 50
    assert 6 < thumbs < 40


def test_own_coordinates_undo_the_way_into_the_hand(rays):
    for ray in rays:
        for along in (0.0, 7.5):
            np.testing.assert_allclose(ray.own(*ray.in_hand(along)), (along, 0, 0), atol=1e-9)
