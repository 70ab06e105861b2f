"""How the hand lies in the scanner."""

import numpy as np
import pytest

from napari_vbmd.phantom.pose import draw_pose
from napari_vbmd.phantom.rays import draw_rays


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_scan_and_hand_coordinates_undo_each_other(seed):
    pose = draw_pose(seed)
    points = np.random.default_rng(seed).uniform(-40, 40, (3, 5))
    np.testing.assert_allclose(pose.scan(*pose.hand(*points)), points, atol=1e-9)
    np.testing.assert_allclose(pose.turn @ pose.turn.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(pose.turn) == pytest.approx(1)


def test_tip_of_the_second_head_lies_at_its_own_place_along_z():
    ray = draw_rays(4)[0]
    pose = draw_pose(4).with_tip(ray)
    assert pose.scan(ray.p, ray.u, ray.w)[0] == pytest.approx(ray.w)


def test_without_freedom_the_hand_is_straight():
    np.testing.assert_allclose(draw_pose(3, 0.0).turn, np.eye(3))


def test_hands_are_turned_and_shifted():
    turns = [np.rad2deg(np.arcsin(draw_pose(seed).turn[1, 0])) for seed in range(60)]
    assert 8 < np.std(turns) < 20
    assert np.max(np.abs(turns)) <= 35.1
