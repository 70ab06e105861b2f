import math

import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage

from napari_vbmd.errors import GridMismatchError, ParameterError
from napari_vbmd.grid import Grid, place
from napari_vbmd.scan import Scan

SPACING = (0.082, 0.082, 0.082)
SCAN = Grid((20, 30, 40), SPACING)


def scaled(grid: Grid, factor: float) -> Grid:
    return Grid(grid.shape, tuple(s * factor for s in grid.spacing_mm), grid.position)


def moved(grid: Grid, voxels: float) -> Grid:
    return Grid(grid.shape, grid.spacing_mm, tuple(p + voxels for p in grid.position))


# what a grid is


def test_sizes_follow_from_shape_and_spacing():
    grid = Grid((2, 3, 4), (0.5, 0.25, 0.125), (1, -2, 3))
    assert grid.size_mm == (1.0, 0.75, 0.5)
    assert grid.origin_mm == (0.5, -0.5, 0.375)
    assert grid.voxel_volume_mm3 == 0.5 * 0.25 * 0.125
    assert grid.pixel_area_mm2 == 0.25 * 0.125


def test_a_whole_position_is_kept_as_whole_numbers_and_another_as_it_is():
    position = Grid((2, 3, 4), SPACING, (1.0, -2, 3.25)).position
    assert position == (1, -2, 3.25)
    assert [type(p) for p in position] == [int, int, float]


def test_the_grid_of_a_box_lies_where_the_box_was_cut():
    box = moved(SCAN, -3).box((slice(2, 5), slice(0, 30), slice(7, 8)))
    assert (box.shape, box.position) == ((3, 30, 1), (-1, -3, 4))


@pytest.mark.parametrize(
    ("shape", "spacing", "position"),
    [
        ((0, 3, 4), SPACING, (0, 0, 0)),
        ((2, -3, 4), SPACING, (0, 0, 0)),
        ((2, 3), SPACING, (0, 0, 0)),
        ((2, 3, 4), (0.1, 0.1), (0, 0, 0)),
        ((2, 3, 4), (0.1, 0.0, 0.1), (0, 0, 0)),
        ((2, 3, 4), (0.1, -0.1, 0.1), (0, 0, 0)),
        ((2, 3, 4), (0.1, math.nan, 0.1), (0, 0, 0)),
        ((2, 3, 4), (0.1, math.inf, 0.1), (0, 0, 0)),
        ((2, 3, 4), SPACING, (0, math.nan, 0)),
        ((2, 3, 4), SPACING, (0, math.inf, 0)),
    ],
)
def test_an_impossible_grid_is_refused(shape, spacing, position):
    with pytest.raises(ParameterError):
        Grid(shape, spacing, position)


# placing


def test_equal_grids_are_the_same_and_nothing_need_be_moved():
    mask = np.ones(SCAN.shape, np.uint8)
    placement = place(SCAN, SCAN)
    assert SCAN.same_as(SCAN)
    assert placement.covers_target
    assert placement.describe_clipping() == ""
    assert placement.paste(mask) is mask


def test_a_box_is_pasted_where_it_was_cut():
    voxels = np.random.default_rng(0).integers(0, 255, SCAN.shape, np.uint8)
    box = (slice(3, 9), slice(10, 30), slice(0, 15))
    placement = place(SCAN.box(box), SCAN)
    pasted = placement.paste(voxels[box])
    assert placement.target_box == box
    assert not placement.is_clipped
    assert pasted.dtype == np.uint8
    np.testing.assert_array_equal(pasted[box], voxels[box])
    pasted[box] = 0
    assert not pasted.any()


def test_positions_before_the_original_scan_are_placed_like_any_other():
    target = moved(SCAN, -7)
    source = target.box((slice(1, 4), slice(2, 5), slice(3, 6)))
    assert source.position == (-6, -5, -4)
    assert place(source, target).target_box == (slice(1, 4), slice(2, 5), slice(3, 6))


