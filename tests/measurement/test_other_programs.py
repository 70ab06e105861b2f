"""Compartments beside ormir-xct, itk-bonemorphometry and bone-microarchitecture, where installed.

They are called, never copied, and no dependency. Numbers on bones: docs/measurements.md.
"""

from importlib.metadata import distributions

import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage

from napari_vbmd.grid import Grid
from napari_vbmd.measurement.compartments import measure_compartments
from napari_vbmd.measurement.porosity import porosity_percent
from napari_vbmd.measurement.split import Thresholds
from napari_vbmd.measurement.thickness import mean_thickness
from napari_vbmd.scan import Mask, Scan

VOXEL = 0.0607
SPACING = (VOXEL,) * 3
SLICES, SIDE = 12, 112
RADIUS, THICK = 3.0, 0.5  # mm
BEYOND = 12  # slices, so that balls reach over the ends as ours do


def radius() -> np.ndarray:
    y, x = (np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2) * VOXEL
    return np.repeat(np.hypot(y, x)[None], SLICES, 0)


@pytest.fixture
def wall() -> np.ndarray:
    r = radius()
    return (r < RADIUS) & (r >= RADIUS - THICK)


@pytest.fixture
def bone() -> tuple[Scan, Mask, Mask]:
    """A scan of noisy densities, the bone, and its trabecular compartment."""
    noise = ndimage.gaussian_filter(np.random.default_rng(1).normal(size=(SLICES, SIDE, SIDE)), 2)
    density = np.rint(400 + 4000 * noise).astype(np.int16)
    grid = Grid(density.shape, SPACING)
    inside, inner = ((radius() < r).astype(np.uint8) for r in (RADIUS, RADIUS - THICK))
    return Scan(density, "density", grid), Mask(inside, grid), Mask(inner, grid)


def image(voxels) -> sitk.Image:
    result = sitk.GetImageFromArray(voxels)
    result.SetSpacing(SPACING)
    return result


@pytest.mark.parametrize(
    ("oversample", "theirs_minus_ours"),
    [(False, 0.6 * VOXEL), (True, -0.6 * VOXEL)],
    ids=["centres", "faces"],
)
def test_the_thickness_lies_between_both_ways_of_ormir_xct(wall, oversample, theirs_minus_ours):
    """One takes a ball from centre to centre as the scanner's program does, one from its faces."""
    theirs = pytest.importorskip("ormir_xct.core.util.hildebrand_thickness")
    longer = np.pad(wall, ((BEYOND, BEYOND), (0, 0), (0, 0)), mode="edge")
    *_, local = theirs.calc_structure_thickness_statistics(
        longer, SPACING, 0, oversample=oversample, skeletonize=False
    )
    local = local[BEYOND:-BEYOND]
    found = mean_thickness(wall, SPACING)
    expected = found + theirs_minus_ours
    assert local[local > 0].mean() == pytest.approx(expected, abs=VOXEL / 4)


def test_densities_are_those_of_ormir_xct(bone):
    theirs = pytest.importorskip("ormir_xct.core.microarchitecture.bmd_masked")
    scan, mask, inner = bone
    found = measure_compartments(scan, mask, trabecular=inner)
    parts = inner.voxels, mask.voxels - inner.voxels
    for part, ours in zip(parts, (found.tb_vbmd_mg_cm3, found.ct_vbmd_mg_cm3), strict=True):
        mean, _ = theirs.bmd_masked(image(scan.voxels), image(part), "bmd", 8192, 0.24, 1.0, 0.0)
        assert ours == pytest.approx(mean, abs=0.01)


def test_bone_over_compartment_is_that_of_itk(bone):
    if not list(distributions(name="itk-bonemorphometry")):
        pytest.skip("itk-bonemorphometry is not installed")
    import itk

    scan, mask, inner = bone
    used = Thresholds()
    smooth = ndimage.gaussian_filter(scan.voxels.astype(np.float32), used.denoise_mm / VOXEL)
    kind = itk.Image[itk.F, 3]
    theirs = itk.BoneMorphometryFeaturesFilter[kind].New()
    theirs.SetInput(itk.image_from_array(smooth))
    theirs.SetMaskImage(itk.image_from_array(inner.voxels))
    theirs.SetThreshold(used.trabecular_mg_cm3)
    theirs.Update()
    found = measure_compartments(scan, mask, trabecular=inner)
    assert found.tb_bvtv == pytest.approx(theirs.GetBVTV(), abs=0.002)


def test_pores_through_all_slices_are_those_of_bone_microarchitecture(wall):
    """Theirs grow along the canals, ours do not: of canals along z both find the same."""
    theirs = pytest.importorskip("bone_microarchitecture.pores")
    y, x = (np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2) * VOXEL
    holes = np.zeros((SIDE, SIDE), bool)
    for angle in np.linspace(0, 2 * np.pi, 9, endpoint=False):
        middle = (RADIUS - THICK / 2) * np.array((np.sin(angle), np.cos(angle)))
        holes |= np.hypot(y - middle[0], x - middle[1]) < 0.15
    solid = wall & ~holes
    pores = np.count_nonzero(theirs.cortical_pore_mask(solid, wall))
    percent = 100 * pores / (pores + np.count_nonzero(solid))
    assert porosity_percent(wall, solid, VOXEL**3) == pytest.approx(percent, rel=1e-6)
