"""Compartments of tubes with a known answer, of a real joint, and of what has none."""

import json
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage

from napari_vbmd.calibration import Calibration
from napari_vbmd.errors import GridMismatchError, MissingCalibrationError, ParameterError
from napari_vbmd.grid import Grid, place
from napari_vbmd.measurement.compartments import (
    CORTICAL,
    DUAL_THRESHOLD,
    GIVEN,
    NUMBERS,
    TRABECULAR,
    Compartments,
    measure_compartments,
    split_and_measure,
)
from napari_vbmd.scan import Mask, Scan

VOXEL = 0.0607
RADIUS, THICK = 3.0, 0.8  # mm
CORTEX, MARROW, TISSUE = 900, 120, 40  # mg HA/cm3
CALIBRATION = Calibration(8192.0, 0.2409, 1603.51904, -391.209015, source="test")
AREA, INNER_AREA = np.pi * RADIUS**2, np.pi * (RADIUS - THICK) ** 2


def distance_from_axis(voxel=VOXEL, slices=6, radius=RADIUS) -> np.ndarray:
    side = int(2 * radius / voxel) + 12
    y, x = (np.mgrid[:side, :side] - (side - 1) / 2) * voxel
    return np.repeat(np.hypot(y, x)[None], slices, 0)


def as_scan(density, voxel=VOXEL) -> Scan:
    grid = Grid(density.shape, (voxel,) * 3)
    return Scan(np.rint(density).astype(np.int16), "density", grid, CALIBRATION)


def as_mask(inside, voxel=VOXEL, position=(0, 0, 0)) -> Mask:
    return Mask(inside.astype(np.uint8), Grid(inside.shape, (voxel,) * 3, position))


def tube(voxel=VOXEL, slices=6, cortex=CORTEX, thick=THICK) -> tuple[Scan, Mask]:
    r = distance_from_axis(voxel, slices)
    density = np.select([r < RADIUS - thick, r < RADIUS], [MARROW, cortex], TISSUE)
    return as_scan(density, voxel), as_mask(r < RADIUS, voxel)


@pytest.fixture(scope="module")
def plain():
    scan, mask = tube()
    return scan, mask, measure_compartments(scan, mask)


def test_the_areas_of_a_tube_are_those_of_its_circles(plain):
    found = plain[2]
    assert found.tb_area_mm2 == pytest.approx(INNER_AREA, rel=0.02)
    assert found.ct_area_mm2 == pytest.approx(AREA - INNER_AREA, rel=0.02)
    assert found.method == DUAL_THRESHOLD


def test_the_split_is_what_was_measured(plain):
    scan, mask, found = plain
    measured, split = split_and_measure(scan, mask)
    assert measured == found
    assert split.grid.shape == tuple(np.ptp(np.nonzero(mask.voxels), axis=1) + 1)
    whole = place(split.grid, scan.grid).paste(split.voxels)
    np.testing.assert_array_equal(whole != 0, mask.voxels != 0)
    assert scan.voxels[whole == TRABECULAR].mean() == pytest.approx(found.tb_vbmd_mg_cm3)
    assert scan.voxels[whole == CORTICAL].mean() == pytest.approx(found.ct_vbmd_mg_cm3)


def test_the_densities_of_a_tube_are_those_it_was_made_with(plain):
    assert plain[2].tb_vbmd_mg_cm3 == pytest.approx(MARROW, abs=8)
    assert plain[2].ct_vbmd_mg_cm3 == pytest.approx(CORTEX, rel=0.015)


def test_the_thickness_of_a_tube_is_right_within_half_a_voxel(plain):
    assert plain[2].ct_th_mm == pytest.approx(THICK, abs=VOXEL / 2)


def test_a_tube_without_pores_and_trabeculae_has_none(plain):
    assert plain[2].ct_po_percent == 0
    assert plain[2].tb_bvtv == pytest.approx(0, abs=0.02)
    assert plain[2].missing == {}
    assert plain[2].warnings == []


def test_both_compartments_together_are_the_bone(plain):
    scan, mask, found = plain
    whole = np.count_nonzero(mask.voxels) / len(mask.voxels) * scan.grid.pixel_area_mm2
    assert found.ct_area_mm2 + found.tb_area_mm2 == pytest.approx(whole)
    parts = found.ct_area_mm2 * found.ct_vbmd_mg_cm3 + found.tb_area_mm2 * found.tb_vbmd_mg_cm3
    assert parts / whole == pytest.approx(scan.voxels[mask.voxels > 0].mean())


@pytest.mark.parametrize("voxel", [0.05, 0.082])
def test_distances_are_millimetres_whatever_the_voxel(plain, voxel):
    found = measure_compartments(*tube(voxel, slices=5))
    assert found.tb_area_mm2 == pytest.approx(plain[2].tb_area_mm2, rel=0.02)
    assert found.ct_th_mm == pytest.approx(THICK, abs=0.6 * voxel)


