"""Differences and densities of a mask that is corrected, together."""

import numpy as np
import pytest

from napari_vbmd.calibration import Calibration
from napari_vbmd.errors import GridMismatchError
from napari_vbmd.grid import Grid
from napari_vbmd.measurement.comparison import measure_against
from napari_vbmd.measurement.review import Review
from napari_vbmd.scan import Mask, Scan

GRID = Grid((12, 40, 44), (0.1, 0.08, 0.09))
KNOWN = Calibration(8192.0, 0.2409, 1600.0, -390.0)


@pytest.fixture
def scan():
    voxels = np.random.default_rng(0).integers(-500, 9000, GRID.shape).astype(np.int16)
    return Scan(voxels, "native", GRID, KNOWN)


def block(box) -> Mask:
    voxels = np.zeros(GRID.shape, np.uint8)
    voxels[box] = 1
    return Mask(voxels, GRID)


@pytest.fixture
def expert():
    return block(np.s_[3:9, 10:30, 12:30])


def test_both_follow_an_edit(scan, expert):
    mask = block(np.s_[4:9, 10:30, 12:30])
    review = Review(scan, mask.voxels, GRID, expert)
    assert review.differences.worst_first() == [3]
    mask.voxels[6, 12:20, 12:40] = 1
    assert review.look(z for z in range(12))
    assert review.differences.worst_first() == [3, 6]
    whole = measure_against(scan, mask, expert)
    assert review.comparison().measurement.per_slice == whole.measurement.per_slice
    assert review.comparison().overlap.per_slice == whole.overlap.per_slice
    assert not review.look(range(12))


def test_without_a_calibration_there_are_differences_and_no_density(scan, expert):
    bare = Scan(scan.voxels, "native", GRID, Calibration(8192.0))
    mask = block(np.s_[4:9, 10:30, 12:30])
    review = Review(bare, mask.voxels, GRID, expert)
    assert review.comparison() is None
    mask.voxels[3] = expert.voxels[3]
    assert review.look([3])
    assert review.differences.worst_first() == []


def test_an_empty_mask_has_no_density_yet(scan, expert):
    mask = block(np.s_[:0])
    review = Review(scan, mask.voxels, GRID, expert)
    assert review.comparison() is None
    assert len(review.differences.worst_first()) == 6


def test_painting_on_voxels_without_a_finite_density_does_not_stop_the_review(expert):
    voxels = np.zeros(GRID.shape, np.float32)
    voxels[:, 35:] = np.nan
    mask = block(np.s_[4:9, 10:30, 12:30])
    review = Review(Scan(voxels, "density", GRID, KNOWN), mask.voxels, GRID, expert)
    mask.voxels[5, 34:37] = 1
    assert review.look([5])
    assert review.comparison() is None
    assert review.differences.worst_first() == [3, 5]


def test_another_array_is_taken_up_by_both(scan, expert):
    mask = block(np.s_[4:9, 10:30, 12:30])
    review = Review(scan, mask.voxels, GRID, expert)
    assert review.follows(expert.voxels.copy())
    assert review.look(range(12))
    assert review.differences.worst_first() == []
    assert review.comparison().overlap.dice == 1
    assert not review.follows(mask.voxels[1:])


def test_what_cannot_be_placed_is_refused(scan, expert):
    with pytest.raises(GridMismatchError):
        Review(scan, expert.voxels, Grid(GRID.shape, (1, 1, 1)), expert)
