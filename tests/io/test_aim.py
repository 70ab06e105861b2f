"""Files are built here from the format's description, not by the code under test."""

import struct
from typing import NamedTuple

import itk
import numpy as np
import py_aimio
import pytest

from napari_vbmd.errors import FileFormatError, ParameterError
from napari_vbmd.grid import Grid
from napari_vbmd.io import aim, vax
from napari_vbmd.io.aim import read_aim, write_aim_mask, write_aim_scan
from napari_vbmd.io.aim_runs import encode
from napari_vbmd.scan import Scan

CHAR, SHORT, BINARY = 0x10001, 0x20002, 0x150001
SPACING = (0.084, 0.083, 0.082)  # z, y, x
POSITION = (-5, 40, 3)
LOG = b"Mu_Scaling                    8192\nPatient Name                  Doe\n\0"


class Offsets(NamedTuple):
    """Where a version keeps its numbers, and their struct code."""

    code: str
    lengths: int
    type: int
    position: int
    dim: int
    frame: int
    element: int
    log: int


VERSIONS = {
    20: Offsets("i", 0, 40, 44, 56, 68, 128, 160),
    30: Offsets("q", 16, 68, 72, 96, 120, 240, 280),
}


def build(path, version, kind, shape, data, frame=(0, 0, 0), log=LOG):
    """An AIM by the book; shape and frame are z, y, x."""
    at = VERSIONS[version]
    head = bytearray(at.log)
    if version == 30:
        head[:16] = b"AIMDATA_V030   \0"
        struct.pack_into("<3q", head, at.element, *(round(s * 1e6) for s in SPACING[::-1]))
    else:
        struct.pack_into("<i", head, 20, 16)
        head[at.element : at.element + 12] = b"".join(map(vax.encode_f, SPACING[::-1]))
    if kind == BINARY:
        data = struct.pack(f"<{at.code}", len(data) + struct.calcsize(at.code)) + data
    lengths = (40, 224) if version == 30 else (20, 140)
    struct.pack_into(f"<5{at.code}", head, at.lengths, *lengths, len(log), len(data), 0)
    struct.pack_into("<i", head, at.type, kind)
    for offset, numbers in ((at.position, POSITION), (at.dim, shape), (at.frame, frame)):
        struct.pack_into(f"<3{at.code}", head, offset, *numbers[::-1])
    path.write_bytes(bytes(head) + log + data)
    return path


def patch(path, version, field, *values):
    at = VERSIONS[version]
    with open(path, "r+b") as file:
        file.seek(getattr(at, field))
        file.write(struct.pack(f"<{len(values)}{at.code}", *values))


@pytest.fixture(params=VERSIONS)
def version(request):
    return request.param


@pytest.fixture
def path(tmp_path):
    return tmp_path / "SEG.AIM"


@pytest.fixture
def labels():
    return np.random.default_rng(5).integers(0, 100, (7, 9, 11), np.int8)


# what is read


@pytest.mark.parametrize(("kind", "dtype"), [(CHAR, "i1"), (SHORT, "<i2")])
def test_plain_voxels_are_a_read_only_map_of_the_file(path, version, labels, kind, dtype):
    values = labels.astype(dtype) * (100 if kind == SHORT else -1)
    scan = read_aim(build(path, version, kind, labels.shape, values.tobytes()))
    assert isinstance(scan.voxels, np.memmap)
    assert scan.voxels.dtype == dtype
    np.testing.assert_array_equal(scan.voxels, values)
    with pytest.raises(ValueError, match="read-only"):
        scan.voxels[0, 0, 0] = 1


def test_the_geometry_is_read(path, version, labels):
    scan = read_aim(build(path, version, CHAR, labels.shape, labels.tobytes()))
    assert scan.grid.shape == labels.shape
    assert scan.grid.position == POSITION
    assert scan.grid.spacing_mm == pytest.approx(SPACING, rel=1e-7)
    assert (scan.format, scan.unit, scan.side) == ("AIM", "native", "unknown")


def test_the_log_is_read_and_the_name_is_not_public(path, version, labels):
    scan = read_aim(build(path, version, CHAR, labels.shape, labels.tobytes()))
    assert scan.header == {"Mu_Scaling": "8192", "Patient Name": "Doe"}
    assert scan.public_header() == {"Mu_Scaling": "8192"}
    assert scan.calibration.mu_scaling == 8192.0


@pytest.mark.parametrize("log", [b"", b"\0"])
def test_an_empty_log_is_no_obstacle(path, version, labels, log):
    scan = read_aim(build(path, version, CHAR, labels.shape, labels.tobytes(), log=log))
    np.testing.assert_array_equal(scan.voxels, labels)
    assert scan.header == {}


def test_binary_compressed_voxels_are_decoded(path, version, mask):
    scan = read_aim(build(path, version, BINARY, mask.shape, encode(mask)))
    np.testing.assert_array_equal(scan.voxels, mask * np.int8(127))


