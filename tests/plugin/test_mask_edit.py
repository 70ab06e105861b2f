"""Steps on one label of a mask, worked out in the bone's box."""

import numpy as np
import pytest

from napari_vbmd.errors import ParameterError
from napari_vbmd.grid import Grid
from napari_vbmd.plugin.mask_edit import edit
from napari_vbmd.scan import Mask
from napari_vbmd.segmentation import postprocessing as steps

GRID = Grid((8, 20, 24), (0.1, 0.1, 0.1), (3, 0, -2))

LARGEST = ("largest", lambda mask, spacing, progress: steps.keep_largest(mask))
FILL = ("fill", lambda mask, spacing, progress: steps.close_holes(mask, spacing, 0.1))
FLIP = ("flip", lambda mask, spacing, progress: steps.flip_y(mask))


def silent(fraction, message):
    pass


@pytest.fixture
def voxels():
    """A ring off the middle, and a crumb."""
    voxels = np.zeros(GRID.shape, np.uint8)
    voxels[2:6, 3:11, 4:12] = 1
    voxels[2:6, 5:9, 6:10] = 0
    voxels[6, 17, 20] = 1
    return voxels


def after(voxels, applied, selected=1):
    done = edit(Mask(voxels, GRID), selected, applied, silent)
    result = voxels.copy()
    indices, labels = done.changed()
    result[indices] = labels
    np.testing.assert_array_equal(done.placed().voxels, result)
    return result


@pytest.mark.parametrize("applied", [[LARGEST], [FILL], [FLIP], [LARGEST, FILL, FLIP]])
def test_box_gives_what_the_whole_array_gives(voxels, applied):
    expected = voxels
    for _, step in applied:
        expected = step(expected, GRID.spacing_mm, silent)
    np.testing.assert_array_equal(after(voxels, applied), expected)


def test_mask_itself_is_left_as_it_is(voxels):
    before = voxels.copy()
    edit(Mask(voxels, GRID), 1, [LARGEST, FILL, FLIP], silent)
    np.testing.assert_array_equal(voxels, before)


def test_flip_twice_gives_the_mask_back(voxels):
    np.testing.assert_array_equal(after(after(voxels, [FLIP]), [FLIP]), voxels)


def test_other_labels_stay_and_are_not_painted_over(voxels):
    voxels[3, 6, 7] = 2  # within the ring's hole
    voxels[7, 19, 23] = 3
    filled = after(voxels, [LARGEST, FILL])
    assert filled[3, 6, 7] == 2
    assert filled[7, 19, 23] == 3
    assert filled[3, 6, 8] == 1
    assert filled[6, 17, 20] == 0


def test_selected_label_is_the_one_worked_on(voxels):
    voxels[voxels == 1] = 5
    voxels[0, 0, 0:3] = 2
    voxels[7, 0, 0] = 2
    cleaned = after(voxels, [LARGEST], selected=2)
    assert cleaned[7, 0, 0] == 0
    assert cleaned[0, 0, 1] == 2
    assert (cleaned == 5).sum() == (voxels == 5).sum()


def test_single_label_is_meant_whatever_is_selected(voxels):
    filled = after(voxels * 7, [FILL], selected=1)
    assert set(np.unique(filled)) == {0, 7}


def test_several_labels_and_none_of_them_selected_is_refused(voxels):
    voxels[0, 0, 0] = 2
    with pytest.raises(ParameterError, match="labels 1, 2; select one"):
        after(voxels, [FILL], selected=9)


def test_empty_mask_is_refused():
    with pytest.raises(ParameterError, match="empty"):
        after(np.zeros(GRID.shape, np.uint8), [FILL])


def test_nothing_to_change_is_said(voxels):
    done = edit(Mask(after(voxels, [LARGEST]), GRID), 1, [LARGEST], silent)
    assert done.describe() == "largest: nothing to change."
    assert done.changed()[1].size == 0


def test_what_changed_is_said_in_voxels_and_mm3(voxels):
    done = edit(Mask(voxels, GRID), 1, [LARGEST, FILL], silent)
    assert done.describe() == "largest, fill: 65 voxels changed, +63 in all, +0.06 mm³."


def test_without_steps_the_mask_is_placed_as_it_is(voxels):
    scan = Grid((12, 22, 30), GRID.spacing_mm, (1, -1, -4))
    done = edit(Mask(voxels, GRID), 1, [], silent)
    placed = done.placed(scan)
    assert placed.grid == scan
    np.testing.assert_array_equal(placed.voxels[2:10, 1:21, 2:26], voxels)
    assert placed.voxels.sum() == voxels.sum()


@pytest.mark.parametrize("at", [(3, 6, 7), (3, 3, 4), (0, 0, 0), (7, 19, 23)])
def test_array_painted_since_no_longer_fits(voxels, at):
    done = edit(Mask(voxels.copy(), GRID), 1, [LARGEST], silent)
    assert done.fits(voxels)
    voxels[at] = 2
    assert not done.fits(voxels)


def test_every_step_reports_and_a_cancel_there_stops_it(voxels):
    class Stop(Exception):
        pass

    told = []

    def cancel_at_second(fraction, message):
        told.append((fraction, message))
        if len(told) == 2:
            raise Stop

    with pytest.raises(Stop):
        edit(Mask(voxels, GRID), 1, [LARGEST, FLIP], cancel_at_second)
    assert told == [(0.0, "largest"), (0.5, "flip")]
