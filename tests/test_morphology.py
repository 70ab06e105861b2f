import numpy as np
import pytest
import SimpleITK as sitk
from scipy.ndimage import gaussian_filter

from napari_vbmd import morphology
from napari_vbmd.errors import ParameterError

CUBIC = (1.0, 1.0, 1.0)
THICK = (2.0, 1.0, 0.5)  # slices thicker than pixels are high, and pixels not square

OPERATIONS = {
    "dilate": lambda mask: morphology.dilate(mask, 2.0, THICK),
    "erode": lambda mask: morphology.erode(mask, 2.0, THICK),
    "close": lambda mask: morphology.close(mask, 2.0, THICK),
    "open_": lambda mask: morphology.open_(mask, 2.0, THICK),
    "fill_holes": lambda mask: morphology.fill_holes(mask),
    "fill_holes slicewise": lambda mask: morphology.fill_holes(mask, slicewise=True),
    "keep_largest": lambda mask: morphology.keep_largest(mask),
    "keep_nearest": lambda mask: morphology.keep_nearest(mask, (3, 4, 5), THICK),
    "smooth": lambda mask: morphology.smooth(mask, 1.0, THICK),
}


@pytest.fixture(params=OPERATIONS.values(), ids=OPERATIONS.keys())
def operation(request):
    return request.param


def blobs(shape=(24, 40, 44), seed=0, fill=0.02):
    """A ragged mask with a margin of air: balls at random places."""
    centres = np.random.default_rng(seed).random(shape) < fill
    centres[:7] = centres[-7:] = False
    centres[:, :7] = centres[:, -7:] = False
    centres[..., :7] = centres[..., -7:] = False
    return brute_dilate(centres, 2.0, CUBIC)


def brute_dilate(mask, radius_mm, spacing_mm):
    """The definition of a dilation, one offset of the ball at a time."""
    reach = [int(radius_mm / mm) for mm in spacing_mm]
    wide = np.pad(mask, [(r, r) for r in reach])
    result = np.zeros(mask.shape, bool)
    for offset in np.ndindex(*(2 * r + 1 for r in reach)):
        steps = (np.array(offset) - reach) * spacing_mm
        if (steps**2).sum() <= radius_mm**2:
            place = zip(offset, mask.shape, strict=True)
            result |= wide[tuple(slice(o, o + length) for o, length in place)]
    return result


def maurer_dilate(mask, radius_mm, spacing_mm):
    """The same with SimpleITK's exact distance map."""
    image = sitk.GetImageFromArray(mask.astype(np.uint8))
    image.SetSpacing(spacing_mm[::-1])
    distance = sitk.SignedMaurerDistanceMap(
        image, insideIsPositive=False, squaredDistance=False, useImageSpacing=True
    )
    # The map is measured from the mask's own outermost voxels, and is negative inside.
    return sitk.GetArrayFromImage(distance) <= radius_mm + 1e-4