def test_the_frame_of_a_compressed_mask_is_zero(path, version):
    inner = np.random.default_rng(6).random((5, 6, 7)) < 0.5
    frame = (1, 2, 3)
    shape = tuple(n + 2 * f for n, f in zip(inner.shape, frame, strict=True))
    build(path, version, BINARY, shape, encode(inner), frame)
    expected = np.pad(inner * np.int8(127), [(f, f) for f in frame])
    np.testing.assert_array_equal(read_aim(path).voxels, expected)
    assert read_aim(path).grid.position == POSITION
    np.testing.assert_array_equal(py_aimio.read_aim(str(path))[0], expected)


def test_other_values_than_those_of_a_mask_are_kept(path, version):
    build(path, version, BINARY, (1, 1, 6), bytes([3, 9, 2, 4]))
    assert read_aim(path).voxels.ravel().tolist() == [3, 3, 9, 9, 9, 9]


def test_mapping_a_large_file_allocates_nothing_of_its_size(path, version, allocates_less_than):
    shape = (240, 1536, 1536)
    build(path, version, SHORT, shape, b"")
    size = 2 * 240 * 1536 * 1536
    patch(path, version, "lengths", *((40, 224) if version == 30 else (20, 140)), len(LOG), size)
    with open(path, "r+b") as file:
        file.truncate(VERSIONS[version].log + len(LOG) + size)
    with allocates_less_than(1 << 20):
        assert read_aim(path).voxels[-1, -1, -1] == 0


def test_a_mapped_file_may_exceed_four_gigabytes(path):
    shape = (500, 2304, 2304)
    build(path, 30, SHORT, shape, b"")
    size = 2 * 500 * 2304 * 2304
    patch(path, 30, "lengths", 40, 224, len(LOG), size)
    with open(path, "r+b") as file:
        file.seek(280 + len(LOG) + size - 2)
        file.write(b"\x39\x30")
    assert path.stat().st_size > 2**32
    assert read_aim(path).voxels[-1, -1, -1] == 12345


# written masks


@pytest.fixture(params=["020", "030"])
def either_version(request, monkeypatch):
    """What is written is of version 030 only beyond 2 GB; here it is also tried on small ones."""
    if request.param == "030":
        monkeypatch.setattr(aim, "_LARGEST_V020", 0)
    return request.param


def test_a_written_mask_returns(path, mask, grid, either_version):
    write_aim_mask(path, mask, grid, {"Site": 4})
    scan = read_aim(path)
    assert path.read_bytes().startswith(b"AIMDATA_V030") == (either_version == "030")
    np.testing.assert_array_equal(scan.voxels, mask * np.int8(127))
    assert scan.grid.position == grid.position
    assert scan.grid.same_as(grid)
    assert scan.header == {"Site": "4"}


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


# damaged and foreign files


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (0x30004, "int"),
        (0x40004, "VAX float"),
        (0x1A0004, "IEEE float"),
        (0x80002, "char compressed"),
        (0x60001, "packed bits"),
        (0x7FFF1234, "type 0x7fff1234"),
        (-1, "type 0xffffffff"),
    ],
)
def test_a_type_that_cannot_be_read_is_named(path, version, refused, kind, name):
    build(path, version, kind, (2, 2, 2), bytes(32))
    with refused(FileFormatError, path, f"an AIM of {name} cannot be read"):
        read_aim(path)


@pytest.mark.parametrize(
    "data", [b"", b"AIM", b"\x14\0\0\0", bytes(400), b"AIMDATA_V040   \0" * 30]
)
def test_what_is_no_aim_is_refused(path, refused, data):
    path.write_bytes(data)
    with refused(FileFormatError, path, "not an AIM"):
        read_aim(path)


