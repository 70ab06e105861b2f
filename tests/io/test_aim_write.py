import itk
import numpy as np
import py_aimio
import pytest

from napari_vbmd.errors import ParameterError
from napari_vbmd.grid import Grid
from napari_vbmd.io import aim_write
from napari_vbmd.io.aim import read_aim
from napari_vbmd.io.aim_runs import encode
from napari_vbmd.io.aim_write import write_aim_mask, write_aim_scan
from napari_vbmd.io.processing_log import ProcessingLog
from napari_vbmd.scan import Scan

CHAR, SHORT, BINARY = 0x10001, 0x20002, 0x150001
SPACING = (0.084, 0.083, 0.082)  # z, y, x
POSITION = (-5, 40, 3)


# written masks


@pytest.fixture(params=["020", "030"])
def either_version(request, monkeypatch):
    """What is written is of version 030 only beyond 2 GB; here it is also tried on small ones."""
    if request.param == "030":
        monkeypatch.setattr(aim_write, "_LARGEST_V020", 0)
    return request.param


def test_a_written_mask_returns(path, mask, grid, either_version):
    write_aim_mask(path, mask, grid, {"Site": 4})
    scan = read_aim(path)
    assert path.read_bytes().startswith(b"AIMDATA_V030") == (either_version == "030")
    np.testing.assert_array_equal(scan.voxels, mask * np.int8(127))
    assert scan.grid.position == grid.position
    assert scan.grid.same_as(grid)
    assert dict(ProcessingLog(scan.log)) == {"Site": "4"}


def test_aimio_reads_the_written_mask_bit_for_bit(path, mask, grid, either_version):
    write_aim_mask(path, mask, grid)
    voxels, meta = py_aimio.read_aim(str(path))
    np.testing.assert_array_equal(voxels, mask * np.int8(127))
    assert meta["position"] == grid.position[::-1]
    assert meta["element_size"] == pytest.approx(grid.spacing_mm[::-1], rel=1e-6)
    assert meta["version"] == int(either_version) // 10


def test_itk_reads_the_written_mask_bit_for_bit(path, mask, grid, either_version):
    write_aim_mask(path, mask, grid)
    image = itk.imread(str(path), itk.SS)
    np.testing.assert_array_equal(itk.array_from_image(image), mask * 127)
    np.testing.assert_allclose(tuple(image.GetSpacing())[::-1], grid.spacing_mm, rtol=1e-6)
    np.testing.assert_allclose(tuple(image.GetOrigin())[::-1], grid.origin_mm, rtol=1e-6)


@pytest.mark.parametrize("run", [253, 254, 255, 508, 509])
@pytest.mark.parametrize("first", [False, True])
def test_every_reader_agrees_on_long_runs(path, run, first):
    mask = np.zeros((1, 2, 600), bool)
    mask.ravel()[:run] = True
    mask ^= not first
    log = {"Remark": "x" * 600}  # itk-ioscanco does not read files of a few hundred bytes
    write_aim_mask(path, mask, Grid(mask.shape, SPACING), log)
    expected = mask * np.int8(127)
    np.testing.assert_array_equal(read_aim(path).voxels, expected)
    np.testing.assert_array_equal(py_aimio.read_aim(str(path))[0], expected)
    np.testing.assert_array_equal(itk.array_from_image(itk.imread(str(path), itk.SS)), expected)


def test_a_mask_that_aimio_wrote_is_read(path, mask, grid):
    stored = mask * np.int8(127)
    meta = {"element_size": grid.spacing_mm[::-1], "position": grid.position[::-1]}
    py_aimio.write_aim(str(path), stored, meta)
    assert path.read_bytes().endswith(encode(mask)), "and ours is the same stream"
    scan = read_aim(path)
    assert path.read_bytes().startswith(b"AIMDATA_V030")
    assert py_aimio.aim_info(str(path))["aim_type"] == BINARY
    np.testing.assert_array_equal(scan.voxels, stored)
    assert scan.grid.position == grid.position
    assert scan.grid.same_as(grid)


@pytest.mark.parametrize("value", [False, True])
def test_a_mask_of_one_value_returns(path, grid, value):
    write_aim_mask(path, np.full(grid.shape, value), grid)
    assert np.all(read_aim(path).voxels == 127 * value)


def test_several_labels_are_written_as_char(path, labels, grid, either_version):
    write_aim_mask(path, labels.astype(np.uint8), grid)
    scan = read_aim(path)
    assert isinstance(scan.voxels, np.memmap)
    np.testing.assert_array_equal(scan.voxels, labels)
    np.testing.assert_array_equal(py_aimio.read_aim(str(path))[0], labels)


@pytest.mark.parametrize("highest", [128, 255])
def test_a_label_beyond_127_is_refused(path, grid, refused, highest):
    labels = np.ones(grid.shape, np.uint8)
    labels[-1] = highest
    with refused(ParameterError, path, f"up to 127, not {highest}"):
        write_aim_mask(path, labels, grid)
    assert not path.exists()


@pytest.mark.parametrize("position", [(0.5, 0, 0), (0, 0, -3.01)])
def test_a_position_between_voxels_is_refused(path, mask, refused, position):
    with refused(ParameterError, path, "whole voxels"):
        write_aim_mask(path, mask, Grid(mask.shape, SPACING, position))
    assert not path.exists()


@pytest.mark.parametrize("position", [2**31, -(2**31) - 1, 10**12])
def test_a_position_beyond_the_format_is_refused(path, mask, refused, position):
    with refused(ParameterError, path, "beyond"):
        write_aim_mask(path, mask, Grid(mask.shape, SPACING, (position, 0, 0)))
    assert not path.exists()


# written scans


def test_a_written_scan_keeps_its_calibration_and_not_the_patients_name(
    path, calibration, grid, either_version
):
    voxels = np.random.default_rng(7).integers(-3000, 20000, grid.shape, np.int16)
    header = {"Patient Name": "Doe", "Site": 4, "Mu_Scaling": 1}
    write_aim_scan(path, Scan(voxels, "native", grid, calibration, header))
    scan = read_aim(path)
    np.testing.assert_array_equal(scan.voxels, voxels)
    np.testing.assert_array_equal(py_aimio.read_aim(str(path))[0], voxels)
    assert scan.grid.same_as(grid)
    assert scan.density_transform()(8192) == pytest.approx(calibration.linear("mu", "density")(1))
    assert scan.header["Site"] == "4"
    assert b"Doe" not in path.read_bytes()


def test_aimio_computes_the_same_density_from_the_written_scan(path, calibration, grid):
    voxels = np.random.default_rng(8).integers(0, 20000, grid.shape, np.int16)
    write_aim_scan(path, Scan(voxels, "native", grid, calibration))
    theirs, _ = py_aimio.read_aim(str(path), density=True)
    np.testing.assert_allclose(theirs, read_aim(path).density_transform()(voxels), rtol=1e-5)
