import itk
import numpy as np
import py_aimio
import pytest

import napari_vbmd
from napari_vbmd.calibration import Calibration
from napari_vbmd.errors import ParameterError
from napari_vbmd.grid import Grid
from napari_vbmd.io import aim_write
from napari_vbmd.io.aim import read_aim
from napari_vbmd.io.aim_header import read_header
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


def test_a_written_scan_carries_the_whole_log_and_a_line_of_ours(path, build, tmp_path, labels):
    log = b"Procedure:                    First()\nProcedure:                    Second()\n\0"
    build(path, 20, SHORT, labels.shape, labels.astype("<i2").tobytes(), log=log)
    write_aim_scan(tmp_path / "again.aim", read_aim(path))
    written = ProcessingLog(read_aim(tmp_path / "again.aim").log)
    assert written.text.startswith(log.decode().rstrip("\0"))
    assert written.all("Procedure:") == ["First()", "Second()"]
    assert written.all("Created by") == [f"napari-vbmd {napari_vbmd.__version__}"]


def test_constants_that_the_user_gave_are_added_to_the_log(path, build, tmp_path, labels):
    build(path, 20, SHORT, labels.shape, labels.astype("<i2").tobytes())
    scan = read_aim(path).calibrated(density_slope=1600.0, density_intercept=-390.0)
    write_aim_scan(tmp_path / "again.aim", scan)
    again = read_aim(tmp_path / "again.aim")
    assert again.calibration.density_slope == 1600.0
    assert ProcessingLog(again.log).all("Mu_Scaling") == ["8192"], "what was there is not repeated"


def test_a_written_scan_keeps_frame_and_extents(path, version, build, patch, tmp_path, labels):
    build(path, version, SHORT, labels.shape, labels.astype("<i2").tobytes(), frame=(1, 2, 3))
    write_aim_scan(tmp_path / "again.aim", read_aim(path))
    assert read_header(tmp_path / "again.aim").extents == read_header(path).extents
    assert read_header(path).frame == (1, 2, 3)
    theirs, _ = py_aimio.read_aim(str(tmp_path / "again.aim"))
    np.testing.assert_array_equal(theirs, labels)


def test_a_scan_that_itk_wrote_is_read(tmp_path):
    values = np.random.default_rng(9).integers(-3000, 20000, (7, 9, 11), np.int16)
    itk.imwrite(itk.image_from_array(values), str(tmp_path / "theirs.aim"))
    np.testing.assert_array_equal(read_aim(tmp_path / "theirs.aim").voxels, values)


def test_itk_reads_the_written_scan_bit_for_bit(path, grid, either_version):
    voxels = np.random.default_rng(7).integers(-3000, 20000, grid.shape, np.int16)
    write_aim_scan(path, Scan(voxels, "native", grid, Calibration()))  # with a calibration: in HU
    image = itk.imread(str(path), itk.SS)
    np.testing.assert_array_equal(itk.array_from_image(image), voxels)


@pytest.mark.parametrize(("unit", "kind"), [("hu", np.int16), ("native", np.float32)])
def test_a_scan_that_an_aim_cannot_hold_is_refused(path, grid, refused, unit, kind):
    scan = Scan(np.zeros(grid.shape, kind), unit, grid)
    with refused(ParameterError, path, "native 16-bit values"):
        write_aim_scan(path, scan)
    assert not path.exists()
