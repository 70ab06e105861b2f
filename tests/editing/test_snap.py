"""An outline drawn roughly lies on the bone's edge afterwards."""

import numpy as np
import pytest
from scipy.ndimage import label

from napari_vbmd import morphology
from napari_vbmd.editing.snap import snap
from napari_vbmd.errors import ParameterError
from napari_vbmd.grid import place
from napari_vbmd.phantom.bone import bone_phantom

SLICES = [20, 40, 60]


@pytest.fixture(scope="module")
def bone():
    return bone_phantom(3)


@pytest.fixture(scope="module")
def truth(bone) -> np.ndarray:
    kept = np.zeros(bone.mask.shape, bool)
    kept[SLICES] = bone.mask[SLICES] != 0
    return kept


@pytest.fixture(scope="module")
def density(bone):
    convert = bone.calibration.linear("native", "density")
    return lambda z, part: convert(bone.voxels[z][part].astype(float))


def dice(a, b) -> float:
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


def spoiled(mask, how: str, spacing_mm) -> np.ndarray:
    """A rough version of the mask."""
    if how == "moved":
        return np.roll(mask, 3, axis=2)
    change = {"too large": morphology.dilate, "too small": morphology.erode}[how]
    return change(mask, 0.25, spacing_mm, True)


@pytest.mark.parametrize("how", ["too large", "too small", "moved"])
def test_a_rough_outline_finds_the_edge(bone, truth, density, how):
    rough = spoiled(truth, how, bone.grid.spacing_mm)
    found = snap(rough, density, bone.grid.spacing_mm) != 0
    assert dice(rough, truth) < 0.985
    assert dice(found, truth) > 0.985


def test_a_good_outline_stays_good(bone, truth, density):
    assert dice(snap(truth, density, bone.grid.spacing_mm) != 0, truth) > 0.985


def test_nothing_moves_further_than_the_reach(bone, truth, density):
    spacing, reach = bone.grid.spacing_mm, 0.2
    far = morphology.dilate(truth, 1.0, spacing, True)
    found = snap(far, density, spacing, reach) != 0
    assert not (found & ~morphology.dilate(far, reach, spacing, True)).any()
    assert not (morphology.erode(far, reach, spacing, True) & ~found).any()


def test_empty_slices_stay_empty_and_the_mask_given_is_left_alone(bone, truth, density):
    truth.setflags(write=False)
    found = snap(truth, density, bone.grid.spacing_mm)
    assert np.flatnonzero(found.any(axis=(1, 2))).tolist() == SLICES


def test_on_air_the_outline_does_not_run_away(bone, truth):
    found = snap(truth, lambda z, part: np.zeros(truth[z][part].shape), bone.grid.spacing_mm)
    assert dice(found != 0, truth) > 0.9


def test_it_tells_of_its_progress_and_can_be_cancelled(bone, truth, density):
    seen = []
    snap(truth, density, bone.grid.spacing_mm, progress=lambda done, text: seen.append(text))
    assert seen == [f"slice {z}" for z in SLICES]

    def stop(*_):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        snap(truth, density, bone.grid.spacing_mm, progress=stop)


@pytest.mark.parametrize("reach", [0, -1, float("nan")])
def test_a_reach_that_is_none_is_refused(bone, truth, density, reach):
    with pytest.raises(ParameterError, match="above zero"):
        snap(truth, density, bone.grid.spacing_mm, reach)


@pytest.mark.parametrize("how", ["too large", "too small", "moved"])
def test_on_a_real_joint_a_rough_outline_gets_the_vendors_density_back(real_joint, how):
    scan, vendor = real_joint
    scan = scan.calibrated(
        unit="hu",
        mu_scaling=8192,
        mu_water_per_cm=0.24090,
        density_slope=1603.51904,
        density_intercept=-391.209015,
    )
    pieces, _ = label(place(vendor.grid, scan.grid).paste(vendor.voxels))
    kept = np.zeros(scan.grid.shape, bool)
    kept[[30, 50, 70]] = pieces[[30, 50, 70]] == 1
    gain, offset = scan.density_transform()

    def density(z, part):
        return gain * np.asarray(scan.voxels[z][part], float) + offset

    def mean(mask) -> float:
        return float(gain * np.asarray(scan.voxels)[mask].mean() + offset)

    rough = spoiled(kept, how, scan.grid.spacing_mm)
    found = snap(rough, density, scan.grid.spacing_mm) != 0
    assert abs(mean(rough) - mean(kept)) > 3
    assert abs(mean(found) - mean(kept)) < 2
