import struct

import itk
import numpy as np
import py_aimio
import pytest

from napari_vbmd.calibration import Calibration
from napari_vbmd.errors import FileFormatError, MissingCalibrationError
from napari_vbmd.grid import Grid
from napari_vbmd.io import vax
from napari_vbmd.io.isq import read_isq, write_isq

SPACING = (0.082, 0.0607, 0.1)  # z, y, x
SLOPE, INTERCEPT, MU_WATER, UNITS = 2200, 2208, 2224, 2184  # where the design puts them


@pytest.fixture
def voxels() -> np.ndarray:
    return np.random.default_rng(0).integers(-1000, 20000, (12, 20, 30), np.int16)


@pytest.fixture
def isq(tmp_path, voxels, calibration):
    path = tmp_path / "HAND.ISQ"
    write_isq(path, voxels, SPACING, calibration, "Doe")
    return path


def patch(path, offset: int, code: str, *values) -> None:
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(struct.pack(f"<{code}", *values))


def without_calibration_block(path) -> None:
    data = path.read_bytes()
    start = (struct.unpack_from("<i", data, 508)[0] + 1) * 512
    path.write_bytes(data[:508] + struct.pack("<i", 0) + data[start:])


def sparse(path, shape, last_slice: np.ndarray | None = None) -> None:
    """Make an ISQ say that it is large, and the file as long, without using the disk."""
    nz, ny, nx = shape
    patch(path, 44, "6i", nx, ny, nz, nx * 61, ny * 61, nz * 61)
    start = (struct.unpack_from("<i", path.read_bytes(), 508)[0] + 1) * 512
    with open(path, "r+b") as file:
        file.truncate(start)  # the old voxels go
        file.truncate(start + 2 * nx * ny * nz)
        if last_slice is not None:
            file.seek(start + 2 * nx * ny * (nz - 1))
            file.write(last_slice.tobytes())


# what is read


def test_what_was_written_is_read(isq, voxels, calibration):
    scan = read_isq(isq)
    np.testing.assert_array_equal(scan.voxels, voxels)
    assert scan.voxels.dtype == np.int16
    assert (scan.unit, scan.format, scan.path) == ("native", "ISQ", isq)
    assert scan.grid.position == (0, 0, 0)
    assert scan.grid.spacing_mm == pytest.approx(SPACING)
    read = scan.calibration
    assert read.mu_scaling == calibration.mu_scaling
    assert read.mu_water_per_cm == calibration.mu_water_per_cm
    assert read.density_slope == calibration.density_slope
    assert read.density_intercept == calibration.density_intercept
    assert not read.problem


def test_the_header_is_kept_and_the_side_is_not_guessed(isq, voxels):
    patch(isq, 116, "i", 4)
    patch(isq, 168, "2i", 68000, 1470)
    scan = read_isq(isq)
    assert scan.header["Patient Name"] == "Doe"
    assert "Patient Name" not in scan.public_header()
    assert scan.header["Minimum data value"] == voxels.min()
    assert scan.header["Maximum data value"] == voxels.max()
    assert (scan.header["Site"], scan.header["Energy [V]"], scan.header["Intensity [uA]"]) == (
        4,
        68000,
        1470,
    )
    assert scan.side == "unknown"


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("PHANTOM 7, NOT A PERSON, LEFT HAND", "left"),
        ("Doe, right Hand", "right"),
        ("Left, Jane", "unknown"),
        ("Bright Handley", "unknown"),
        ("left hand, right hand", "unknown"),
    ],
)
def test_the_side_is_known_where_the_name_says_it_in_words(isq, voxels, calibration, name, side):
    write_isq(isq, voxels, SPACING, calibration, name)
    scan = read_isq(isq)
    assert scan.side == side
    assert ("hand" in scan.side_reason) == (side != "unknown")
    assert "Doe" not in scan.side_reason


def test_slices_may_come_one_by_one(tmp_path, isq, voxels, calibration):
    class Drawn:
        shape = voxels.shape

        def __iter__(self):
            return iter(voxels)

    write_isq(tmp_path / "drawn.isq", Drawn(), SPACING, calibration, "Doe")
    assert (tmp_path / "drawn.isq").read_bytes() == isq.read_bytes()


def test_the_spacing_is_the_length_over_the_voxels_not_the_slice_thickness(isq):
    patch(isq, 64, "i", 726)  # um over 12 slices
    patch(isq, 68, "2i", 60, 60)
    assert read_isq(isq).grid.spacing_mm[0] == pytest.approx(0.0605)