def test_what_reaches_beyond_the_scan_is_cut_off_and_reported():
    source = Grid((10, 30, 44), SPACING, (-4, 0, -1))
    voxels = np.arange(math.prod(source.shape), dtype=np.int32).reshape(source.shape)
    placement = place(source, SCAN)
    assert placement.is_clipped
    assert placement.clipped == ((4, 0), (0, 0), (1, 3))
    assert placement.describe_clipping() == (
        "the mask's grid reaches beyond the scan: 4 voxels before the z range, "
        "1 voxels before the x range, 3 voxels after the x range"
    )
    np.testing.assert_array_equal(placement.paste(voxels)[:6], voxels[4:, :, 1:41])


def test_a_grid_of_the_same_shape_that_is_shifted_is_not_the_same():
    source = Grid(SCAN.shape, SPACING, (1, 0, 0))
    placement = place(source, SCAN)
    assert not source.same_as(SCAN)
    assert not placement.covers_target
    pasted = placement.paste(np.ones(SCAN.shape, bool))
    assert not pasted[0].any()
    assert pasted[1:].all()


@pytest.mark.parametrize("position", [(20, 0, 0), (-20, 0, 0), (0, 30, 0), (0, 0, -40)])
def test_a_mask_that_does_not_overlap_the_scan_is_refused(position):
    with pytest.raises(GridMismatchError, match="does not overlap"):
        place(Grid(SCAN.shape, SPACING, position), SCAN)


def test_a_mask_that_touches_the_scan_by_one_slice_is_placed():
    placement = place(Grid(SCAN.shape, SPACING, (19, 0, 0)), SCAN)
    assert placement.target_box[0] == slice(19, 20)
    assert placement.source_box[0] == slice(0, 1)


@pytest.mark.parametrize("factor", [1.002, 1 / 1.002, 2.0])
def test_spacings_that_differ_by_two_in_a_thousand_are_refused(factor):
    with pytest.raises(GridMismatchError, match="voxel sizes differ along z"):
        place(scaled(SCAN, factor), SCAN)
    assert not scaled(SCAN, factor).same_as(SCAN)


@pytest.mark.parametrize("factor", [1 + 3e-5, 1 - 3e-5])
def test_spacings_that_differ_by_rounding_are_the_same(factor):
    assert scaled(SCAN, factor).same_as(SCAN)
    assert place(scaled(SCAN, factor), SCAN).covers_target


def test_a_small_difference_in_spacing_is_refused_where_it_drifts_over_the_volume():
    short, long = Grid((100, 2, 2), SPACING), Grid((300, 2, 2), SPACING)
    assert scaled(short, 1 + 5e-4).same_as(short)  # 0.05 voxel over 100 slices
    assert not scaled(long, 1 + 5e-4).same_as(long)  # 0.15 voxel over 300
    with pytest.raises(GridMismatchError, match="along z"):
        place(scaled(long, 1 + 5e-4), long)


@pytest.mark.parametrize("factor", [1 + 1e-4, 1 - 1e-4, 1 + 9e-4, 1 - 9e-4])
@pytest.mark.parametrize("at", [1000, 1111, -1111, 20000])
def test_whole_positions_are_indices_however_far_and_whatever_the_rounding(factor, at):
    target = moved(SCAN, at)
    source = scaled(target.box((slice(3, 9), slice(2, 30), slice(0, 40))), factor)
    placement = place(source, target)
    assert placement.target_box == (slice(3, 9), slice(2, 30), slice(0, 40))
    assert not placement.is_clipped
    assert scaled(target, factor).same_as(target)


def test_positions_between_voxels_are_places_in_mm():
    target = Grid((20, 30, 40), SPACING, (100.5, 0, 0))
    source = Grid((5, 30, 40), tuple(s * (1 + 5e-4) for s in SPACING), (102.5, 0, 0))
    assert place(source, target).target_box[0] == slice(2, 7)  # 102.55 - 100.5
    with pytest.raises(GridMismatchError, match="lie between"):
        place(moved(source, 400), moved(target, 400))  # 0.25 voxel


