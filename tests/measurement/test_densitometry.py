import json
import math

import numpy as np
import pytest
import SimpleITK as sitk

from napari_vbmd.calibration import Calibration
from napari_vbmd.errors import (
    EmptyMaskError,
    GridMismatchError,
    MissingCalibrationError,
    ParameterError,
)
from napari_vbmd.grid import Grid
from napari_vbmd.measurement.densitometry import measure
from napari_vbmd.scan import Mask, Scan

SPACING = (0.5, 0.2, 0.1)  # mm along z, y, x: 0.02 mm2 a pixel, 0.01 mm3 a voxel
SHAPE = (6, 12, 14)
TEN_TIMES = Calibration(1000.0, 0.24, 10_000.0, -50.0)  # density = 10 * native - 50


def scan_of(voxels, unit="native", calibration=TEN_TIMES, position=(0, 0, 0)) -> Scan:
    return Scan(voxels, unit, Grid(voxels.shape, SPACING, position), calibration)


def mask_of(voxels, position=(0, 0, 0)) -> Mask:
    return Mask(voxels, Grid(voxels.shape, SPACING, position))


def labelled(*boxes, shape=SHAPE) -> np.ndarray:
    """A mask with label 1 in the first box, 2 in the second, and so on."""
    labels = np.zeros(shape, np.uint8)
    for label, box in enumerate(boxes, 1):
        labels[box] = label
    return labels


def density_of(scan: Scan, inside: np.ndarray) -> np.ndarray:
    """The straightforward way: the whole volume as floating point."""
    gain, offset = scan.density_transform()
    return (np.asarray(scan.voxels, np.float64) * gain + offset)[inside]


@pytest.fixture
def voxels() -> np.ndarray:
    return np.random.default_rng(5).integers(-1000, 20000, SHAPE, np.int16)


@pytest.fixture
def scan(voxels) -> Scan:
    return scan_of(voxels)


BOX = np.s_[1:4, 3:8, 4:10]  # 3 slices of 5 x 6


# the numbers and their units


def test_numbers_worked_out_by_hand():
    voxels = np.zeros(SHAPE, np.int16)
    labels = labelled(np.s_[2, 3, 4:6], shape=SHAPE)  # slice 2: values 10, 20
    labels[4, 3, 4] = 1  # slice 4: value 60
    voxels[2, 3, 4:6] = 10, 20
    voxels[4, 3, 4] = 60
    found = measure(scan_of(voxels), mask_of(labels))
    assert found.tt_vbmd_mg_cm3 == pytest.approx(250)  # mean of 50, 150, 550
    assert found.tt_vbmd_sd_mg_cm3 == pytest.approx(math.sqrt((200**2 + 100**2 + 300**2) / 2))
    assert found.voxels == 3
    assert found.volume_mm3 == pytest.approx(0.03)
    assert found.bmc_mg == pytest.approx(250 * 0.03e-3)  # mg/cm3 times cm3
    assert found.mean_slice_area_mm2 == pytest.approx(0.03)  # 1.5 pixels: slice 3 does not count
    assert found.slices == {"first": 2, "last": 4, "count": 2}
    assert found.per_slice == [
        {
            "slice": 2,
            "tt_vbmd_mg_cm3": pytest.approx(100),
            "tt_vbmd_sd_mg_cm3": pytest.approx(100 / math.sqrt(2)),
            "area_mm2": pytest.approx(0.04),
            "voxels": 2,
        },
        {
            "slice": 4,
            "tt_vbmd_mg_cm3": pytest.approx(550),
            "tt_vbmd_sd_mg_cm3": None,
            "area_mm2": pytest.approx(0.02),
            "voxels": 1,
        },
    ]


