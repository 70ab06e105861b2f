"""What is shown of a pair: the scan around the bone, and two masks that tell nothing else."""

import numpy as np
import pytest

from napari_vbmd.errors import EmptyMaskError, GridMismatchError, VbmdError
from napari_vbmd.grid import Grid, place
from napari_vbmd.io.files import read_scan, write_mask
from napari_vbmd.study.pair_table import read_pairs
from napari_vbmd.study.pair_view import open_pair
from napari_vbmd.study.rating import Showing


def quiet(fraction, message):
    pass


@pytest.fixture
def showing(pairs_file):
    """The only pair of a table; the expert's mask is A, a box of the scan."""
    return Showing(1, read_pairs(pairs_file(1)).rows[0], first_is_a=False)


def on_scan(mask, pair_grid):
    return place(mask.grid, pair_grid).paste(mask.voxels)


def test_both_masks_lie_where_they_are_in_their_files(showing, rod, pair_grid):
    view = open_pair(showing, quiet)
    np.testing.assert_array_equal(on_scan(view.a, pair_grid), rod)
    grown = on_scan(view.b, pair_grid)
    assert grown.sum() > rod.sum()
    assert grown[rod != 0].all()


def test_nothing_but_the_outline_differs(showing, rod, pair_grid):
    write_mask(showing.pair.mask_1, rod * 5, pair_grid)  # another label
    view = open_pair(showing, quiet)
    assert view.a.grid == view.b.grid
    assert view.a.voxels.dtype == view.b.voxels.dtype == np.uint8
    assert set(np.unique(view.a.voxels)) == set(np.unique(view.b.voxels)) == {0, 1}
    for mask in (view.a, view.b):
        assert (mask.path, mask.header, mask.log, mask.format) == (None, {}, "", "rating")


def test_the_outlines_have_room(showing):
    """An outline at the edge of its array would be open there."""
    view = open_pair(showing, quiet)
    union = (view.a.voxels | view.b.voxels).any(axis=0)
    edges = union[[0, -1]].any(axis=1), union[:, [0, -1]].any(axis=0)
    assert not np.any(edges)


def test_scan_is_cut_out_around_the_bone_with_all_its_slices(showing):
    whole, view = read_scan(showing.pair.scan), open_pair(showing, quiet)
    box = place(view.scan.grid, whole.grid).target_box
    np.testing.assert_array_equal(view.scan.voxels, whole.voxels[box])
    assert view.scan.voxels.dtype == whole.voxels.dtype
    assert view.scan.grid.shape == (6, 40, 48), "20 voxels are 10 mm, beside columns 12 to 27"
    assert not np.shares_memory(view.scan.voxels, whole.voxels)
    assert view.scan.calibration == whole.calibration
    assert (view.scan.path, view.scan.header, view.scan.log) == (None, {}, "")


def test_it_begins_in_the_middle_of_what_both_reach_and_knows_where_they_differ(
    showing, rod, pair_grid
):
    other = rod.copy()
    other[1] = 0
    other[4, 12:20] = 0
    other[5] = 1  # a slice that only one of them reaches
    write_mask(showing.pair.mask_1, other, pair_grid)
    view = open_pair(showing, quiet)
    assert (view.middle, view.differ_most) == (3, 4), "of slices 2 to 4"


def test_masks_that_never_differ_and_masks_that_never_meet_have_slices_too(showing, rod, pair_grid):
    write_mask(showing.pair.mask_1, rod, pair_grid)
    view = open_pair(showing, quiet)
    assert view.middle == view.differ_most == 3
    apart = rod * 0
    apart[5] = 1
    write_mask(showing.pair.mask_1, apart, pair_grid)
    view = open_pair(showing, quiet)
    assert (view.middle, view.differ_most) == (3, 5)


def test_an_empty_mask_is_shown_as_one_because_its_source_found_nothing(showing, rod, pair_grid):
    write_mask(showing.pair.mask_1, rod * 0, pair_grid)
    view = open_pair(showing, quiet)
    assert not view.b.voxels.any()
    assert view.a.voxels.sum() == rod.sum()


def test_two_empty_masks_cannot_be_shown(showing, rod, pair_grid):
    write_mask(showing.pair.mask_1, rod * 0, pair_grid)
    write_mask(showing.pair.mask_2, rod * 0, pair_grid)
    with pytest.raises(EmptyMaskError, match="neither mask"):
        open_pair(showing, quiet)


def test_a_mask_of_another_scan_or_a_damaged_file_cannot_be_shown(showing, rod, pair_grid):
    write_mask(showing.pair.mask_1, rod, Grid(pair_grid.shape, (0.1,) * 3))
    with pytest.raises(GridMismatchError):
        open_pair(showing, quiet)
    showing.pair.mask_1.write_bytes(b"rubbish")
    with pytest.raises(VbmdError):
        open_pair(showing, quiet)


def test_doubts_about_places_are_kept_from_the_rater_but_not_lost(showing, rod, pair_grid):
    assert open_pair(showing, quiet).doubts == ""
    moved = Grid(pair_grid.shape, pair_grid.spacing_mm, (0, 3, 0))
    write_mask(showing.pair.mask_1, rod, moved)
    doubts = open_pair(showing, quiet).doubts
    assert "m0.nii.gz" in doubts
    assert "NIfTI origin" in doubts
    assert "beyond the scan" in doubts


def test_reading_can_be_cancelled_at_every_slice(showing):
    class Stop(Exception):
        pass

    heard = []

    def tell(fraction, message):
        heard.append(fraction)
        if "slice 4" in message:
            raise Stop

    with pytest.raises(Stop):
        open_pair(showing, tell)
    assert heard == sorted(heard)