@pytest.mark.parametrize("kind", [CHAR, SHORT, BINARY])
def test_a_file_cut_anywhere_is_refused(path, version, labels, mask, refused, kind):
    data = {CHAR: labels, SHORT: labels.astype("<i2")}.get(kind)
    whole = build(
        path, version, kind, mask.shape, encode(mask) if data is None else data.tobytes()
    ).read_bytes()
    for size in (*range(0, 400, 13), len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with refused(FileFormatError, path):
            read_aim(path)


@pytest.mark.parametrize("place", [2, 3])
@pytest.mark.parametrize("value", [-1, -(2**31), 2**31 - 1])
def test_impossible_lengths_are_refused(path, version, labels, refused, place, value):
    build(path, version, CHAR, labels.shape, labels.tobytes())
    lengths = [40, 224, len(LOG), labels.size, 0] if version == 30 else [20, 140, len(LOG)]
    lengths = [*lengths, labels.size, 0][:5]
    lengths[place] = value
    patch(path, version, "lengths", *lengths)
    with refused(FileFormatError, path, "impossible|truncated"):
        read_aim(path)


def test_a_log_of_gigabytes_is_not_read(path, refused, allocates_less_than):
    build(path, 30, CHAR, (1, 1, 1), b"\1")
    patch(path, 30, "lengths", 40, 224, 2**34, 1)
    with open(path, "r+b") as file:
        file.truncate(2**34 + 1000)
    with allocates_less_than(1 << 20), refused(FileFormatError, path, "impossible lengths"):
        read_aim(path)


@pytest.mark.parametrize("kind", [CHAR, SHORT, BINARY])
@pytest.mark.parametrize("dims", [(0, 9, 7), (11, -9, 7), (-11, -9, 7)])
def test_empty_or_negative_dimensions_are_refused(path, version, mask, refused, kind, dims):
    build(path, version, kind, mask.shape, encode(mask))
    patch(path, version, "dim", *dims)
    with refused(FileFormatError, path, "damaged"):
        read_aim(path)


@pytest.mark.parametrize("kind", [CHAR, SHORT, BINARY])
@pytest.mark.parametrize(
    "dims",
    [
        (12, 9, 7),
        (10**4, 10**4, 10**4),
        (2**16, 2**16, 1),  # 2 ** 32: 0 in 32 bits
        (2**22, 2**21, 2**21),  # 2 ** 64: 0 in 64 bits
        (2**31 - 1,) * 3,
    ],
)
def test_dimensions_that_the_voxels_do_not_fill_are_refused_before_allocating(
    path, version, mask, refused, kind, dims, allocates_less_than
):
    build(path, version, kind, mask.shape, encode(mask))
    patch(path, version, "dim", *dims)
    with allocates_less_than(1 << 17), refused(FileFormatError, path, "damaged"):
        read_aim(path)


@pytest.mark.parametrize("kind", [CHAR, SHORT])
def test_more_plain_voxels_than_the_dimensions_are_refused(path, version, refused, kind):
    build(path, version, kind, (2, 2, 2), bytes(17))
    with refused(FileFormatError, path, "17 bytes of voxels do not fit"):
        read_aim(path)


def test_dimensions_of_64_bits_are_refused(path, mask, refused):
    build(path, 30, BINARY, mask.shape, encode(mask))
    patch(path, 30, "dim", 2**62, 2**62, 2**62)
    with refused(FileFormatError, path, "damaged"):
        read_aim(path)


@pytest.mark.parametrize("frame", [(-1, 0, 0), (0, 5, 0), (0, 0, 2**30)])
def test_an_impossible_frame_is_refused(path, version, mask, refused, frame):
    build(path, version, BINARY, mask.shape, encode(mask), frame)
    with refused(FileFormatError, path, "frame"):
        read_aim(path)


def test_a_frame_that_is_all_of_the_image_is_refused_before_allocating(
    path, version, refused, allocates_less_than
):
    build(path, version, BINARY, (2001,) * 3, bytes([0, 127, 1]), (1000,) * 3)
    with allocates_less_than(1 << 17), refused(FileFormatError, path, "frame"):
        read_aim(path)


@pytest.mark.parametrize("length", [-1, 0, 3, 9, 10**6])
def test_a_stream_whose_own_length_is_wrong_is_refused(path, version, mask, refused, length):
    build(path, version, BINARY, mask.shape, encode(mask))
    at = VERSIONS[version]
    with open(path, "r+b") as file:
        file.seek(at.log + len(LOG))
        file.write(struct.pack(f"<{at.code}", length))
    with refused(FileFormatError, path, "damaged"):
        read_aim(path)


@pytest.mark.parametrize("size", [0, 2, 8])
def test_a_stream_shorter_than_its_length_is_refused(path, version, refused, size):
    build(path, version, CHAR, (1, 1, size or 1), bytes(size))
    with open(path, "r+b") as file:
        file.seek(VERSIONS[version].type)
        file.write(struct.pack("<i", BINARY))
    with refused(FileFormatError, path, "damaged"):
        read_aim(path)


@pytest.mark.parametrize("stored", ["ff7fffff", "00000000", "80c00000", "ffff0000"])
def test_an_impossible_element_size_is_refused_in_version_020(path, labels, refused, stored):
    build(path, 20, CHAR, labels.shape, labels.tobytes())
    with open(path, "r+b") as file:
        file.seek(132)
        file.write(bytes.fromhex(stored))
    with refused(FileFormatError, path, "damaged"):
        read_aim(path)


@pytest.mark.parametrize("nm", [0, -82000, 2**62])
def test_an_impossible_element_size_is_refused_in_version_030(path, labels, refused, nm):
    build(path, 30, CHAR, labels.shape, labels.tobytes())
    patch(path, 30, "element", 82000, nm, 82000)
    with refused(FileFormatError, path, "damaged"):
        read_aim(path)
