"""Painting every tenth slice is enough for a bone."""

import numpy as np
import pytest

from napari_vbmd.editing.between_slices import fill_between, painted_slices
from napari_vbmd.errors import ParameterError
from napari_vbmd.phantom.bone import bone_phantom

CUBIC = (0.1, 0.1, 0.1)


def dice(a, b) -> float:
    return 2 * np.count_nonzero((a != 0) & (b != 0)) / (np.count_nonzero(a) + np.count_nonzero(b))


def every(mask, step: int) -> np.ndarray:
    """The mask as painted in every so manieth slice, the first and the last."""
    painted = painted_slices(mask)
    kept = sorted({*painted[::step].tolist(), int(painted[-1])})
    sparse = np.zeros_like(mask)
    sparse[kept] = mask[kept]
    return sparse


def test_a_bone_painted_in_every_tenth_slice_is_all_but_whole():
    bone = bone_phantom(3)
    filled = fill_between(every(bone.mask, 10), bone.grid.spacing_mm)
    assert dice(filled, bone.mask) > 0.985


def test_a_cone_is_met_exactly_to_the_voxel_on_its_outline():
    z, y, x = np.mgrid[:21, :80, :80]
    cone = (np.hypot(y - 40, x - 40) < 10 + z).astype(np.uint8)
    filled = fill_between(every(cone, 20), CUBIC)
    assert dice(filled, cone) > 0.99


def test_an_oblique_bone_does_not_vanish_where_its_slices_hardly_overlap():
    z, y, x = np.mgrid[:21, :60, :120]
    rod = (np.hypot(y - 30, x - 15 - 4 * z) < 9).astype(np.uint8)
    filled = fill_between(every(rod, 20), CUBIC)
    assert dice(filled, rod) > 0.97


def test_voxels_that_are_no_cubes_make_the_same_shape():
    z, y, x = np.mgrid[:11, :40, :80]
    cone = (np.hypot((y - 20) * 2, x - 40) < 10 + 2 * z).astype(np.uint8)
    assert dice(fill_between(every(cone, 10), (0.1, 0.2, 0.1)), cone) > 0.98


def test_what_was_painted_stays_to_the_voxel():
    bone = bone_phantom(4)
    sparse = every(bone.mask, 7)
    painted = painted_slices(sparse)
    filled = fill_between(sparse, bone.grid.spacing_mm)
    np.testing.assert_array_equal(filled[painted], sparse[painted] != 0)


def test_nothing_is_filled_beyond_the_first_and_the_last_slice():
    mask = np.zeros((20, 30, 30), np.uint8)
    mask[[5, 14], 10:20, 10:20] = 7
    filled = fill_between(mask, CUBIC)
    assert painted_slices(filled).tolist() == list(range(5, 15))
    assert set(np.unique(filled)) == {0, 1}
    np.testing.assert_array_equal(filled[5:15], np.broadcast_to(mask[5] != 0, (10, 30, 30)))


def test_the_mask_given_is_left_alone():
    mask = np.zeros((5, 9, 9), np.uint8)
    mask[[0, 4], 3:6, 3:6] = 1
    mask.setflags(write=False)
    fill_between(mask, CUBIC)


@pytest.mark.parametrize("painted", [[], [3], [3, 4, 5]])
def test_where_there_is_nothing_to_fill_it_says_so(painted):
    mask = np.zeros((9, 9, 9), np.uint8)
    mask[painted, 3:6, 3:6] = 1
    with pytest.raises(ParameterError, match=r"two slices or more|nothing to fill"):
        fill_between(mask, CUBIC)


def test_it_tells_of_its_progress_and_can_be_cancelled():
    mask = np.zeros((9, 9, 9), np.uint8)
    mask[[0, 4, 8], 3:6, 3:6] = 1
    seen = []
    fill_between(mask, CUBIC, lambda done, text: seen.append((done, text)))
    assert seen == [(0.0, "slices 1 to 3"), (0.5, "slices 5 to 7")]

    def stop(*_):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        fill_between(mask, CUBIC, stop)