def test_trabeculae_belong_to_the_marrow_space_and_pores_to_the_cortex():
    scan, mask = tube()
    r, side = distance_from_axis(), scan.grid.shape[1]
    density = scan.voxels.copy()
    y, x = (np.mgrid[:side, :side] - (side - 1) / 2) * VOXEL
    # struts of 0.18 mm every 0.9 mm, one of which reaches the cortex; pores of 0.3 mm
    struts = (np.abs(y % 0.9 - 0.45) < 0.09) & (r[0] < RADIUS - THICK)
    density[:, struts] = 700
    pores = np.zeros_like(struts)
    for angle in np.linspace(0, 2 * np.pi, 9, endpoint=False):
        middle = (RADIUS - THICK / 2) * np.array((np.sin(angle), np.cos(angle)))
        pores |= np.hypot(y - middle[0], x - middle[1]) < 0.15
    density[:, pores] = 50
    found = measure_compartments(replace(scan, voxels=density), mask)
    assert found.tb_area_mm2 == pytest.approx(INNER_AREA, rel=0.04)
    share = struts.sum() / (r[0] < RADIUS - THICK).sum()
    assert found.tb_bvtv == pytest.approx(share, abs=0.06)
    drawn = 100 * pores.sum() / ((r[0] < RADIUS) & (r[0] >= RADIUS - THICK)).sum()
    assert found.ct_po_percent == pytest.approx(drawn, rel=0.2)  # as far as edges of pores blur


def test_a_given_trabecular_mask_is_taken_as_it_is_and_checked_by_simpleitk():
    rng = np.random.default_rng(3)
    scan, mask = tube()
    scan = replace(scan, voxels=rng.integers(0, 1200, scan.grid.shape, np.int16))
    core = distance_from_axis() < 2.0
    box = np.s_[:, 20:90, 15:91]
    given = as_mask(core[box], position=(0, 20, 15))
    found = measure_compartments(scan, mask, trabecular=given)
    labels = mask.voxels.copy()
    labels[core] = 2
    statistics = sitk.LabelStatisticsImageFilter()
    statistics.Execute(sitk.GetImageFromArray(scan.voxels), sitk.GetImageFromArray(labels))
    pixel = VOXEL**2 / len(labels)
    assert found.method == GIVEN
    assert found.ct_vbmd_mg_cm3 == pytest.approx(statistics.GetMean(1))
    assert found.tb_vbmd_mg_cm3 == pytest.approx(statistics.GetMean(2))
    assert found.ct_area_mm2 == pytest.approx(statistics.GetCount(1) * pixel)
    assert found.tb_area_mm2 == pytest.approx(statistics.GetCount(2) * pixel)


@pytest.mark.parametrize("label", [None, 1])
def test_what_of_a_given_mask_lies_outside_the_bone_is_said(label):
    scan, mask = tube()
    given = distance_from_axis() < RADIUS - THICK
    given[:, 0] = True
    found = measure_compartments(scan, mask, label, as_mask(given))
    assert "voxels of the trabecular mask lie outside the bone" in found.warnings[0]


def test_a_given_mask_of_other_bones_too_is_no_mistake():
    scan, mask = tube()
    given = distance_from_axis() < RADIUS - THICK
    given[:, 0] = True
    mask.voxels[:, 0] = 2  # another bone
    assert not measure_compartments(scan, mask, 1, as_mask(given)).warnings


def test_each_label_has_its_own_compartments(plain):
    scan, mask, alone = plain
    both = replace(
        mask, voxels=np.where(np.arange(6)[:, None, None] < 3, mask.voxels, 2 * mask.voxels)
    )
    with pytest.raises(ParameterError, match="labels 1, 2"):
        measure_compartments(scan, both)
    found = measure_compartments(scan, both, label=2)
    assert found.ct_area_mm2 == pytest.approx(alone.ct_area_mm2, rel=0.01)
    assert measure_compartments(scan, both, label=7).missing.keys() == set(NUMBERS)


# what has no answer says why


def all_missing(found: Compartments, why: str) -> None:
    assert found.missing.keys() == set(NUMBERS)
    assert all(why in sentence for sentence in found.missing.values())
    assert all(getattr(found, name) is None for name in NUMBERS)
    json.dumps(found.to_dict(), allow_nan=False)


def test_a_bone_without_a_cortex_has_no_compartments():
    all_missing(measure_compartments(*tube(cortex=300)), "no cortex was found")


def test_a_bone_of_cortex_alone_has_no_compartments():
    all_missing(measure_compartments(*tube(thick=RADIUS)), "no trabecular compartment")


def test_a_mask_that_is_empty_or_beside_the_bone_has_none(plain):
    scan, mask, _ = plain
    nothing = replace(mask, voxels=np.zeros_like(mask.voxels))
    all_missing(measure_compartments(scan, nothing), "no such voxel")
    all_missing(measure_compartments(scan, mask, trabecular=nothing), "trabecular mask")
    beside = as_mask(np.ones((2, 3, 3), bool), position=(0, 0, 0))
    all_missing(measure_compartments(scan, mask, trabecular=beside), "trabecular mask")


