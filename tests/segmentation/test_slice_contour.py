"""The outline of the bone under a click, in one slice: made-up bones, and a real joint."""

import time

import numpy as np
import pytest

from napari_vbmd.calibration import Calibration
from napari_vbmd.errors import MissingCalibrationError, NoBoneError, ParameterError
from napari_vbmd.grid import Grid, place
from napari_vbmd.scan import Scan
from napari_vbmd.segmentation.slice_contour import outline_at

SPACING = (0.1, 0.1, 0.1)
KNOWN = Calibration(8192.0, 0.2409, 1600.0, -390.0)
TISSUE, BONE = 40.0, 400.0  # mg HA/cm3; the default edge of 220 is half-way
SHAPE = (40, 130, 150)


def disc(radius_mm, y_mm=0.0, x_mm=0.0, shape=SHAPE):
    """A cylinder along z about a point, in mm from the middle of the slice."""
    y, x = np.ogrid[: shape[1], : shape[2]]
    middle = [(n - 1) / 2 * 0.1 for n in shape[1:]]
    inside = (y * 0.1 - middle[0] - y_mm) ** 2 + (x * 0.1 - middle[1] - x_mm) ** 2 <= radius_mm**2
    return np.broadcast_to(inside, shape).copy()


def scan_of(density, noise=60.0):
    noisy = density
    if noise:
        noisy = density + np.random.default_rng(0).normal(0, noise, density.shape)
    native = np.rint(KNOWN.linear("density", "native")(noisy)).astype(np.int16)
    return Scan(native, "native", Grid(density.shape, SPACING), KNOWN)


def tube(shape=SHAPE):
    """A shaft with marrow: density, and the answer."""
    solid = disc(4.0, shape=shape)
    return np.where(solid & ~disc(3.4, shape=shape), BONE, TISSUE), solid


def pasted(mask, scan):
    """The outline found, on its slice of the scan."""
    z, y, x = mask.grid.position
    count, high, wide = mask.voxels.shape
    assert count == 1
    section = np.zeros(scan.grid.shape[1:], bool)
    section[y : y + high, x : x + wide] = mask.voxels[0]
    return int(z), section


def dice(one, two):
    return 2 * np.count_nonzero(one & two) / (np.count_nonzero(one) + np.count_nonzero(two))


@pytest.mark.parametrize(("y", "x"), [(64, 74), (64, 112), (40, 55)], ids=["marrow", "shell", "in"])
def test_the_bone_under_the_click_is_outlined_with_its_marrow(y, x):
    density, solid = tube()
    scan = scan_of(density)
    z, found = pasted(outline_at(scan, (20, y, x)), scan)
    assert z == 20
    assert dice(found, solid[20]) > 0.985


@pytest.mark.parametrize("z", [0, 1, 39])
def test_the_first_and_last_slices_of_the_scan_are_outlined_too(z):
    density, solid = tube()
    scan = scan_of(density)
    assert dice(pasted(outline_at(scan, (z, 64, 74)), scan)[1], solid[z]) > 0.98


def test_a_gap_of_the_shell_is_bridged():
    density, solid = tube()
    density[:, 58:70, :60] = TISSUE  # 1.2 mm wide
    scan = scan_of(density)
    assert dice(pasted(outline_at(scan, (20, 64, 74)), scan)[1], solid[20]) > 0.97


def test_trabeculae_that_a_slice_cuts_apart_stay_one_bone():
    solid = disc(4.0)
    y, x = np.ogrid[: SHAPE[1], : SHAPE[2]]
    grid = np.broadcast_to((y % 7 < 4) & (x % 7 < 4), SHAPE)  # islands, 0.3 mm apart
    scan = scan_of(np.where(solid & grid, 700.0, TISSUE), noise=20)
    assert dice(pasted(outline_at(scan, (20, 64, 74)), scan)[1], solid[20]) > 0.93


@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize("gap_mm", [0.0, 0.4])
def test_a_bone_beside_it_is_left_out_even_where_the_two_touch(side, gap_mm):
    z, y, x = (0.1 * axis for axis in np.ogrid[-30:31, -65:65, -75:75])
    one = z**2 + y**2 + (x + 2.5 + gap_mm / 2) ** 2 <= 2.5**2
    two = z**2 + y**2 + (x - 2.2 - gap_mm / 2) ** 2 <= 2.2**2
    scan = scan_of(np.where(one | two, BONE, TISSUE))
    wanted = one if side < 0 else two
    seed = (30, 65, 75 + side * 23)
    assert dice(pasted(outline_at(scan, seed), scan)[1], wanted[30]) > 0.96


