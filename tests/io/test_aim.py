import numpy as np
import py_aimio
import pytest

from napari_vbmd.errors import ParameterError
from napari_vbmd.io.aim import check_is_grey, read_aim
from napari_vbmd.io.aim_runs import encode
from napari_vbmd.io.aim_write import write_aim_mask
from napari_vbmd.io.processing_log import ProcessingLog

CHAR, SHORT, BINARY = 0x10001, 0x20002, 0x150001
SPACING = (0.084, 0.083, 0.082)  # z, y, x
POSITION = (-5, 40, 3)
LOG = b"Mu_Scaling                    8192\nPatient Name                  Doe\n\0"


# what is read


@pytest.mark.parametrize(("kind", "dtype"), [(CHAR, "i1"), (SHORT, "<i2")])
def test_plain_voxels_are_a_read_only_map_of_the_file(path, version, labels, kind, dtype, build):
    values = labels.astype(dtype) * (100 if kind == SHORT else -1)
    scan = read_aim(build(path, version, kind, labels.shape, values.tobytes()))
    assert isinstance(scan.voxels, np.memmap)
    assert scan.voxels.dtype == dtype
    np.testing.assert_array_equal(scan.voxels, values)
    with pytest.raises(ValueError, match="read-only"):
        scan.voxels[0, 0, 0] = 1


def test_the_geometry_is_read(path, version, labels, build):
    scan = read_aim(build(path, version, CHAR, labels.shape, labels.tobytes()))
    assert scan.grid.shape == labels.shape
    assert scan.grid.position == POSITION
    assert scan.grid.spacing_mm == pytest.approx(SPACING, rel=1e-7)
    assert (scan.format, scan.unit, scan.side) == ("AIM", "native", "unknown")


def test_the_log_is_read_and_the_name_is_not_public(path, version, labels, build):
    scan = read_aim(build(path, version, CHAR, labels.shape, labels.tobytes()))
    about = {"AIM version": f"0{version}", "AIM type": "char"}
    assert scan.header == {"Mu_Scaling": "8192", "Patient Name": "Doe"} | about
    assert scan.public_header() == {"Mu_Scaling": "8192"} | about
    assert scan.log.encode("latin-1") == LOG, "and every byte of it is kept"
    assert scan.calibration.mu_scaling == 8192.0


@pytest.mark.parametrize("log", [b"", b"\0"])
def test_an_empty_log_is_no_obstacle(path, version, labels, log, build):
    scan = read_aim(build(path, version, CHAR, labels.shape, labels.tobytes(), log=log))
    np.testing.assert_array_equal(scan.voxels, labels)
    assert not ProcessingLog(scan.log)


def test_binary_compressed_voxels_are_decoded(path, version, mask, build):
    scan = read_aim(build(path, version, BINARY, mask.shape, encode(mask)))
    np.testing.assert_array_equal(scan.voxels, mask * np.int8(127))


def test_the_frame_of_a_compressed_mask_is_zero(path, version, build):
    inner = np.random.default_rng(6).random((5, 6, 7)) < 0.5
    frame = (1, 2, 3)
    shape = tuple(n + 2 * f for n, f in zip(inner.shape, frame, strict=True))
    build(path, version, BINARY, shape, encode(inner), frame)
    expected = np.pad(inner * np.int8(127), [(f, f) for f in frame])
    np.testing.assert_array_equal(read_aim(path).voxels, expected)
    assert read_aim(path).grid.position == POSITION
    np.testing.assert_array_equal(py_aimio.read_aim(str(path))[0], expected)


def test_other_values_than_those_of_a_mask_are_kept(path, version, build):
    build(path, version, BINARY, (1, 1, 6), bytes([3, 9, 2, 4]))
    assert read_aim(path).voxels.ravel().tolist() == [3, 3, 9, 9, 9, 9]


def test_mapping_a_large_file_allocates_nothing_of_its_size(
    path, version, allocates_less_than, build, patch, at
):
    shape = (240, 1536, 1536)
    build(path, version, SHORT, shape, b"")
    size = 2 * 240 * 1536 * 1536
    patch(path, version, "lengths", *((40, 224) if version == 30 else (20, 140)), len(LOG), size)
    with open(path, "r+b") as file:
        file.truncate(at(version).log + len(LOG) + size)
    with allocates_less_than(1 << 20):
        assert read_aim(path).voxels[-1, -1, -1] == 0


def test_a_mapped_file_may_exceed_four_gigabytes(path, build, patch):
    shape = (500, 2304, 2304)
    build(path, 30, SHORT, shape, b"")
    size = 2 * 500 * 2304 * 2304
    patch(path, 30, "lengths", 40, 224, len(LOG), size)
    with open(path, "r+b") as file:
        file.seek(280 + len(LOG) + size - 2)
        file.write(b"\x39\x30")
    assert path.stat().st_size > 2**32
    assert read_aim(path).voxels[-1, -1, -1] == 12345


# the real file


def test_the_real_file_is_read_with_its_log(real_data):
    file = real_data / "test_aim.AIM"
    scan = read_aim(file)
    theirs, meta = py_aimio.read_aim(str(file))
    np.testing.assert_array_equal(scan.voxels, theirs)
    assert isinstance(scan.voxels, np.memmap)
    assert scan.grid.shape == (25, 25, 25)
    assert scan.grid.position == (0, 0, 0)
    assert scan.grid.spacing_mm == pytest.approx(meta["element_size"][::-1])
    assert scan.header["Original file"] == "TEST_ISQ.ISQ"
    assert scan.header["Energy [V]"] == "68000"
    assert scan.header["Orig-ISQ-Dim-um"].split() == ["1517"] * 3
    assert {"Patient Name", "Index Patient"} <= set(scan.header)
    assert not {"Patient Name", "Index Patient"} & set(scan.public_header())
    assert scan.calibration.mu_scaling == 1.0
    assert not scan.is_calibrated


@pytest.mark.parametrize(
    ("line", "side", "reason"),
    [
        (b"Patient Name  DOE JOHN LEFT HAND", "left", 'the processing log says "left hand"'),
        (b"! the Right hand, weak", "right", 'the processing log says "right hand"'),
        (b"Remark    left hand, right hand", "unknown", "names both sides"),
        (b"Remark    hand, left", "unknown", "does not name the side in words"),
    ],
)
def test_the_side_is_what_the_log_says_in_words(path, version, build, line, side, reason):
    scan = read_aim(build(path, version, 0x10001, (1, 1, 1), b"a", log=line + b"\n\0"))
    assert scan.side == side
    assert reason in scan.side_reason


def test_a_mask_is_no_scan(path, version, build, mask, grid, refused):
    build(path, version, 0x10001, (1, 1, 1), b"a")
    with refused(ParameterError, path, "an AIM of char, so a mask and not a scan; give the grey"):
        check_is_grey(read_aim(path))
    write_aim_mask(path, mask, grid)
    with refused(ParameterError, path, "an AIM of binary compressed, so a mask"):
        check_is_grey(read_aim(path))
    check_is_grey(read_aim(build(path, version, 0x20002, (1, 1, 1), b"ab")))
