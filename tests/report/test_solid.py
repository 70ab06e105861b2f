"""A mask seen in 3D: lit from above and the left, at a known scale."""

import numpy as np
import pytest

from napari_vbmd.report.solid import solid_view


def ball(radius: int) -> np.ndarray:
    z, y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1, -radius : radius + 1]
    return (z**2 + y**2 + x**2 <= radius**2).astype(np.uint8)


def test_a_ball_is_a_disc_of_its_size_from_every_side():
    light, pixel_mm = solid_view(ball(30), (0.1, 0.1, 0.1))
    shown = np.isfinite(light)
    area = np.count_nonzero(shown) * pixel_mm**2
    assert area == pytest.approx(np.pi * 3.05**2, rel=0.06)  # smoothed
    high, wide = (np.ptp(np.flatnonzero(shown.any(axis=axis))) for axis in (1, 0))
    assert high == pytest.approx(wide, abs=2)


def test_its_upper_left_is_lit_and_its_lower_right_in_the_shade():
    light, _ = solid_view(ball(30), (0.1, 0.1, 0.1))
    rows, columns = light.shape
    upper = light[: rows // 2, : columns // 2]
    lower = light[rows // 2 :, columns // 2 :]
    assert np.nanmean(upper) > 0.7 > 0.4 > np.nanmean(lower)
    assert 0 <= np.nanmin(light) <= np.nanmax(light) <= 1


def test_thick_slices_make_it_high():
    light, pixel_mm = solid_view(np.ones((40, 20, 20), np.uint8), (0.5, 0.1, 0.1))
    rows = np.flatnonzero(np.isfinite(light).any(axis=1))
    assert np.ptp(rows) * pixel_mm == pytest.approx(20 * np.cos(np.radians(15)), rel=0.06)


def test_a_large_box_is_thinned_to_what_a_print_shows():
    light, _ = solid_view(np.ones((500, 10, 10), np.uint8), (0.1, 0.1, 0.1))
    assert max(light.shape) < 250


def test_one_voxel_is_seen_too():
    light, _ = solid_view(np.ones((1, 1, 1), np.uint8), (0.1, 0.1, 0.1))
    assert np.isfinite(light).any()
