"""Soft tissue, the hand rest, air."""

import numpy as np
import pytest

from napari_vbmd.phantom.pose import draw_pose
from napari_vbmd.phantom.rays import draw_rays
from napari_vbmd.phantom.tissue import AIR, Tissue

Z, SIDE = np.array([-5.0, 5.0]), np.arange(-62, 62, 0.5)


@pytest.fixture(scope="module")
def drawn():
    rays = draw_rays(2)
    pose = draw_pose(2).with_tip(rays[0])
    return rays, pose, Tissue(rays, pose, 2)


def test_bones_lie_in_soft_tissue_and_corners_are_air(drawn):
    rays, pose, tissue = drawn
    density = tissue.on_grid(Z, SIDE, SIDE, 0.07)
    assert density.shape == (2, SIDE.size, SIDE.size)
    assert density[:, 0, 0] == pytest.approx(AIR, abs=0.1)
    for ray in rays:
        at = pose.scan(*ray.in_hand(5.0))
        there = tissue.on_grid(*(np.array([c]) for c in at), 0.07)
        assert -80 < there.item() < 90


def test_fat_is_less_dense_than_tendons_and_all_is_soft(drawn):
    density = drawn[2].on_grid(Z, SIDE, SIDE, 0.0)
    soft = density[density > -120]
    low, high = np.percentile(soft, [2, 98])
    assert low < -25
    assert 25 < high < 80


def test_part_of_a_grid_is_the_same_as_in_the_whole(drawn):
    whole = drawn[2].on_grid(Z, SIDE, SIDE, 0.07)
    part = drawn[2].on_grid(Z[1:], SIDE[60:90], SIDE[100:140], 0.07)
    np.testing.assert_allclose(part, whole[1:, 60:90, 100:140], atol=0.01)


def test_hand_rest_lies_on_the_side_of_the_palm(drawn):
    tissue = drawn[2]
    rest = tissue.rest.on_grid(Z, SIDE, SIDE) > 0
    skin = tissue.skin.on_grid(Z, SIDE, SIDE) > 0
    assert rest.any()
    assert not (rest & skin).any()
    middle = np.abs(SIDE) < 10
    assert SIDE[rest[:, middle].any(axis=(0, 1))].min() > SIDE[skin.any(axis=(0, 1))].mean()
