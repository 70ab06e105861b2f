"""The mean thickness of what has a known one, and by painting one ball after the other."""

import numpy as np
import pytest
from scipy import ndimage

from napari_vbmd.measurement.thickness import mean_thickness

VOXEL = 0.0607


def ring(radius, thick, slices=5, voxel=VOXEL) -> np.ndarray:
    side = int(2 * radius / voxel) + 8
    y, x = (np.mgrid[:side, :side] - side / 2) * voxel + 0.013
    r = np.hypot(y, x)
    return np.repeat(((r < radius) & (r >= radius - thick))[None], slices, 0)


@pytest.mark.parametrize("thick", [0.25, 0.5, 1.0])
def test_a_tube_has_its_walls_thickness_within_three_fifths_of_a_voxel(thick):
    found = mean_thickness(ring(3.0, thick), (VOXEL,) * 3)
    assert found == pytest.approx(thick, abs=0.6 * VOXEL)


@pytest.mark.parametrize("count", [3, 4, 5])
def test_a_plate_is_as_thick_as_its_slices_within_three_fifths_of_one(count):
    plate = np.ones((count, 40, 40), bool)
    assert mean_thickness(plate, (1, 1, 1), (False, False)) == pytest.approx(count, abs=0.6)


def test_voxels_need_not_be_cubes():
    plate = np.zeros((30, 20, 40), bool)
    plate[:, :, 14:26] = True  # 1.2 mm of 0.1 mm
    assert mean_thickness(plate, (0.2, 0.4, 0.1)) == pytest.approx(1.2, abs=0.1)


def test_the_end_of_a_structure_is_a_surface_unless_it_is_cut_there():
    plate = np.ones((6, 30, 30), bool)
    closed = mean_thickness(plate, (1, 1, 1), (False, False))
    assert mean_thickness(plate, (1, 1, 1), (True, False)) > 1.5 * closed


def test_it_agrees_with_balls_painted_one_by_one():
    """The definition, word for word, by scipy's distances: slow, but there is nothing to doubt."""
    solid = ndimage.gaussian_filter(np.random.default_rng(0).random((24, 30, 30)), 3) > 0.5
    solid[[0, -1]] = solid[:, [0, -1]] = solid[:, :, [0, -1]] = False
    distance = ndimage.distance_transform_edt(solid)
    largest = np.zeros(solid.shape)
    grid = np.indices(solid.shape)
    for centre in np.argwhere(solid):
        d = distance[tuple(centre)]
        ball = ((grid - centre[:, None, None, None]) ** 2).sum(0) < d * d
        largest[ball] = np.maximum(largest[ball], d)
    by_definition = 2 * largest[solid].mean() - 0.5
    assert mean_thickness(solid, (1, 1, 1), (False, False)) == pytest.approx(by_definition, abs=0.1)


def test_it_agrees_with_another_program():
    """It takes a whole voxel off where half is taken here (docs/measurements.md)."""
    theirs = pytest.importorskip("bone_microarchitecture.thickness")
    tube = ring(3.0, 0.5, slices=20)  # it leaves out balls that reach the ends
    local = np.asarray(theirs.hildebrand_thickness_map(tube, (VOXEL,) * 3))[tube]
    found = mean_thickness(tube, (VOXEL,) * 3)
    assert found - VOXEL / 2 == pytest.approx(local[local > 0].mean(), abs=VOXEL / 4)


def test_progress_rises():
    seen = []
    mean_thickness(ring(2, 0.5), (VOXEL,) * 3, progress=lambda done, text: seen.append(done))
    assert seen == sorted(seen)
    assert len(seen) > 3
