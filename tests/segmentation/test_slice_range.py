"""From a score for each slice to the expert's first and last slice."""

import numpy as np
import pytest

from napari_vbmd.grid import Grid
from napari_vbmd.segmentation.preprocessing import FINE, IMPROVED, covering_grid
from napari_vbmd.segmentation.slice_range import FoundRange, crossings, range_of, with_tip

SCAN = Grid((90, 40, 40), (0.082,) * 3)
COARSE = covering_grid(SCAN, None, IMPROVED, mirrored=False)  # every third slice from the second
FINE_GRID = covering_grid(SCAN, None, FINE, mirrored=False)
ALL = np.arange(30)


def test_scores_cross_between_slices():
    assert crossings(np.array([0.0, 0.25, 0.75, 1.0, 0.9, 0.4, 0.0])) == pytest.approx((1.5, 4.8))


def test_a_run_that_reaches_the_end_of_the_scan_ends_there():
    assert crossings(np.array([0.9, 1.0, 0.6])) == (-0.5, 2.5)


def test_of_two_runs_the_one_with_the_highest_score_counts():
    first, last = crossings(np.array([0.0, 0.8, 0.8, 0.0, 0.0, 1.0, 1.0, 0.0]))
    assert (first, last) == (4.5, 6.5)


def test_the_range_is_in_slices_of_the_scan():
    inside = np.zeros(30)
    inside[10:20] = 1.0  # the network's slices 10 to 19 cover the scan's slices 30 to 59
    found = range_of(inside, COARSE, ALL, slice(0, 30))
    assert (found.first, found.last) == pytest.approx((29.5, 59.5))
    assert found.slices() == (30, 59)


def test_a_slice_range_that_was_searched_is_counted_from_the_scans_first_slice():
    grid = covering_grid(SCAN, (30, 89), IMPROVED, mirrored=False)
    found = range_of(np.array([0.0, 1.0, 1.0, 0.0]), grid, np.arange(4), slice(0, 4))
    assert found.slices() == (33, 38)


def test_where_no_score_exceeds_one_half_the_coarse_outline_counts():
    found = range_of(np.full(30, 0.2), COARSE, ALL, slice(5, 9))
    assert found.slices() == (15, 26)
    assert found.sure == 0.2
    assert not found.is_sure


def test_slices_outside_are_those_whose_middle_lies_outside():
    outside = FoundRange(29.5, 59.5, 1.0).outside(FINE_GRID)
    assert np.flatnonzero(~outside).tolist() == list(range(30, 60))


@pytest.mark.parametrize("fingertips", ["low", "high"])
def test_at_the_tip_the_outline_may_lead_on_and_at_the_shaft_it_may_not(fingertips):
    values = np.zeros(FINE_GRID.shape, np.uint8)
    for z in range(25, 90):  # the head begins at slice 25; the shaft goes on to the scan's end
        values[z, : min(20, z - 24), :20] = 255
    if fingertips == "high":
        found = with_tip(FoundRange(29.5, 59.5, 1.0), values[::-1], FINE_GRID)
        assert found.first == 29.5
        assert found.last == pytest.approx(59.5 + 1.5 / 0.082)
    else:
        found = with_tip(FoundRange(29.5, 59.5, 1.0), values, FINE_GRID)
        assert found.first == pytest.approx(29.5 - 1.5 / 0.082)
        assert found.last == 59.5


def test_a_bone_that_is_cut_at_one_end_of_the_scan_has_its_tip_at_the_other():
    values = np.full(FINE_GRID.shape, 255, np.uint8)
    values[70:] = 0
    found = with_tip(FoundRange(-0.5, 69.5, 1.0), values, FINE_GRID)
    assert found.first == -0.5
    assert found.last > 80


def test_a_bone_whose_head_is_cut_by_the_scans_end_is_not_led_on_into_the_shaft():
    values = np.full(FINE_GRID.shape, 255, np.uint8)  # as wide in every slice, to both ends
    for found in (FoundRange(40.0, 89.5, 1.0), FoundRange(-0.5, 50.0, 1.0)):
        assert with_tip(found, values, FINE_GRID) == found


def test_what_may_hold_bone_never_leaves_the_scan():
    values = np.zeros(FINE_GRID.shape, np.uint8)
    for z in range(14, 90):
        values[z, : min(20, z - 13), :20] = 255
    assert with_tip(FoundRange(15.0, 60.0, 1.0), values, FINE_GRID).first == -0.5