@pytest.mark.parametrize("offset", [0.5, -0.5, 0.2, 3.3])
def test_voxels_that_lie_between_the_scans_are_refused(offset):
    with pytest.raises(GridMismatchError, match="lie between"):
        place(moved(SCAN, offset), SCAN)
    assert not moved(SCAN, offset).same_as(SCAN)


@pytest.mark.parametrize("offset", [0.05, -0.05])
def test_an_offset_of_a_twentieth_of_a_voxel_is_rounding(offset):
    assert moved(SCAN, offset).same_as(SCAN)
    assert place(moved(SCAN, 2 + offset), SCAN).target_box[0] == slice(2, 20)


def test_grids_that_are_both_off_the_lattice_alike_are_placed():
    target = moved(SCAN, 0.37)
    source = target.box((slice(4, 8), slice(0, 30), slice(0, 40)))
    assert place(source, target).target_box[0] == slice(4, 8)


def test_grids_of_other_shapes_are_not_the_same():
    assert not Grid((20, 30, 41), SPACING).same_as(SCAN)


def image_of(grid: Grid) -> sitk.Image:
    image = sitk.Image(grid.shape[::-1], sitk.sitkUInt8)
    image.SetSpacing(grid.spacing_mm[::-1])
    image.SetOrigin(grid.origin_mm[::-1])
    return image


@pytest.mark.parametrize("seed", range(5))
def test_placement_agrees_with_physical_points_of_simpleitk(seed):
    random = np.random.default_rng(seed)
    spacing = tuple(random.uniform(0.05, 0.1, 3))
    target = Grid(random.integers(10, 40, 3), spacing, random.integers(-50, 50, 3))
    shift = random.integers(-9, 9, 3)
    source = Grid(random.integers(10, 40, 3), spacing, np.add(target.position, shift))
    placement = place(source, target)
    ours, theirs = image_of(source), image_of(target)
    for end in ("start", "stop"):
        index = [getattr(s, end) for s in placement.source_box][::-1]
        point = ours.TransformIndexToPhysicalPoint([int(i) for i in index])
        expected = tuple(getattr(s, end) for s in placement.target_box)[::-1]
        assert theirs.TransformPhysicalPointToIndex(point) == expected
    # nothing that could be placed was left out: one voxel beyond the box is outside one of them
    for axis in range(3):
        first = [placement.source_box, placement.target_box]
        assert any(box[axis].start == 0 for box in first)
        assert placement.source_box[axis].stop == source.shape[axis] or (
            placement.target_box[axis].stop == target.shape[axis]
        )


def test_the_vendors_mask_is_placed_on_the_real_scan_by_its_origin(real_joint):
    scan, mask = real_joint
    placement = place(mask.grid, scan.grid)
    assert not mask.grid.same_as(scan.grid)
    assert placement.target_box == (slice(0, 168), slice(1, 424), slice(1, 420))
    assert not placement.is_clipped
    pasted = placement.paste(mask.voxels)
    assert pasted.shape == scan.voxels.shape
    assert pasted.sum() == mask.voxels.sum()


def test_the_vendors_mask_on_the_real_scan_gives_the_vendors_densities(real_joint, calibration):
    scan, mask = real_joint
    bones, count = ndimage.label(place(mask.grid, scan.grid).paste(mask.voxels))
    assert count == 2
    density = Scan(scan.voxels, "hu", scan.grid, calibration).density_transform()
    # phalanx base and metacarpal head, as the vendor's software states them
    for bone, stated in ((1, 224.2041), (2, 203.8469)):
        assert density(scan.voxels[bones == bone].mean()) == pytest.approx(stated, abs=0.1)
