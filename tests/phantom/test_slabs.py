"""A hand slab by slab, and the full size: in parts, never whole."""

import numpy as np
import pytest

from napari_vbmd.errors import ParameterError
from napari_vbmd.phantom.hand import TRAINING_SHAPE, TRAINING_SPACING_MM, hand_phantom, render
from napari_vbmd.phantom.slabs import SIZES, HandScan

SEED = 100_004
SPACING_MM, SHAPE, _ = SIZES["full"]
BOX = slice(700, 1000), slice(640, 900)


def test_slabs_together_are_the_hand():
    scan, whole = HandScan(SEED), hand_phantom(SEED)
    assert scan.answer is None
    at = 0
    for some, voxels, mask in scan.slabs():
        assert some.start == at
        assert (voxels.dtype, mask.dtype) == (np.int16, np.uint8)
        np.testing.assert_array_equal(voxels, whole.voxels[some])
        np.testing.assert_array_equal(mask, whole.mask[some])
        at = some.stop
    assert at == whole.voxels.shape[0]
    assert scan.answer == whole.answer


def test_full_size_is_a_scan_of_the_design():
    scan = HandScan(SEED, size="full")
    assert scan.grid.shape == (240, 1536, 1536)
    assert scan.grid.spacing_mm == (0.082,) * 3
    some, voxels, mask = next(scan.slabs())
    assert voxels.shape == mask.shape == (some.stop, 1536, 1536)
    part = render(SEED, SPACING_MM, SHAPE, side="left", slices=range(some.stop), box=BOX)
    np.testing.assert_array_equal(voxels[(slice(None), *BOX)], part.voxels)
    np.testing.assert_array_equal(mask[(slice(None), *BOX)], part.label >= 0.5)


def test_every_third_voxel_of_the_full_size_is_the_network_s_grid():
    box = slice(703, 1003), slice(640, 901)  # multiples of 3, and 1
    fine = render(SEED, SPACING_MM, SHAPE, slices=[91, 154], box=box, noise=False)
    box = slice(234, 334), slice(213, 300)
    coarse = render(
        SEED, TRAINING_SPACING_MM, TRAINING_SHAPE, slices=[30, 51], box=box, noise=False
    )
    assert np.ptp(coarse.voxels) > 4000  # bone and air
    np.testing.assert_array_equal(fine.voxels[:, ::3, ::3], coarse.voxels)


@pytest.mark.parametrize("wrong", [{"seed": -3}, {"size": "huge"}, {"side": "both"}])
def test_refuses_what_it_cannot_draw(wrong):
    with pytest.raises(ParameterError, match="phantom"):
        HandScan(**{"seed": SEED, **wrong})