def tube(length=12, width=31, outer=12, inner=9):
    """A hollow tube along z, cut open by both ends of the volume."""
    y, x = np.ogrid[:width, :width]
    r = np.hypot(y - width // 2, x - width // 2)
    return np.repeat(((r <= outer) & (r >= inner))[None], length, axis=0), r <= outer


# what holds for every operation


def test_the_mask_given_is_left_alone(operation):
    mask = blobs()
    before = mask.copy()
    operation(mask)
    np.testing.assert_array_equal(mask, before)


def test_the_result_is_a_new_bool_mask_of_the_same_shape(operation):
    mask = blobs()
    result = operation(mask)
    assert result.dtype == bool
    assert result.shape == mask.shape
    assert not np.shares_memory(result, mask)


def test_any_nonzero_value_means_inside(operation):
    mask = blobs()
    np.testing.assert_array_equal(operation(mask.astype(np.uint8) * 127), operation(mask))


def test_an_empty_mask_stays_empty(operation):
    assert not operation(np.zeros((4, 5, 6), bool)).any()


def test_a_single_slice_works(operation):
    mask = np.ones((1, 30, 30), bool)
    mask[:, [0, 1, 2, -1]] = mask[..., [0, 1, 2, -1]] = False
    assert operation(mask).shape == mask.shape
    assert operation(mask)[0, 15, 15]


def test_a_read_only_memory_map_works(operation, tmp_path):
    np.save(tmp_path / "mask.npy", blobs())
    mapped = np.load(tmp_path / "mask.npy", mmap_mode="r")
    np.testing.assert_array_equal(operation(mapped), operation(blobs()))


@pytest.mark.parametrize("name", sorted(OPERATIONS.keys() - {"keep_nearest"}))
def test_the_place_in_the_array_does_not_matter(name):
    """Working in the bounding box must not show. (A seed, though, is a place in the array.)"""
    mask, operation = blobs(), OPERATIONS[name]
    lonely = np.zeros((40, 90, 95), bool)
    lonely[8:32, 30:70, 40:84] = mask
    np.testing.assert_array_equal(operation(lonely)[8:32, 30:70, 40:84], operation(mask))


def test_an_array_without_three_axes_is_refused(operation):
    with pytest.raises(ParameterError, match="2 axes"):
        operation(np.ones((4, 5), bool))


@pytest.mark.parametrize("name", ["dilate", "erode", "close", "open_", "smooth"])
@pytest.mark.parametrize(
    ("distance", "spacing"), [(-1, CUBIC), (np.nan, CUBIC), (1, (1, 0, 1)), (1, (1, 1))]
)
def test_lengths_without_sense_are_refused(name, distance, spacing):
    with pytest.raises(ParameterError):
        getattr(morphology, name)(blobs(), distance, spacing)


@pytest.mark.parametrize("name", ["dilate", "erode", "close", "open_", "smooth"])
def test_a_distance_of_zero_changes_nothing(name):
    np.testing.assert_array_equal(getattr(morphology, name)(blobs(), 0, THICK), blobs())


def test_a_whole_scan_costs_no_float_volume(allocates_less_than):
    mask = np.zeros((60, 500, 500), bool)
    mask[5:55, 200:230, 200:230] = True
    with allocates_less_than(3 * mask.size):  # the result is one byte a voxel, and lazily so
        morphology.smooth(morphology.close(mask, 3.0, CUBIC), 1.0, CUBIC)


# the bounding box


def test_the_box_holds_the_mask_and_no_more():
    mask = np.zeros((9, 10, 11), np.uint8)
    mask[2, 3, 4] = mask[5, 6, 1] = 127
    assert morphology.bounding_box(mask) == (slice(2, 6), slice(3, 7), slice(1, 5))


def test_a_margin_widens_the_box_but_not_past_the_array():
    mask = np.zeros((9, 10, 11), bool)
    mask[1, 5, 9] = True
    assert morphology.bounding_box(mask, 2) == (slice(0, 4), slice(3, 8), slice(7, 11))
    assert morphology.bounding_box(mask, (0, 1, 0)) == (slice(1, 2), slice(4, 7), slice(9, 10))


def test_an_empty_mask_has_no_box():
    assert morphology.bounding_box(np.zeros((3, 3, 3), bool)) is None


# dilation and erosion


@pytest.mark.parametrize("spacing", [CUBIC, THICK, (0.9, 1.3, 1.1)])
@pytest.mark.parametrize("radius", [1.0, 2.0, 3.7])
def test_dilation_is_by_a_ball_in_millimetres(spacing, radius):
    ours = morphology.dilate(blobs(), radius, spacing)
    np.testing.assert_array_equal(ours, brute_dilate(blobs(), radius, spacing))


def test_dilation_agrees_with_simpleitk():
    ours = morphology.dilate(blobs(), 3.7, THICK)
    np.testing.assert_array_equal(ours, maurer_dilate(blobs(), 3.7, THICK))


@pytest.mark.parametrize("spacing", [CUBIC, THICK])
def test_erosion_is_dilation_of_the_outside(spacing):
    mask = morphology.dilate(blobs(), 2.0, spacing)
    mask[:2] = mask[-2:] = False
    ours = morphology.erode(mask, 2.0, spacing)
    outside = np.pad(~mask, 4, constant_values=True)
    expected = ~brute_dilate(outside, 2.0, spacing)[4:-4, 4:-4, 4:-4]
    np.testing.assert_array_equal(ours, expected)


def test_slicewise_dilation_stays_in_its_slice():
    mask = np.zeros((5, 9, 9), bool)
    mask[2, 4, 4] = True
    result = morphology.dilate(mask, 2.0, CUBIC, slicewise=True)
    assert result.any(axis=(1, 2)).tolist() == [False, False, True, False, False]
    assert result.sum() == 13  # pixels within 2 of the centre


def test_a_bone_cut_by_the_scan_is_not_eroded_from_its_ends():
    solid = np.zeros((6, 20, 20), bool)
    solid[:, 5:15, 5:15] = True
    eroded = morphology.erode(solid, 2.0, CUBIC)
    assert eroded[:, 7:13, 7:13].all()
    assert eroded.sum() == 6 * 6 * 6


def test_a_bone_that_ends_inside_the_scan_is_eroded_there():
    solid = np.zeros((9, 20, 20), bool)
    solid[2:, 5:15, 5:15] = True
    eroded = morphology.erode(solid, 2.0, CUBIC)
    assert eroded.any(axis=(1, 2)).tolist() == [False] * 4 + [True] * 5


# closing and opening


@pytest.mark.parametrize("spacing", [CUBIC, THICK])
def test_closing_agrees_with_simpleitk(spacing):
    wide = np.pad(blobs(fill=0.004), 8)  # so that no border takes part
    grown = maurer_dilate(wide, 3.0, spacing)
    expected = ~maurer_dilate(~grown, 3.0, spacing)
    np.testing.assert_array_equal(morphology.close(wide, 3.0, spacing), expected)


@pytest.mark.parametrize("spacing", [CUBIC, THICK])
def test_opening_agrees_with_simpleitk(spacing):
    wide = np.pad(blobs(fill=0.15), 8)
    core = ~maurer_dilate(~wide, 2.9, spacing)
    expected = maurer_dilate(core, 2.9, spacing)
    assert 0 < expected.sum() < wide.sum()
    np.testing.assert_array_equal(morphology.open_(wide, 2.9, spacing), expected)


@pytest.mark.parametrize("slicewise", [False, True])
def test_closing_only_adds_and_opening_only_removes(slicewise):
    mask = blobs(fill=0.005)
    mask[0] = mask[3]  # at the border as well
    mask[:, 0] |= mask[:, 20]
    closed = morphology.close(mask, 2.5, CUBIC, slicewise)
    opened = morphology.open_(mask, 1.5, CUBIC, slicewise)
    assert (closed | mask).sum() == closed.sum() > mask.sum()
    assert (opened & mask).sum() == opened.sum() < mask.sum()


def test_a_bone_cut_by_the_scan_is_closed_without_growing():
    """A cylinder through the whole volume is closed already, its end slices too."""
    shell, solid = tube()
    solid = np.repeat(solid[None], 12, axis=0)
    np.testing.assert_array_equal(morphology.close(solid, 4.0, CUBIC), solid)
    np.testing.assert_array_equal(morphology.open_(solid, 4.0, CUBIC), solid)
    closed = morphology.close(shell, 3.0, CUBIC)
    assert not (closed & ~solid).any()
    np.testing.assert_array_equal(closed, np.repeat(closed[6:7], 12, axis=0))


def test_a_bone_at_the_side_of_the_array_is_neither_eroded_nor_grown():
    mask = np.zeros((6, 20, 20), bool)
    mask[:, :8, :12] = True
    np.testing.assert_array_equal(morphology.close(mask, 3.0, CUBIC), mask)


def test_closing_bridges_a_gap_in_the_last_slice():
    shell, _ = tube()
    gap = shell.copy()
    gap[-1, 14:17, :8] = False
    assert not morphology.fill_holes(gap, slicewise=True)[-1, 15, 15]
    closed = morphology.close(gap, 3.0, CUBIC)
    assert morphology.fill_holes(closed, slicewise=True)[-1, 15, 15]


def test_a_thick_slice_is_not_bridged_as_if_it_were_thin():
    """Two plates 4 mm apart: a ball of 1.5 mm between them cannot close the space."""
    plates = np.zeros((9, 30, 30), bool)
    plates[3, 5:25, 5:25] = plates[5, 5:25, 5:25] = True
    assert morphology.close(plates, 1.5, CUBIC)[4].any()
    assert not morphology.close(plates, 1.5, (2.0, 1.0, 1.0))[4].any()


# holes


def test_marrow_cut_open_by_the_ends_of_the_scan_is_filled():
    shell, solid = tube()
    assert (morphology.fill_holes(shell) == solid).all()


def test_a_hollow_that_opens_to_the_side_is_not_filled_in_3d_but_is_in_other_slices():
    shell, solid = tube()
    shell[5, 15, :15] = False
    assert (morphology.fill_holes(shell) == shell).all()
    slicewise = morphology.fill_holes(shell, slicewise=True)
    np.testing.assert_array_equal(np.delete(slicewise, 5, axis=0), np.repeat(solid[None], 11, 0))
    np.testing.assert_array_equal(slicewise[5], shell[5])


def test_a_cup_that_ends_inside_the_scan_stays_open_in_3d():
    """As the base of a phalanx does: what it holds is the joint."""
    shell, solid = tube()
    cup = shell.copy()
    cup[:3] = solid
    cup[9:] = False
    np.testing.assert_array_equal(morphology.fill_holes(cup), cup)
    assert morphology.fill_holes(cup, slicewise=True)[5].sum() == solid.sum()


# components


def two_pieces():
    mask = np.zeros((6, 20, 20), np.uint8)
    mask[1:3, 2:5, 2:5] = 1
    mask[1:5, 10:15, 10:15] = 1
    return mask


def test_the_largest_component_is_kept():
    kept = morphology.keep_largest(two_pieces())
    assert kept.sum() == 4 * 5 * 5
    assert kept[1:5, 10:15, 10:15].all()


def test_corners_do_not_join():
    mask = np.zeros((1, 4, 4), bool)
    mask[0, :2, :2] = mask[0, 2, 2] = True
    assert morphology.keep_largest(mask).sum() == 4


@pytest.mark.parametrize(
    ("seed", "voxels"), [((1, 3, 3), 18), ((0, 6, 6), 18), ((0, 19, 19), 100), ((-5, 9, 9), 100)]
)
def test_the_component_nearest_to_the_seed_is_kept(seed, voxels):
    assert morphology.keep_nearest(two_pieces(), seed, CUBIC).sum() == voxels


def test_nearest_is_meant_in_millimetres():
    mask = np.zeros((9, 9, 9), bool)
    mask[6, 4, 4] = mask[4, 4, 7] = True  # 2 slices or 3 pixels from the middle
    assert morphology.keep_nearest(mask, (4, 4, 4), CUBIC)[6, 4, 4]
    assert morphology.keep_nearest(mask, (4, 4, 4), (2.0, 1.0, 1.0))[4, 4, 7]
    assert morphology.nearest_voxel(mask, (4, 4, 4), (2.0, 1.0, 1.0)) == ((4, 4, 7), 3.0)


# smoothing


def test_smoothing_takes_off_a_spike_and_keeps_a_flat_side():
    mask = np.zeros((12, 40, 40), bool)
    mask[:, 10:30, 10:30] = True
    spiked = mask.copy()
    spiked[6, 5:10, 20] = True
    smooth = morphology.smooth(spiked, 1.5, CUBIC)
    assert not smooth[:, :10].any()
    assert smooth[:, 10:30, 17:23].all()  # the sides, and both ends of the scan


def test_smoothing_keeps_the_volume_of_a_ball():
    z, y, x = np.ogrid[:41, :41, :41]
    ball = (z - 20) ** 2 + (y - 20) ** 2 + (x - 20) ** 2 <= 15**2
    assert morphology.smooth(ball, 1.0, CUBIC).sum() == pytest.approx(ball.sum(), rel=0.02)


def test_smoothing_is_a_gaussian_cut_at_half():
    expected = gaussian_filter(blobs().astype(float), (1.0, 2.0, 4.0)) > 0.5
    np.testing.assert_array_equal(morphology.smooth(blobs(), 2.0, (2.0, 1.0, 0.5)), expected)


def test_slicewise_smoothing_does_not_look_at_other_slices():
    mask = np.zeros((3, 20, 20), bool)
    mask[1, 4:16, 4:16] = True
    smooth = morphology.smooth(mask, 1.0, CUBIC, slicewise=True)
    np.testing.assert_array_equal(smooth[1], morphology.smooth(mask[1:2], 1.0, CUBIC)[0])
    assert not smooth[[0, 2]].any()


def test_slabs_join_without_a_seam():
    volume = np.random.default_rng(0).random((50, 12, 13)).astype(np.float32)
    before = volume.copy()
    joined = np.concatenate(list(morphology.blurred_slabs(volume, 1.0, (0.5, 1.0, 2.0))))
    whole = gaussian_filter(volume, (2.0, 1.0, 0.5), mode="nearest")
    np.testing.assert_allclose(joined, whole, atol=1e-5)
    np.testing.assert_array_equal(volume, before)


def test_surface_of_a_ball_lies_at_its_radius_in_mm():
    z, y, x = np.ogrid[:60, :50, :70]
    mask = (0.1 * (z - 30)) ** 2 + (0.08 * (y - 25)) ** 2 + (0.08 * (x - 40)) ** 2 <= 1.5**2
    vertices, faces = morphology.outer_surface(mask, (0.1, 0.08, 0.08), 0.16)
    away = np.linalg.norm(vertices - np.array((3.0, 2.0, 3.2)), axis=1)
    assert away.mean() == pytest.approx(1.5, abs=0.03)
    assert np.abs(away - 1.5).max() < 0.16
    assert faces.max() == len(vertices) - 1


def test_surface_encloses_the_volume_of_the_mask_and_is_closed_where_the_scan_cuts_the_bone():
    mask = np.zeros((10, 30, 30), np.uint8)
    mask[:, 5:25, 5:25] = 3
    vertices, faces = morphology.outer_surface(mask, (0.2, 0.1, 0.1), 0.1)
    a, b, c = np.moveaxis(vertices[faces].astype(float), 1, 0)
    volume = abs(np.einsum("ij,ij->i", a, np.cross(b, c)).sum()) / 6
    assert volume == pytest.approx(mask.astype(bool).sum() * 0.002, rel=0.05)


def test_surface_of_nothing_is_empty():
    vertices, faces = morphology.outer_surface(np.zeros((4, 5, 6), bool), CUBIC)
    assert vertices.shape == (0, 3)
    assert faces.shape == (0, 3)
