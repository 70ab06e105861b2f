import numpy as np
import pytest

from napari_vbmd.measurement.porosity import porosity_percent

VOXEL = 0.0607**3


@pytest.fixture
def plate() -> np.ndarray:
    """A cortex of 20 x 10 voxels in 4 slices."""
    cortex = np.zeros((4, 14, 24), bool)
    cortex[:, 2:12, 2:22] = True
    return cortex


def test_a_void_that_bone_surrounds_is_a_pore(plate):
    bone = plate.copy()
    bone[1:3, 5:7, 5:7] = False  # 8 of 800 voxels
    assert porosity_percent(plate, bone, VOXEL) == pytest.approx(1.0)


def test_a_void_that_opens_to_a_side_is_none(plate):
    bone = plate.copy()
    bone[:, 2:7, 5:7] = False
    assert porosity_percent(plate, bone, VOXEL) == 0


def test_a_void_that_is_open_in_one_slice_is_a_pore_in_the_others(plate):
    bone = plate.copy()
    bone[:, 5:7, 5:7] = False
    bone[0, 2:7, 5:7] = False
    assert porosity_percent(plate, bone, VOXEL) == pytest.approx(100 * 12 / 790)


def test_fewer_than_five_voxels_are_noise(plate):
    bone = plate.copy()
    bone[1, 5:7, 5:7] = False
    assert porosity_percent(plate, bone, VOXEL) == 0
    assert porosity_percent(plate, bone, 2 * VOXEL) > 0  # of larger voxels, they are no noise
