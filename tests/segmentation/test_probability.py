import numpy as np
import pytest

from napari_vbmd.errors import NoBoneError, ParameterError
from napari_vbmd.grid import Grid, place
from napari_vbmd.measurement.overlap import compare
from napari_vbmd.phantom.bone import bone_phantom
from napari_vbmd.scan import Mask
from napari_vbmd.segmentation.preprocessing import IMPROVED, covering_grid
from napari_vbmd.segmentation.probability import Probability
from napari_vbmd.segmentation.sampling import area_averaged

AT = (17, 41, 62)  # where the bone lies in a larger scan
SHAPE = (110, 301, 299)


@pytest.fixture(scope="module")
def bone():
    return bone_phantom(3)


def perfect(bone, preset=IMPROVED, mirrored=False, spacing=0.082, slices=(8, 100), box=None):
    """The soft label of the expert's mask, as a perfect network would answer."""
    grid = covering_grid(Grid(SHAPE, (spacing,) * 3, (-5, 0, 3)), slices, preset, mirrored)
    grid = grid.window(box) if box else grid
    label = area_averaged(bone.mask, grid.axes, (AT[0] - slices[0], *AT[1:]))
    return Probability(np.rint(255 * label).astype(np.uint8), grid)


def density_lost(bone, mask: Mask) -> tuple[float, float]:
    """Relative loss of D100, and Dice, against the expert's own mask."""
    grid = Grid(bone.mask.shape, mask.grid.spacing_mm, (AT[0] - 5, AT[1], AT[2] + 3))
    placement = place(mask.grid, grid)
    found = placement.paste(mask.voxels) != 0
    density = bone.calibration.linear("native", "density")(bone.voxels)
    expert = density[bone.mask != 0].mean()
    dice = compare(Mask(found.astype(np.uint8), grid), Mask(bone.mask, grid), grid).dice
    return 1 - density[found].mean() / expert, dice


@pytest.mark.parametrize("mirrored", [False, True])
def test_there_and_back_loses_less_than_a_third_of_a_percent_of_the_density(bone, mirrored):
    lost, dice = density_lost(bone, perfect(bone, mirrored=mirrored).mask(0.5, closing_mm=0.5))
    assert abs(lost) < 0.003
    assert dice > 0.995


@pytest.mark.parametrize("spacing", [0.0607, 0.1])
def test_so_it_does_at_another_scanners_spacing(bone, spacing):
    lost, _ = density_lost(bone, perfect(bone, spacing=spacing, mirrored=True).mask())
    assert abs(lost) < 0.003


def test_the_papers_threshold_loses_the_outermost_layer(bone):
    lost, _ = density_lost(bone, perfect(bone).mask(0.8))
    assert 0.005 < lost < 0.1


def test_a_mirrored_answer_comes_back_where_it_belongs(bone):
    right, left = perfect(bone).mask(), perfect(bone, mirrored=True).mask()
    assert right.grid == left.grid
    assert np.array_equal(right.voxels, left.voxels)


def test_a_crop_and_padding_change_nothing(bone):
    box = (slice(-3, 40), slice(5, 88), slice(-10, 101))
    whole, part = perfect(bone).mask(), perfect(bone, box=box).mask()
    assert part.grid == whole.grid
    assert np.array_equal(part.voxels, whole.voxels)


def test_what_is_said_of_the_padding_is_ignored(bone):
    it = perfect(bone, box=(slice(-3, 40), slice(5, 110), slice(-10, 101)))
    expected = it.mask()
    it.values[:3] = it.values[:, :, :10] = it.values[:, -6:] = 255
    assert it.mask().voxels.sum() == expected.voxels.sum()


def test_dropped_slices_come_back_empty(bone):
    mask = perfect(bone, slices=(30, 60)).mask()
    at = place(mask.grid, Grid(SHAPE, (0.082,) * 3, (-5, 0, 3))).target_box
    assert (at[0].start, at[0].stop) == (30, 61)


def test_only_the_largest_piece_is_kept(bone):
    it = perfect(bone)
    expected = it.mask()
    it.values[2:5, 2:5, 2:5] = 255
    assert np.array_equal(it.mask().voxels, expected.voxels)


def test_holes_are_closed_when_asked_for(bone):
    it = perfect(bone)
    middle = [(a + n // 2) // 3 for a, n in zip((AT[0] - 8, *AT[1:]), bone.mask.shape, strict=True)]
    it.values[tuple(slice(m - 2, m + 2) for m in middle)] = 0
    assert it.mask(0.5, closing_mm=0.5).voxels.sum() > it.mask(0.5).voxels.sum()


def test_a_lower_threshold_holds_the_mask_of_a_higher_one(bone):
    it = perfect(bone)
    small, large = it.mask(0.8), it.mask(0.2)
    assert np.all(place(large.grid, small.grid).paste(large.voxels) >= small.voxels)
    assert large.voxels.sum() > small.voxels.sum()


def test_no_bone_is_said(bone):
    it = perfect(bone)
    it.values[:] = 51
    with pytest.raises(NoBoneError, match=r"surer than 20%, the threshold is 50%"):
        it.mask()


@pytest.mark.parametrize("threshold", [0, 1, -1, 50, np.nan])
def test_a_threshold_that_is_none_is_refused(bone, threshold):
    with pytest.raises(ParameterError, match="between 0 and 1"):
        perfect(bone).mask(threshold)


def test_values_and_grid_must_agree(bone):
    it = perfect(bone)
    with pytest.raises(ParameterError, match="differ"):
        Probability(it.values[1:], it.grid)


def test_on_the_scan_it_is_what_masks_are_cut_from(bone):
    probability = perfect(bone, mirrored=True)
    mask, scan = probability.mask(), probability.grid.scan
    whole = np.zeros(scan.shape, np.uint8)
    for z, levels, box in probability.on_scan():
        whole[z][box] = levels > 127.5
    assert np.array_equal(whole, place(mask.grid, scan).paste(mask.voxels))


def test_a_probability_of_nothing_is_nowhere_on_the_scan(bone):
    probability = perfect(bone)
    nothing = Probability(np.zeros_like(probability.values), probability.grid)
    assert list(nothing.on_scan()) == []