def test_a_crumb_beside_the_bone_is_left_out():
    density, solid = tube()
    density[18:23, 60:64, 118:121] = BONE  # a calcification 0.6 mm from it
    scan = scan_of(density)
    _, found = pasted(outline_at(scan, (20, 64, 74)), scan)
    assert not found[:, 118:].any()
    assert dice(found, solid[20]) > 0.98


def test_a_click_just_beside_the_bone_means_it():
    density, solid = tube()
    scan = scan_of(density)
    assert dice(pasted(outline_at(scan, (20, 64, 74 + 45)), scan)[1], solid[20]) > 0.98


@pytest.mark.parametrize(("y", "x"), [(64, 132), (5, 5)])
def test_a_click_on_the_background_finds_no_bone(y, x):
    scan = scan_of(tube()[0])
    with pytest.raises(NoBoneError, match="no bone under the click"):
        outline_at(scan, (20, y, x))


def test_a_slice_beyond_the_end_of_the_bone_finds_none():
    density, _ = tube()
    density[16:] = TISSUE
    scan = scan_of(density)
    for z in (20, 30):
        with pytest.raises(NoBoneError, match="no bone under the click"):
            outline_at(scan, (z, 64, 74))


def test_nothing_but_tissue_finds_none_and_says_so_of_the_click():
    with pytest.raises(NoBoneError, match="no bone under the click"):
        outline_at(scan_of(np.full(SHAPE, TISSUE)), (20, 64, 74))


def test_a_lower_edge_finds_a_weak_bone():
    solid = disc(4.0)
    scan = scan_of(np.where(solid, 180.0, TISSUE), noise=20)
    with pytest.raises(NoBoneError):
        outline_at(scan, (20, 64, 74))
    assert dice(pasted(outline_at(scan, (20, 64, 74), 110.0), scan)[1], solid[20]) > 0.97


def test_what_is_wider_than_a_bone_is_refused():
    scan = scan_of(np.full((8, 430, 430), BONE))
    with pytest.raises(ParameterError, match="wider than a bone"):
        outline_at(scan, (4, 215, 215))


def test_a_click_beside_the_scan_is_refused():
    with pytest.raises(ParameterError, match="outside of the scan"):
        outline_at(scan_of(tube()[0]), (20, 64, 150))


def test_without_a_calibration_nothing_is_guessed():
    scan = scan_of(tube()[0])
    bare = Scan(scan.voxels, "native", scan.grid, Calibration(8192.0))
    with pytest.raises(MissingCalibrationError):
        outline_at(bare, (20, 64, 74))


def test_a_wide_scan_costs_no_more_than_the_bones_neighbourhood(monkeypatch):
    density, solid = tube()
    wide = np.full((40, 700, 700), TISSUE)
    wide[:, 300:430, 300:450] = density
    scan = scan_of(wide, noise=0)
    seed = (20, 364, 374)
    outline_at(scan, seed)
    begun = time.process_time()
    _, found = pasted(outline_at(scan, seed), scan)
    assert time.process_time() - begun < 1.0  # 0.1 s; a whole slice and its neighbours take more
    assert dice(found[300:430, 300:450], solid[20]) > 0.985


def test_the_scan_is_only_read():
    scan = scan_of(tube()[0])
    scan.voxels.setflags(write=False)
    outline_at(scan, (20, 64, 74))


@pytest.mark.parametrize("z", [15, 40, 60])
def test_the_phalanx_of_a_real_joint_agrees_with_the_vendor_slice_by_slice(real_joint, z):
    scan, mask = real_joint
    scan = scan.calibrated(
        unit="hu",
        mu_water_per_cm=0.2409,
        density_slope=1603.51904,
        density_intercept=-391.209015,
    )
    theirs = np.zeros(scan.grid.shape, bool)
    placed = place(mask.grid, scan.grid)
    theirs[placed.target_box] = mask.voxels[placed.source_box] != 0
    y, x = (int(n.mean()) for n in np.nonzero(theirs[z]))
    assert dice(pasted(outline_at(scan, (z, y, x)), scan)[1], theirs[z]) > 0.95
