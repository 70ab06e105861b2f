"""What other readers do with these files: the facts in docs/formats.md."""

import gzip

import itk
import numpy as np
import py_aimio
import pytest
import SimpleITK as sitk

from napari_vbmd.errors import FileFormatError
from napari_vbmd.io.aim import read_aim
from napari_vbmd.io.files import read_scan
from napari_vbmd.io.isq import read_isq, write_isq

BINARY, CHAR, SHORT, CHAR_COMPRESSED = 0x150001, 0x10001, 0x20002, 0x80002
LONG_LOG = b"x" * 600 + b"\0"  # itk-ioscanco does not read files of a few hundred bytes


@pytest.fixture
def isq(tmp_path, calibration):
    file = tmp_path / "a.isq"
    values = np.random.default_rng(0).integers(5000, 20000, (16, 40, 50), np.int16)
    write_isq(file, values, (0.082,) * 3, calibration)
    return file


def test_simpleitk_fills_a_truncated_nifti_with_zeros(tmp_path, refused):
    file = tmp_path / "a.nii"
    sitk.WriteImage(sitk.GetImageFromArray(np.full((8, 9, 10), 7, np.int16)), str(file))
    file.write_bytes(file.read_bytes()[:-200])
    theirs = sitk.GetArrayFromImage(sitk.ReadImage(str(file)))
    assert np.count_nonzero(theirs == 0) == 100
    with refused(FileFormatError, file, "truncated"):
        read_scan(file)


def test_simpleitk_takes_a_truncated_compressed_nifti_for_whole(tmp_path, refused):
    file = tmp_path / "a.nii"
    sitk.WriteImage(sitk.GetImageFromArray(np.full((8, 9, 10), 7, np.int16)), str(file))
    packed = tmp_path / "a.nii.gz"
    packed.write_bytes(gzip.compress(file.read_bytes()[:-200]))
    assert sitk.ReadImage(str(packed)).GetSize() == (10, 9, 8), "whatever the last voxels are"
    with refused(FileFormatError, packed, "truncated"):
        read_scan(packed)


def test_aimio_refuses_a_run_that_ends_in_a_code_of_zero(path, build):
    build(path, 20, BINARY, (1, 2, 200), bytes([0, 127, 255, 0, 146]), log=LONG_LOG)
    ours = read_aim(path).voxels
    assert (ours.ravel()[:254] == 0).all()
    assert (ours.ravel()[254:] == 127).all()
    np.testing.assert_array_equal(itk.array_from_image(itk.imread(str(path), itk.SS)), ours)
    assert py_aimio_or_nothing(path)[0] is None


def py_aimio_or_nothing(path):
    try:
        return py_aimio.read_aim(str(path))
    except Exception:
        return None, None


def test_itk_needs_a_pixel_type_for_char(path, build, labels):
    build(path, 20, CHAR, labels.shape, labels.tobytes(), log=LONG_LOG)
    with pytest.raises(Exception, match="itk"):
        itk.imread(str(path))
    theirs = itk.array_from_image(itk.imread(str(path), itk.SS))
    np.testing.assert_array_equal(theirs, read_aim(path).voxels)


def test_itk_makes_hu_with_a_mu_water_of_its_own(path, build):
    log = b"Mu_Scaling                    8192\nDensity: unit                 mg HA/ccm\n"
    log += b"Density: slope                1600\nDensity: intercept            -390\n"
    values = np.full((8, 8, 8), 8192, "<i2")
    build(path, 20, SHORT, values.shape, values.tobytes(), log=log + LONG_LOG)
    assert read_aim(path).calibration.mu_water_per_cm is None
    theirs = itk.array_from_image(itk.imread(str(path), itk.SS))
    assert (theirs == int(1000 / 0.7033 - 1000)).all()


def test_aimio_leaves_mu_scaling_out_of_the_density_of_an_isq(isq, calibration):
    gain, _ = py_aimio.get_isq_density_equation(py_aimio.isq_info(str(isq)))
    assert gain == pytest.approx(read_isq(isq).density_transform().gain * calibration.mu_scaling)


def test_aimio_reads_two_offsets_too_few_bytes_of_an_isq(isq):
    values = read_isq(isq).voxels
    theirs, meta = py_aimio.read_isq(str(isq))
    assert meta["data_offset"] == 2560
    right = values.size - meta["data_offset"]
    np.testing.assert_array_equal(theirs.ravel()[:right], values.ravel()[:right])
    assert not (theirs.ravel()[right:] == values.ravel()[right:]).all()


def test_aimio_cannot_read_the_empty_pair_that_it_writes(path):
    values = np.full((2, 3, 4), 5, np.int8)
    values[1, 1] = 2, 3, 4, 0
    py_aimio.write_aim(str(path), values, {"element_size": (0.082,) * 3})
    assert py_aimio.aim_info(str(path))["aim_type"] == CHAR_COMPRESSED
    np.testing.assert_array_equal(read_aim(path).voxels, values)
    assert py_aimio_or_nothing(path)[0] is None