def test_equals_simpleitk(scan):
    labels = np.random.default_rng(1).integers(0, 2, SHAPE).astype(np.uint8)
    gain, offset = scan.density_transform()
    image = sitk.GetImageFromArray(scan.voxels * gain + offset)
    mask = sitk.GetImageFromArray(labels)
    for each in (image, mask):
        each.SetSpacing(SPACING[::-1])
    theirs = sitk.LabelStatisticsImageFilter()
    theirs.Execute(image, mask)
    shape = sitk.LabelShapeStatisticsImageFilter()
    shape.Execute(mask)
    ours = measure(scan, mask_of(labels))
    assert ours.tt_vbmd_mg_cm3 == pytest.approx(theirs.GetMean(1), rel=1e-12)
    assert ours.tt_vbmd_sd_mg_cm3 == pytest.approx(theirs.GetSigma(1), rel=1e-10)
    assert ours.voxels == theirs.GetCount(1)
    assert ours.volume_mm3 == pytest.approx(shape.GetPhysicalSize(1), rel=1e-12)
    assert ours.bmc_mg == pytest.approx(theirs.GetSum(1) * math.prod(SPACING) / 1000, rel=1e-12)


def test_equals_two_passes_in_float64_at_the_ends_of_16_bits(calibration):
    voxels = np.random.default_rng(2).integers(-32768, 32768, (3, 400, 400), np.int16)
    voxels[0] = 32767
    voxels[1] = -32768
    scan = scan_of(voxels, calibration=calibration)
    inside = np.ones(voxels.shape, np.uint8)
    inside[:, 0] = inside[:, -1] = inside[:, :, 0] = inside[:, :, -1] = 0
    found = measure(scan, mask_of(inside))
    expected = density_of(scan, inside > 0)
    assert found.tt_vbmd_mg_cm3 == pytest.approx(expected.mean(), rel=1e-12)
    assert found.tt_vbmd_sd_mg_cm3 == pytest.approx(expected.std(ddof=1), rel=1e-12)


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int32, np.float32, np.float64])
def test_any_stored_type(voxels, dtype):
    voxels = (voxels // 200).astype(dtype)
    inside = labelled(BOX)
    found = measure(scan_of(voxels), mask_of(inside))
    expected = density_of(scan_of(voxels), inside > 0)
    assert found.tt_vbmd_mg_cm3 == pytest.approx(expected.mean(), rel=1e-12)
    assert found.tt_vbmd_sd_mg_cm3 == pytest.approx(expected.std(ddof=1), rel=1e-10)


def test_slices_add_up_to_the_whole(scan):
    found = measure(scan, mask_of(np.random.default_rng(4).integers(0, 2, SHAPE).astype(bool)))
    counts = np.array([row["voxels"] for row in found.per_slice])
    means = np.array([row["tt_vbmd_mg_cm3"] for row in found.per_slice])
    areas = [row["area_mm2"] for row in found.per_slice]
    assert counts.sum() == found.voxels
    assert (counts * means).sum() / counts.sum() == pytest.approx(found.tt_vbmd_mg_cm3)
    assert np.mean(areas) == pytest.approx(found.mean_slice_area_mm2)
    assert sum(areas) * SPACING[0] == pytest.approx(found.volume_mm3)


def test_a_cube_of_one_density_has_that_density_and_no_spread():
    voxels = np.full(SHAPE, 35, np.int16)
    found = measure(scan_of(voxels), mask_of(labelled(BOX)))
    assert found.tt_vbmd_mg_cm3 == pytest.approx(300)
    assert found.tt_vbmd_sd_mg_cm3 == pytest.approx(0, abs=1e-9)


def test_ready_for_strict_json(scan):
    found = measure(scan, mask_of(labelled(np.s_[2, 3, 4])))  # one voxel: its SD is null
    content = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert content["tt_vbmd_sd_mg_cm3"] is None
    assert content["calibration"]["unit"] == "native"
    assert content["calibration"]["mu_scaling"] == 1000.0


# units of the stored values


def test_native_hu_mu_and_density_of_one_scan_agree(voxels):
    constants = Calibration(8192.0, 0.2409, 1603.5, -391.2)
    native = scan_of(voxels, calibration=constants)
    expected = measure(native, mask_of(labelled(BOX)))
    for unit in ("mu", "hu", "density"):
        gain, offset = native.transform(unit)
        other = scan_of(gain * voxels + offset, unit, constants)
        found = measure(other, mask_of(labelled(BOX)))
        assert found.tt_vbmd_mg_cm3 == pytest.approx(expected.tt_vbmd_mg_cm3, rel=1e-9)
        assert found.tt_vbmd_sd_mg_cm3 == pytest.approx(expected.tt_vbmd_sd_mg_cm3, rel=1e-9)
        assert found.calibration["unit"] == unit


def test_densities_need_no_calibration(voxels):
    found = measure(scan_of(voxels, "density", None), mask_of(labelled(BOX)))
    assert found.tt_vbmd_mg_cm3 == pytest.approx(voxels[BOX].mean())
    assert found.calibration == {"unit": "density"}


class Untouchable:
    """Voxels that may not be read."""

    shape, dtype = SHAPE, np.dtype(np.int16)

    def __getitem__(self, index):
        raise AssertionError("read although nothing can be computed")


@pytest.mark.parametrize(
    ("unit", "calibration"),
    [
        ("native", None),
        ("native", Calibration(8192.0)),
        ("hu", Calibration(8192.0, None, 1603.5, -391.2)),
        ("mu", Calibration(8192.0, 0.24)),
    ],
)
def test_without_calibration_it_stops_before_any_work(unit, calibration):
    with pytest.raises(MissingCalibrationError, match="--"):
        measure(
            scan_of(Untouchable(), unit, calibration),
            mask_of(Untouchable()),
            progress=lambda *_: pytest.fail("work was begun"),
        )


# labels


def test_several_labels_are_measured_together_and_said_to_be(scan):
    labels = labelled(BOX, np.s_[1:3, 9:11, 2:4])
    found = measure(scan, mask_of(labels))
    assert found.voxels == np.count_nonzero(labels)
    assert found.tt_vbmd_mg_cm3 == pytest.approx(density_of(scan, labels > 0).mean())
    (warning,) = found.warnings
    assert "labels 1, 2" in warning
    assert "together" in warning


def test_one_label_is_measured_alone(scan):
    labels = labelled(BOX, np.s_[0:2, 9:11, 2:4])
    found = measure(scan, mask_of(labels), label=2)
    assert found.label == 2
    assert found.voxels == 8
    assert found.slices == {"first": 0, "last": 1, "count": 2}
    assert [row["voxels"] for row in found.per_slice] == [4, 4]
    assert found.tt_vbmd_mg_cm3 == pytest.approx(density_of(scan, labels == 2).mean())
    assert found.warnings == []


def test_labels_are_the_parts_of_the_whole(scan):
    labels = np.random.default_rng(6).integers(0, 4, SHAPE).astype(np.uint8)
    parts = [measure(scan, mask_of(labels), label) for label in (1, 2, 3)]
    whole = measure(scan, mask_of(labels))
    assert sum(part.voxels for part in parts) == whole.voxels
    assert sum(part.bmc_mg for part in parts) == pytest.approx(whole.bmc_mg)


@pytest.mark.parametrize("value", [1, 127, 255])
def test_the_value_of_a_single_label_does_not_matter(scan, value):
    found = measure(scan, mask_of(labelled(BOX) * np.uint8(value)))
    assert found.voxels == 90
    assert found.warnings == []


def test_a_mask_of_bool_is_a_mask(scan):
    assert measure(scan, mask_of(labelled(BOX) > 0)) == measure(scan, mask_of(labelled(BOX)))


# slices


def test_gaps_are_counted_and_left_out_of_the_area(scan):
    labels = labelled(np.s_[0:6, 3:8, 4:10])
    labels[[1, 4]] = 0
    found = measure(scan, mask_of(labels))
    assert found.slices == {"first": 0, "last": 5, "count": 4}
    assert found.mean_slice_area_mm2 == pytest.approx(30 * 0.02)
    assert [row["slice"] for row in found.per_slice] == [0, 2, 3, 5]
    (warning,) = found.warnings
    assert warning.startswith("2 of the slices 0 to 5")


def test_a_gap_of_one_label_is_seen_although_another_is_there(scan):
    labels = labelled(np.s_[0:3, 3:8, 4:10], np.s_[0:3, 9:11, 4:6])
    labels[1][labels[1] == 2] = 0
    assert "1 of the slices 0 to 2" in measure(scan, mask_of(labels), label=2).warnings[0]
    assert measure(scan, mask_of(labels), label=1).warnings == []


# masks on boxes


@pytest.mark.parametrize("origin", [(0, 0, 0), (17, -40, 300)])
def test_a_box_at_its_position_equals_the_mask_on_the_whole_grid(voxels, origin):
    scan = scan_of(voxels, position=origin)
    labels = labelled(BOX)
    labels[2, 4, 5] = 0
    box = tuple(slice(s.start - 1, s.stop + 2) for s in BOX)
    corner = tuple(o + s.start for o, s in zip(origin, box, strict=True))
    assert measure(scan, mask_of(labels[box], corner)) == measure(scan, mask_of(labels, origin))


def test_a_box_that_hangs_over_is_clipped_and_the_loss_counted(scan):
    """A box of ones from (-1, -2, 5): one slice, two rows and nothing of x lie outside."""
    found = measure(scan, mask_of(np.ones((3, 5, 4), np.uint8), (-1, -2, 5)))
    assert found.voxels == 2 * 3 * 4
    assert found.slices == {"first": 0, "last": 1, "count": 2}
    inside = labelled(np.s_[0:2, 0:3, 5:9])
    assert found.tt_vbmd_mg_cm3 == pytest.approx(density_of(scan, inside > 0).mean())
    clipped, border = found.warnings
    assert clipped.startswith("36 of 60 mask voxels lie outside the scan")
    assert "border (low y)" in border


def test_clipping_counts_the_label_that_is_measured(scan):
    labels = np.ones((3, 5, 4), np.uint8)
    labels[:, 4] = 2  # label 2 lies inside in y, and one slice of it outside in z
    found = measure(scan, mask_of(labels, (-1, -2, 5)), label=2)
    assert found.voxels == 8
    assert [w.split(" mask")[0] for w in found.warnings] == ["4 of 12"]


def test_what_hangs_over_but_is_empty_is_no_loss(scan):
    labels = np.zeros((10, 20, 20), np.uint8)
    labels[2:4, 5:9, 5:9] = 1
    found = measure(scan, mask_of(labels, (-2, -3, -4)))
    assert found.voxels == 32
    assert found.slices["first"] == 0
    assert found.warnings == []


def test_a_mask_that_lies_wholly_in_the_clipped_part_says_so(scan):
    labels = np.zeros((3, 5, 4), np.uint8)
    labels[0] = 1
    with pytest.raises(EmptyMaskError, match="20 of 20 mask voxels lie outside the scan"):
        measure(scan, mask_of(labels, (-1, 2, 5)))


def test_a_mask_beside_the_scan_is_refused(scan):
    with pytest.raises(GridMismatchError, match="does not overlap"):
        measure(scan, mask_of(np.ones((2, 2, 2), np.uint8), (0, 0, 14)))


# the scan's border


@pytest.mark.parametrize(
    ("box", "side"),
    [
        (np.s_[1:3, 0:4, 4:8], "low y"),
        (np.s_[1:3, 9:12, 4:8], "high y"),
        (np.s_[1:3, 3:6, 0:5], "low x"),
        (np.s_[1:3, 3:6, 9:14], "high x"),
        (np.s_[1:3, 0:12, 9:14], "low y, high y, high x"),
    ],
)
def test_a_mask_at_the_border_in_plane_may_be_cut(scan, box, side):
    (warning,) = measure(scan, mask_of(labelled(box))).warnings
    assert f"({side})" in warning


def test_one_voxel_from_the_border_is_not_at_it(scan):
    assert measure(scan, mask_of(labelled(np.s_[:, 1:-1, 1:-1]))).warnings == []


def test_the_first_and_last_slice_are_no_border(scan):
    """Every shaft leaves the scan there: nothing to warn of."""
    assert measure(scan, mask_of(labelled(np.s_[:, 3:6, 3:6]))).warnings == []


def test_a_full_box_inside_the_scan_touches_no_border(scan):
    """The box's own sides are not the scan's."""
    assert measure(scan, mask_of(np.ones((2, 4, 4), np.uint8), (1, 1, 1))).warnings == []


def test_a_box_that_ends_at_the_border_touches_it_with_voxels_only(scan):
    box = np.ones((2, 4, 4), np.uint8)
    assert "low y" in measure(scan, mask_of(box, (1, 0, 5))).warnings[0]
    box[:, 0] = 0
    assert measure(scan, mask_of(box, (1, 0, 5))).warnings == []


def test_another_label_at_the_border_is_not_ours(scan):
    labels = labelled(BOX, np.s_[1:3, 0:2, 4:8])
    assert measure(scan, mask_of(labels), label=1).warnings == []
    assert "low y" in measure(scan, mask_of(labels), label=2).warnings[0]


# what cannot be measured


def test_an_empty_mask_is_refused_with_what_to_do(scan):
    with pytest.raises(EmptyMaskError, match="paint or segment"):
        measure(scan, mask_of(np.zeros(SHAPE, np.uint8)))


def test_a_label_that_is_not_there_is_refused_with_those_that_are(scan):
    with pytest.raises(EmptyMaskError, match=r"label 7 .* labels 1, 2"):
        measure(scan, mask_of(labelled(BOX, np.s_[0, 0, 0])), label=7)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_voxel_that_is_no_number_is_refused_within_the_mask_only(voxels, value):
    voxels = voxels.astype(np.float32)
    voxels[2, 4, 5] = value
    labels = labelled(BOX, np.s_[1:3, 9:11, 2:4])
    with pytest.raises(ParameterError, match="1 voxels within the mask are not finite"):
        measure(scan_of(voxels), mask_of(labels))
    assert math.isfinite(measure(scan_of(voxels), mask_of(labels), label=2).tt_vbmd_mg_cm3)
    labels[2, 4, 5] = 0
    assert math.isfinite(measure(scan_of(voxels), mask_of(labels)).tt_vbmd_sd_mg_cm3)


# how it goes about it


def test_nothing_given_is_changed(voxels):
    scan, mask = scan_of(voxels.copy()), mask_of(labelled(BOX))
    scan.voxels.setflags(write=False)
    mask.voxels.setflags(write=False)
    measure(scan, mask)
    assert np.array_equal(scan.voxels, voxels)
    assert np.array_equal(mask.voxels, labelled(BOX))


def test_memory_maps_are_measured_as_they_are(tmp_path, voxels):
    for name, array in (("scan", voxels), ("mask", labelled(BOX))):
        array.tofile(tmp_path / name)
    mapped = np.memmap(tmp_path / "scan", np.int16, "r", shape=SHAPE)
    labels = np.memmap(tmp_path / "mask", np.uint8, "r", shape=SHAPE)
    assert measure(scan_of(mapped), mask_of(labels)) == measure(
        scan_of(voxels), mask_of(labelled(BOX))
    )


def test_no_float_copy_of_the_volume(allocates_less_than):
    voxels = np.zeros((64, 512, 512), np.int16)  # as float64 four times as much
    labels = np.zeros(voxels.shape, np.uint8)
    labels[:, 1:-1, 1:-1] = 1
    scan, mask = scan_of(voxels), mask_of(labels)
    with allocates_less_than(voxels.nbytes // 3):
        measure(scan, mask)
    with allocates_less_than(voxels.nbytes // 3):
        measure(scan, mask, label=1)


def test_progress_rises_to_one(scan):
    seen = []
    measure(scan, mask_of(labelled(BOX)), progress=lambda done, message: seen.append(done))
    assert seen == sorted(seen)
    assert len(seen) == len(scan.voxels)
    assert seen[-1] == 1


def test_progress_may_cancel(scan):
    class Cancelled(Exception):
        pass

    seen = []

    def stop(done, message):
        seen.append(done)
        raise Cancelled

    with pytest.raises(Cancelled):
        measure(scan, mask_of(labelled(BOX)), progress=stop)
    assert len(seen) == 1
