"""The known answer, worked out again in another way."""

import dataclasses

import numpy as np
import pytest

from napari_vbmd.calibration import Calibration
from napari_vbmd.grid import Grid
from napari_vbmd.phantom.answer import Tally
from napari_vbmd.phantom.drawing import Hand
from napari_vbmd.phantom.hand import hand_phantom


@pytest.mark.parametrize("seed", [100_004, 100_020])
def test_truth_is_the_whole_picture_drawn_by_a_perfect_scanner(seed):
    phantom = hand_phantom(seed, "right")
    drawn = Hand(seed, 0.1)
    shifted = drawn.scanner
    drawn.scanner = dataclasses.replace(shifted, blur_mm=0.0, ghost=0.0)
    z, y, x = (
        (np.arange(n) - (n - 1) / 2) * step
        for n, step in zip(phantom.grid.shape, phantom.grid.spacing_mm, strict=True)
    )
    total, slices = 0.0, np.flatnonzero(phantom.mask.any(axis=(1, 2)))
    for k in slices:
        dy, dx = shifted.jumps_mm[shifted.stack(z[k])]
        plane = drawn.density(z[k : k + 1], y + dy, x + dx)[0]
        total += plane[phantom.mask[k] > 0].sum(dtype=float)
    mean = total / np.count_nonzero(phantom.mask)
    assert mean == pytest.approx(phantom.tt_vbmd_mg_cm3, rel=2e-4)


def test_sums_are_over_the_mask_and_slices_are_numbered_in_the_scan():
    tally = Tally()
    voxels = np.array([[[10, 20]], [[30, 40]]], np.int16)
    mask = np.array([[[0, 0]], [[1, 1]]], np.uint8)
    tally.add(4, voxels, mask, np.array([100.0, 110.0]))
    tally.add(6, voxels[::-1], mask[::-1], np.array([120.0, 130.0]))
    grid, calibration = Grid((9, 1, 2), (1.0, 2.0, 3.0)), Calibration(10.0, 0.2, 5.0, -1.0)
    who = {"seed": 7, "side": "left", "fingertips": "low", "size": "small"}
    answer = tally.answer(grid, calibration, **who).to_dict()
    assert answer["tt_vbmd_mg_cm3"] == 115
    assert answer["scanned_tt_vbmd_mg_cm3"] == 35 / 10 * 5 - 1
    assert answer["voxels"] == 4
    assert answer["slices"] == {"first": 5, "last": 6, "count": 2}
    assert answer["mean_slice_area_mm2"] == 2 * 2 * 3
    assert {key: answer[key] for key in who} == who
