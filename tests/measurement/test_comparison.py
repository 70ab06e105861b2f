import json

import numpy as np
import pytest
import SimpleITK as sitk

from napari_vbmd.calibration import Calibration
from napari_vbmd.errors import EmptyMaskError, MissingCalibrationError
from napari_vbmd.grid import Grid
from napari_vbmd.measurement.comparison import measure_against
from napari_vbmd.measurement.densitometry import measure
from napari_vbmd.measurement.overlap import compare
from napari_vbmd.scan import Mask, Scan

SPACING = (0.5, 0.2, 0.1)  # mm along z, y, x
SHAPE = (8, 10, 12)
CONTRACT = {
    "tt_vbmd_mg_cm3",
    "tt_vbmd_sd_mg_cm3",
    "voxels",
    "volume_mm3",
    "bmc_mg",
    "mean_slice_area_mm2",
    "slices",
    "calibration",
    "per_slice",
}
WITH_EXPERT = {
    "overlap",
    "expert_tt_vbmd_mg_cm3",
    "difference_mg_cm3",
    "difference_common_slices_mg_cm3",
}
OVERLAP = {
    "dice",
    "iou",
    "accuracy",
    "sensitivity",
    "specificity",
    "precision",
    "hd95_mm",
    "assd_mm",
    "dice_per_slice_mean",
    "iou_per_slice_mean",
}


def mask_of(*boxes, position=(0, 0, 0), shape=SHAPE) -> Mask:
    """Label 1 in the first box, 2 in the second, and so on."""
    voxels = np.zeros(shape, np.uint8)
    for label, box in enumerate(boxes, 1):
        voxels[box] = label
    return Mask(voxels, Grid(shape, SPACING, position))


@pytest.fixture
def scan() -> Scan:
    """Slice z holds density 100 * z, in native units of 10 mg/cm3 above -50."""
    voxels = np.empty(SHAPE, np.int16)
    voxels[:] = 10 * np.arange(8)[:, None, None] + 5
    return Scan(voxels, "native", Grid(SHAPE, SPACING), Calibration(1000.0, 0.24, 10_000.0, -50.0))


OURS = np.s_[2:6, 2:8, 2:8]  # slices 2 to 5: mean 350
EXPERTS = np.s_[4:8, 2:8, 3:9]  # slices 4 to 7: mean 550


def test_the_difference_is_ours_minus_the_experts(scan):
    found = measure_against(scan, mask_of(OURS), mask_of(EXPERTS))
    assert found.measurement.tt_vbmd_mg_cm3 == pytest.approx(350)
    assert found.expert.tt_vbmd_mg_cm3 == pytest.approx(550)
    assert found.difference_mg_cm3 == pytest.approx(-200)


def test_over_the_slices_that_both_marked_the_range_drops_out(scan):
    """Slices 4 and 5 in both: the same density, whatever the outline."""
    found = measure_against(scan, mask_of(OURS), mask_of(EXPERTS))
    assert found.difference_common_slices_mg_cm3 == pytest.approx(0, abs=1e-9)


def test_over_common_slices_voxels_count_not_slices(scan):
    """Ours: 3 voxels of 200 and 1 of 400; the expert's: one of each."""
    ours = mask_of(np.s_[2, 3, 3:6], np.s_[4, 3, 3])
    ours.voxels[ours.voxels == 2] = 1
    theirs = mask_of(np.s_[2:7:2, 3, 3])  # slice 6 is not common
    found = measure_against(scan, ours, theirs)
    assert found.difference_mg_cm3 == pytest.approx(250 - 400)
    assert found.difference_common_slices_mg_cm3 == pytest.approx(250 - 300)


def test_no_common_slices_no_difference_over_them(scan):
    found = measure_against(scan, mask_of(np.s_[0:2, 2:5, 2:5]), mask_of(np.s_[5:7, 2:5, 2:5]))
    assert found.difference_common_slices_mg_cm3 is None
    assert found.difference_mg_cm3 == pytest.approx(50 - 550)
    assert found.overlap.dice == 0


def test_it_is_the_measurements_and_the_overlap_by_themselves(scan):
    ours, theirs = mask_of(OURS), mask_of(EXPERTS)
    found = measure_against(scan, ours, theirs)
    assert found.measurement == measure(scan, ours)
    assert found.expert == measure(scan, theirs)
    assert found.overlap == compare(ours, theirs, scan.grid)


def test_without_an_expert_it_is_the_measurement(scan):
    found = measure_against(scan, mask_of(OURS))
    assert found.to_dict() == measure(scan, mask_of(OURS)).to_dict()
    assert found.expert is found.overlap is found.difference_mg_cm3 is None


def test_a_label_is_ours_alone(scan):
    """Label 2 of ours against all of the expert's mask, whatever its value.

    Label 1 of ours lies in slices of the expert's that label 2 does not reach.
    """
    ours = mask_of(np.s_[6:8, 1:3, 1:3], OURS)
    theirs = mask_of(EXPERTS)
    theirs.voxels[theirs.voxels > 0] = 7
    found = measure_against(scan, ours, theirs, label=2)
    assert found.measurement.label == 2
    assert found.difference_mg_cm3 == pytest.approx(-200)
    assert found.difference_common_slices_mg_cm3 == pytest.approx(0, abs=1e-9)
    assert found.overlap == compare(mask_of(OURS), theirs, scan.grid)