def test_a_trabecular_mask_of_all_the_bone_leaves_no_cortex(plain):
    scan, mask, _ = plain
    found = measure_compartments(scan, mask, trabecular=mask)
    assert found.ct_vbmd_mg_cm3 is None
    assert found.missing.keys() == {"ct_vbmd_mg_cm3", "ct_th_mm", "ct_po_percent"}
    assert found.tb_vbmd_mg_cm3 == pytest.approx(scan.voxels[mask.voxels > 0].mean())


def test_one_slice_has_areas_and_no_thickness(plain):
    scan, mask, _ = plain
    found = measure_compartments(
        scan,
        Mask(
            mask.voxels[:1],
            mask.grid.box((slice(0, 1), *(slice(0, n) for n in mask.grid.shape[1:]))),
        ),
    )
    assert found.missing.keys() == {"ct_th_mm"}
    assert found.missing["ct_th_mm"].startswith("1 slices")
    assert found.tb_area_mm2 == pytest.approx(INNER_AREA, rel=0.03)


def test_large_voxels_show_neither_pores_nor_trabeculae():
    found = measure_compartments(*tube(voxel=0.2, slices=6))
    assert found.missing.keys() == {"ct_po_percent", "tb_bvtv"}
    assert "0.1 mm or less" in found.missing["tb_bvtv"]
    assert (
        measure_compartments(*tube(0.2, 6, thick=0.3))
        .missing["ct_th_mm"]
        .startswith("the cortex is thinner than two voxels")
    )


def test_a_mask_at_the_scans_border_is_measured_as_far_as_it_goes(plain):
    scan, mask, whole = plain
    box = (slice(0, 6), slice(55, 110), slice(0, 110))
    half = replace(scan, voxels=scan.voxels[box], grid=scan.grid.box(box))
    found = measure_compartments(half, mask)
    assert found.missing == {}
    assert found.ct_vbmd_mg_cm3 == pytest.approx(whole.ct_vbmd_mg_cm3, rel=0.3)
    assert found.tb_vbmd_mg_cm3 == pytest.approx(MARROW, abs=10)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_densities_that_are_no_numbers_are_refused(plain, value):
    scan, mask, _ = plain
    voxels = scan.voxels.astype(np.float32)
    voxels[4, 50, 50] = value
    with pytest.raises(ParameterError, match="not finite numbers"):
        measure_compartments(replace(scan, voxels=voxels), mask)
    voxels[4, 50, 50] = 0
    voxels[4, 0, 0] = value  # far from the bone: nobody's business
    assert measure_compartments(replace(scan, voxels=voxels), mask).missing == {}


def test_what_cannot_be_converted_or_placed_is_refused(plain):
    scan, mask, _ = plain
    with pytest.raises(MissingCalibrationError):
        measure_compartments(replace(scan, unit="native", calibration=None), mask)
    far = as_mask(np.ones((2, 2, 2), bool), position=(500, 0, 0))
    with pytest.raises(GridMismatchError):
        measure_compartments(scan, mask, trabecular=far)


def test_a_missing_number_without_a_sentence_cannot_be_made():
    with pytest.raises(ValueError, match="is None"):
        Compartments()
    with pytest.raises(ValueError, match="not finite"):
        Compartments(**dict.fromkeys(NUMBERS, np.nan))


def test_progress_rises_and_may_cancel(plain):
    scan, mask, _ = plain
    seen = []
    measure_compartments(scan, mask, progress=lambda done, text: seen.append(done))
    assert seen == sorted(seen)
    assert seen[-1] == 1

    def stop(done, text):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure_compartments(scan, mask, progress=stop)


def test_only_the_bones_box_is_held(allocates_less_than):
    scan, mask = tube(slices=8)
    voxels = np.full((40, 600, 600), TISSUE, np.int16)
    voxels[10:18, 200:310, 300:410] = scan.voxels
    large = replace(scan, voxels=voxels, grid=Grid(voxels.shape, (VOXEL,) * 3))
    placed = replace(mask, grid=Grid(mask.grid.shape, (VOXEL,) * 3, (10, 200, 300)))
    with allocates_less_than(voxels.nbytes // 2):
        found = measure_compartments(large, placed)
    assert found.ct_th_mm == pytest.approx(THICK, abs=VOXEL / 2)


def test_a_real_phalanx_has_a_thin_cortex_and_more_bone_in_it_than_in_the_marrow(real_joint):
    scan, mask = real_joint
    scan = scan.calibrated(unit="hu", **{
        name: getattr(CALIBRATION, name)
        for name in ("mu_scaling", "mu_water_per_cm", "density_slope", "density_intercept")
    })  # fmt: skip
    labels, _ = ndimage.label(mask.voxels[30:46])
    part = Mask(
        (labels == np.bincount(labels.ravel())[1:].argmax() + 1).astype(np.uint8),
        mask.grid.box((slice(30, 46), *(slice(0, n) for n in mask.grid.shape[1:]))),
    )
    found = measure_compartments(scan, part)
    assert found.missing == {}
    assert 150 < found.tb_vbmd_mg_cm3 < 250
    assert 2 * found.tb_vbmd_mg_cm3 < found.ct_vbmd_mg_cm3 < 800
    assert 0.12 < found.ct_th_mm < 0.6
    assert 0.15 < found.tb_bvtv < 0.4
    assert found.ct_po_percent < 5
