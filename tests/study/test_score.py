"""One row of an evaluation, beside the numbers from which it is made."""

import dataclasses

import numpy as np
import pytest

from napari_vbmd.grid import Grid
from napari_vbmd.io.files import read_mask, read_scan
from napari_vbmd.measurement.comparison import measure_against
from napari_vbmd.phantom.sample import sample_paths
from napari_vbmd.pipeline import make_mask
from napari_vbmd.scan import Mask
from napari_vbmd.study.score import OnScan, Score, score


@pytest.fixture(scope="module")
def hand():
    scan, mask = sample_paths(sample="hand")[:2]
    return read_scan(scan), read_mask(mask)


@pytest.fixture(scope="module")
def scored(hand):
    return score("hand 1", *hand, "unet-3d", weights="shipped")


def test_the_numbers_are_those_of_a_measurement_after_post_processing(hand, scored):
    row = scored.score
    segmentation, _ = make_mask(hand[0], "unet-3d")
    expected = measure_against(hand[0], segmentation.mask, hand[1])
    assert row.dice == expected.overlap.dice
    assert row.hd95_mm == expected.overlap.hd95_mm
    assert row.tt_vbmd_mg_cm3 == expected.measurement.tt_vbmd_mg_cm3
    assert row.expert_tt_vbmd_mg_cm3 == expected.expert.tt_vbmd_mg_cm3
    assert row.difference_common_slices_mg_cm3 == expected.difference_common_slices_mg_cm3
    volumes = (expected.measurement.volume_mm3, expected.expert.volume_mm3)
    assert row.volume_difference_percent == pytest.approx(100 * (volumes[0] / volumes[1] - 1))
    assert row.first_slice_error == (
        expected.measurement.slices["first"] - expected.expert.slices["first"]
    )
    assert (row.case, row.method, row.weights, row.failed) == ("hand 1", "unet-3d", "shipped", "")
    assert row.threshold == 0.5
    assert row.seconds > 0


def test_the_areas_come_from_the_probability_over_the_whole_scan(hand, scored):
    row, counted = scored.score, scored.curves
    assert counted.bone.sum() + counted.other.sum() == np.prod(hand[0].grid.shape)
    assert 0.9 < row.auc <= 1
    assert 0.8 < row.average_precision <= 1


def test_every_slice_that_either_has_is_compared(scored):
    slices = [row["slice"] for row in scored.per_slice]
    assert slices == list(range(slices[0], slices[-1] + 1))
    assert np.mean([row["dice"] for row in scored.per_slice]) == scored.score.dice_per_slice


def test_a_method_without_a_probability_has_no_area():
    scan, mask = sample_paths(sample="bone")[:2]
    scored = score("bone", read_scan(scan), read_mask(mask), "contour")
    assert scored.curves is None
    assert scored.score.auc is None
    assert scored.score.dice > 0.9


def test_a_failure_is_a_row_with_the_reason(hand):
    scan, mask = hand
    dark = dataclasses.replace(scan, voxels=scan.voxels * 0)
    scored = score("dark", dark, mask, "unet-3d")
    assert scored.curves is None
    assert scored.score.failed
    assert scored.score.dice is None
    other = dataclasses.replace(scan, side="unknown", side_reason="nobody wrote it")
    assert "nobody wrote it" in score("no side", other, mask, "unet-3d").score.failed


def test_within_given_slices_the_ends_are_given(hand):
    scan, mask = hand
    first = mask.grid.position[0]
    last = first + mask.grid.shape[0] - 1
    row = score("marked", scan, mask, "unet-3d", slices=(first, last)).score
    assert row.first_slice_error >= 0
    assert row.last_slice_error <= 0


def test_a_row_has_a_column_for_each_number():
    assert list(Score("a", "b").to_dict())[:4] == ["case", "method", "weights", "failed"]


def test_a_mask_is_seen_on_the_scans_grid_slice_by_slice(hand):
    scan, _ = hand
    voxels = np.zeros((3, 4, 5), np.uint8)
    voxels[1:] = 7
    on_scan = OnScan(Mask(voxels, Grid(voxels.shape, scan.grid.spacing_mm, (10, 20, 30))), scan)
    planes = np.stack(list(on_scan))
    assert planes.shape == scan.grid.shape
    assert planes.sum() == 40
    assert planes[11:13, 20:24, 30:35].all()