def test_warnings_stay_with_the_mask_that_they_are_about(scan):
    theirs = mask_of(np.s_[4:8, 0:8, 3:9])
    found = measure_against(scan, mask_of(OURS), theirs)
    assert found.measurement.warnings == []
    assert "border (low y)" in found.expert.warnings[0]


def test_boxes_equal_the_whole_grid(scan):
    whole = measure_against(scan, mask_of(OURS), mask_of(EXPERTS))
    full = (slice(None),) * 3
    ours = mask_of(full, position=(2, 2, 2), shape=(4, 6, 6))
    theirs = mask_of(full, position=(4, 2, 3), shape=(4, 6, 6))
    assert measure_against(scan, ours, theirs) == whole


@pytest.mark.parametrize("common", [True, False])
def test_the_json_contract(scan, common):
    theirs = mask_of(EXPERTS) if common else mask_of(np.s_[7, 3, 3])
    text = json.dumps(measure_against(scan, mask_of(OURS), theirs).to_dict(), allow_nan=False)
    content = json.loads(text)
    assert content.keys() >= CONTRACT | WITH_EXPERT
    assert content["overlap"].keys() >= OVERLAP
    assert content["slices"] == {"first": 2, "last": 5, "count": 4}
    assert (content["difference_common_slices_mg_cm3"] is None) is not common


def test_the_json_contract_without_an_expert(scan):
    text = json.dumps(measure_against(scan, mask_of(OURS)).to_dict(), allow_nan=False)
    assert json.loads(text).keys() >= CONTRACT
    assert not json.loads(text).keys() & WITH_EXPERT


@pytest.mark.parametrize("empty_one", [0, 1])
def test_either_mask_empty_is_refused(scan, empty_one):
    masks = [mask_of(OURS), mask_of(EXPERTS)]
    masks[empty_one] = mask_of()
    with pytest.raises(EmptyMaskError):
        measure_against(scan, *masks)


def test_without_calibration_it_stops_before_any_work(scan):
    native = Scan(scan.voxels, "native", scan.grid, Calibration(1000.0))
    with pytest.raises(MissingCalibrationError):
        measure_against(
            native,
            mask_of(OURS),
            mask_of(EXPERTS),
            progress=lambda *_: pytest.fail("work was begun"),
        )


@pytest.mark.parametrize("expert", [None, mask_of(EXPERTS)])
def test_progress_rises_to_one(scan, expert):
    seen = []
    measure_against(scan, mask_of(OURS), expert, progress=lambda done, _: seen.append(done))
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1)


@pytest.mark.parametrize("after", [0, 10, 18])
def test_cancelled_in_any_part(scan, after):
    """8 steps for each mask, then 6 slices of overlap."""
    seen = []

    def stop(done, message):
        seen.append(message)
        if len(seen) > after:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        measure_against(scan, mask_of(OURS), mask_of(EXPERTS), progress=stop)
    assert len(seen) == after + 1


def test_every_label_that_both_masks_hold_is_compared_by_itself(scan):
    ours = mask_of(np.s_[1:4, 2:6, 2:6], np.s_[5:7, 2:8, 2:8])
    theirs = mask_of(np.s_[1:4, 2:6, 3:7], np.s_[5:7, 2:8, 2:6])
    found = measure_against(scan, ours, theirs)
    measures = sitk.LabelOverlapMeasuresImageFilter()
    measures.Execute(*(sitk.GetImageFromArray(mask.voxels) for mask in (ours, theirs)))
    said = found.to_dict()["overlap"]
    assert sorted(said["per_label"]) == [1, 2]
    for label in (1, 2):
        assert said["per_label"][label]["dice"] == pytest.approx(measures.GetDiceCoefficient(label))
        assert said["per_label"][label]["iou"] == pytest.approx(
            measures.GetJaccardCoefficient(label)
        )


def test_one_label_has_no_overlap_per_label_and_no_curves_without_a_network(scan):
    one = mask_of(np.s_[1:4, 2:6, 2:6])
    said = measure_against(scan, one, one).to_dict()["overlap"]
    assert said["per_label"] == {}
    assert said["auc"] is None
    assert said["average_precision"] is None
    assert "not made by a network" in said["no_curves_because"]


def test_the_volume_difference_is_ours_minus_theirs(scan):
    ours, theirs = mask_of(np.s_[1:4, 2:6, 2:6]), mask_of(np.s_[1:4, 2:6, 2:10])
    said = measure_against(scan, ours, theirs).to_dict()["overlap"]
    assert said["volume_difference_mm3"] == pytest.approx(-48 * 0.5 * 0.2 * 0.1)
    assert said["volume_difference_percent"] == pytest.approx(-50)