def test_the_voxels_are_a_read_only_map_of_the_file(isq):
    voxels = read_isq(isq).voxels
    assert isinstance(voxels, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        voxels[0, 0, 0] = 1


def test_a_long_name_is_cut_to_its_field(tmp_path, voxels, calibration):
    write_isq(tmp_path / "a.isq", voxels, SPACING, calibration, "x" * 60)
    scan = read_isq(tmp_path / "a.isq")
    assert scan.header["Patient Name"] == "x" * 40
    np.testing.assert_array_equal(scan.voxels, voxels)


# large files


def test_opening_a_full_size_scan_allocates_nothing_of_its_size(isq, allocates_less_than):
    sparse(isq, (240, 1536, 1536))
    assert isq.stat().st_size > 1.1e9
    with allocates_less_than(1 << 20):
        scan = read_isq(isq)
        assert scan.voxels[120, 700, 700] == 0
    assert scan.grid.shape == (240, 1536, 1536)


def test_the_last_slice_beyond_four_gigabytes_is_read(isq):
    shape = (500, 2304, 2304)
    last = np.arange(2304 * 2304, dtype=np.uint16).view(np.int16).reshape(2304, 2304)
    sparse(isq, shape, last)
    assert isq.stat().st_size > 2**32
    scan = read_isq(isq)
    np.testing.assert_array_equal(scan.voxels[-1], last)
    assert not scan.voxels[-2].any()


# other readers


def test_itk_reads_the_same_values_and_geometry(isq):
    # It knows HU only, cut to whole numbers, so the values are compared through HU.
    image = itk.imread(str(isq), itk.SS)
    scan = read_isq(isq)
    hu = scan.transform("hu")(scan.voxels.astype(np.float64))
    assert np.abs(itk.array_from_image(image) - hu).max() < 1.0
    np.testing.assert_allclose(tuple(image.GetSpacing())[::-1], scan.grid.spacing_mm, rtol=1e-6)
    np.testing.assert_allclose(tuple(image.GetOrigin())[::-1], scan.grid.origin_mm, atol=1e-9)


def test_aimio_reads_the_same_constants_and_geometry(isq, calibration, voxels):
    theirs = py_aimio.isq_info(str(isq))
    assert theirs["mu_scaling"] == calibration.mu_scaling
    assert theirs["mu_water"] == pytest.approx(calibration.mu_water_per_cm)
    assert theirs["rescale_slope"] == pytest.approx(calibration.density_slope)
    assert theirs["rescale_intercept"] == pytest.approx(calibration.density_intercept)
    assert theirs["rescale_units"] == "mg HA/ccm"
    assert theirs["dimensions"] == voxels.shape[::-1]
    np.testing.assert_allclose(theirs["spacing"], np.multiply(SPACING[::-1], 1000), rtol=1e-6)


def test_aimio_reads_the_same_voxels_as_far_as_it_reads(isq, voxels):
    # It stops two data offsets before the end (0.4.1), and leaves the rest undefined.
    theirs, meta = py_aimio.read_isq(str(isq))
    read = voxels.size - meta["data_offset"]
    assert read > voxels.size / 2
    np.testing.assert_array_equal(theirs.ravel()[:read], voxels.ravel()[:read])


def test_the_real_file_is_read(real_data):
    scan = read_isq(real_data / "test_isq.ISQ")
    assert scan.grid == Grid((25, 25, 25), (0.06068, 0.06068, 0.06068))
    assert (int(scan.voxels.min()), int(scan.voxels.max())) == (0, 1)
    assert scan.header["Energy [V]"] == 68000
    assert scan.header["Slice thickness [um]"] == 60
    assert scan.calibration.mu_scaling == 1.0
    assert not scan.is_calibrated
    theirs, meta = py_aimio.read_isq(str(real_data / "test_isq.ISQ"))
    read = theirs.size - meta["data_offset"]
    np.testing.assert_array_equal(theirs.ravel()[:read], scan.voxels.ravel()[:read])


# calibration


def test_without_a_calibration_block_there_is_no_density(isq, voxels):
    without_calibration_block(isq)
    scan = read_isq(isq)
    np.testing.assert_array_equal(scan.voxels, voxels)
    known = Calibration(8192.0, source="ISQ header", problem="the ISQ carries mu_scaling only")
    assert scan.calibration == known
    assert scan.transform("mu")(8192) == 1.0
    with pytest.raises(MissingCalibrationError, match=r"HAND\.ISQ: .*mu_scaling only"):
        scan.density_transform()
    with pytest.raises(MissingCalibrationError, match="--mu-water"):
        scan.transform("hu")


def test_a_density_in_a_foreign_unit_is_refused_with_the_reason(isq):
    patch(isq, UNITS, "16s", b"g K2HPO4/ccm")
    scan = read_isq(isq)
    assert scan.calibration.density_slope is None
    assert scan.calibration.mu_water_per_cm == 0.2409, "HU needs no density unit"
    with pytest.raises(MissingCalibrationError, match="'g K2HPO4/ccm', not mg HA/ccm"):
        scan.density_transform()


NOT_FINITE = (bytes.fromhex("f07f000000000000"), bytes.fromhex("ff7fffffffffffff"))


@pytest.mark.parametrize(
    ("offset", "stored"),
    [
        *((SLOPE, b) for b in (vax.encode_g(0.0), vax.encode_g(-1603.5), *NOT_FINITE)),
        *((INTERCEPT, b) for b in NOT_FINITE),
    ],
)
def test_damaged_density_constants_are_not_taken(isq, offset, stored):
    patch(isq, offset, "8s", stored)
    scan = read_isq(isq)
    assert scan.calibration.density_slope is None
    assert scan.calibration.density_intercept is None
    with pytest.raises(MissingCalibrationError, match="the file's density slope is"):
        scan.density_transform()


@pytest.mark.parametrize("value", [0.0, -0.24])
def test_an_impossible_mu_water_is_unknown(isq, value):
    patch(isq, MU_WATER, "8s", vax.encode_g(value))
    scan = read_isq(isq)
    assert scan.calibration.mu_water_per_cm is None
    assert scan.is_calibrated, "native to density does not need it"


@pytest.mark.parametrize("value", [0, -8192])
def test_an_impossible_mu_scaling_is_unknown(isq, value):
    patch(isq, 88, "i", value)
    scan = read_isq(isq)
    assert scan.calibration.mu_scaling is None
    with pytest.raises(MissingCalibrationError, match="--mu-scaling"):
        scan.density_transform()


# damaged files


def test_a_file_without_the_magic_is_no_isq(isq, refused):
    patch(isq, 0, "4s", b"XXXX")
    with refused(FileFormatError, isq, "not an ISQ file"):
        read_isq(isq)


@pytest.mark.parametrize("size", [0, 15, 16, 511])
def test_a_file_shorter_than_its_header_is_refused(isq, refused, size):
    with open(isq, "r+b") as file:
        file.truncate(size)
    with refused(FileFormatError, isq):
        read_isq(isq)


@pytest.mark.parametrize("missing", [1, 2, 1000, 2000])
def test_a_truncated_file_is_refused(isq, refused, missing):
    with open(isq, "r+b") as file:
        file.truncate(isq.stat().st_size - missing)
    with refused(FileFormatError, isq, "truncated"):
        read_isq(isq)


def test_bytes_after_the_voxels_are_allowed(isq, voxels):
    with open(isq, "ab") as file:
        file.write(bytes(512))
    np.testing.assert_array_equal(read_isq(isq).voxels, voxels)


@pytest.mark.parametrize(
    "dims", [(0, 20, 12), (30, 0, 12), (30, 20, 0), (-30, 20, 12), (-30, -20, 12)]
)
def test_empty_or_negative_dimensions_are_refused(isq, refused, dims):
    patch(isq, 44, "3i", *dims)
    with refused(FileFormatError, isq, "damaged"):
        read_isq(isq)


@pytest.mark.parametrize(
    "dims",
    [
        (2**31 - 1,) * 3,
        (2**16, 2**16, 1),  # 2 ** 32 voxels: 0 in 32 bits
        (2**21, 2**21, 2**22),  # 2 ** 64: 0 in 64 bits
    ],
)
def test_dimensions_that_overflow_are_refused(isq, refused, dims, allocates_less_than):
    patch(isq, 44, "3i", *dims)
    with refused(FileFormatError, isq, "truncated"), allocates_less_than(1 << 20):
        read_isq(isq)


@pytest.mark.parametrize("um", [0, -1640])
def test_an_impossible_size_is_refused(isq, refused, um):
    patch(isq, 60, "i", um)
    with refused(FileFormatError, isq, "damaged"):
        read_isq(isq)


@pytest.mark.parametrize("offset", [-1, -2, -(2**31)])
def test_a_negative_data_offset_is_refused(isq, refused, offset):
    patch(isq, 508, "i", offset)
    with refused(FileFormatError, isq, "damaged"):
        read_isq(isq)


@pytest.mark.parametrize("offset", [5, 2**23, 2**31 - 1])
def test_a_data_offset_beyond_the_file_is_refused(isq, refused, offset, allocates_less_than):
    patch(isq, 508, "i", offset)
    with refused(FileFormatError, isq, "truncated"), allocates_less_than(1 << 21):
        read_isq(isq)
