"""Noise, rings, streaks, stacks."""

import numpy as np
import pytest

from napari_vbmd.phantom.scanner import NATIVE_MM, STACK_MM, draw_scanner

SIDE = np.arange(-50, 50, 0.5)


@pytest.mark.parametrize("spacing", [0.082, 0.246])
def test_noise_has_its_sd_on_any_grid_and_differs_from_slice_to_slice(spacing):
    scanner = draw_scanner(1)
    shape = (10, 200, 220)
    one, other, again = (scanner.noise_slice(k, shape, (spacing,) * 3) for k in (3, 4, 3))
    assert one.std() == pytest.approx(scanner.noise, rel=1e-3)
    np.testing.assert_array_equal(one, again)
    shared = np.corrcoef(one.ravel(), other.ravel())[0, 1]
    assert abs(shared) < (0.6 if spacing == NATIVE_MM else 0.02)


def test_noise_is_correlated_at_the_native_voxel_along_every_axis():
    scanner = draw_scanner(1)
    planes = np.stack([scanner.noise_slice(k, (9, 200, 200), (NATIVE_MM,) * 3) for k in (3, 4)])
    along = [
        np.corrcoef(planes[0].ravel(), planes[1].ravel())[0, 1],
        np.corrcoef(planes[0, 1:].ravel(), planes[0, :-1].ravel())[0, 1],
        np.corrcoef(planes[0, :, 1:].ravel(), planes[0, :, :-1].ravel())[0, 1],
    ]
    assert min(along) > 0.3


def test_rings_are_the_same_in_every_direction_and_streaks_add_to_them():
    scanner = draw_scanner(3)
    lifted = scanner.artefacts(0, SIDE, SIDE)
    assert abs(lifted.mean()) < 1
    assert lifted.std() < 40
    assert np.any(lifted != scanner.artefacts(1, SIDE, SIDE))


def test_a_stack_is_as_long_as_the_scanners():
    scanner = draw_scanner(2)
    z = np.arange(-10, 10, 0.01)
    stacks = scanner.stack(z)
    assert np.all(np.diff(stacks) >= 0)
    lengths = [np.sum(stacks == k) * 0.01 for k in np.unique(stacks)]
    assert max(lengths) <= STACK_MM + 0.02


def test_scanners_are_better_and_worse():
    drawn = [draw_scanner(seed) for seed in range(40)]
    noise = [s.noise for s in drawn]
    assert min(noise) < 60 < 85 < max(noise)
    assert 8 < sum(s.ghost > 0 for s in drawn) < 30
    assert 5 < sum(np.any(s.jumps_mm != 0) for s in drawn) < 35


def test_the_motion_grade_is_that_of_the_ghost_the_scan_shows():
    scanners = [draw_scanner(seed) for seed in range(60)]
    for scanner in scanners:
        moved_mm = np.hypot(*scanner.ghost_mm)
        expected = (2 if moved_mm < NATIVE_MM else 3) if scanner.ghost else 1
        assert scanner.motion_grade == expected
    assert {scanner.motion_grade for scanner in scanners} == {1, 2, 3}
