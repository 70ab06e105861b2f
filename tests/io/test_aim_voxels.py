"""Every type of voxels against aimio-py's, itk-ioscanco's, or the format's description."""

import struct

import itk
import numpy as np
import py_aimio
import pytest

from napari_vbmd.errors import FileFormatError
from napari_vbmd.io import vax
from napari_vbmd.io.aim import read_aim

INT, VAX_FLOAT, FLOAT = 0x30004, 0x40004, 0x1A0004
CHAR_COMPRESSED, PACKED_BITS = 0x80002, 0x60001
UNSIGNED_CHAR, UNSIGNED_SHORT = 0x160001, 0x170002
SHAPE = (5, 6, 7)
META = {"element_size": (0.082,) * 3}


@pytest.fixture
def numbers():
    return np.random.default_rng(3).normal(0, 1e4, SHAPE).astype(np.float32)


def vax_bytes(values: np.ndarray) -> bytes:
    return b"".join(vax.encode_f(float(v)) for v in values.ravel())


def pairs(values: np.ndarray) -> bytes:
    """Pairs of value and length, with the empty first one that AimIO writes."""
    flat, stream, start = values.ravel().tolist(), bytearray([0, 0]), 0
    for i in range(1, len(flat) + 1):
        if i == len(flat) or flat[i] != flat[start] or i - start == 255:
            stream += struct.pack("bB", flat[start], i - start)
            start = i
    return bytes(stream)


def bits(mask: np.ndarray, value: int) -> bytes:
    """One byte for 2 x 2 x 2 voxels, then the value."""
    halves = [-(-n // 2) for n in mask.shape]
    packed = np.zeros(halves, np.uint8)
    for z, y, x in np.argwhere(mask):
        packed[z // 2, y // 2, x // 2] |= 1 << (4 * (z % 2) + 2 * (y % 2) + x % 2)
    return packed.tobytes() + bytes([value])


@pytest.mark.parametrize(
    ("kind", "dtype", "name"),
    [
        (INT, "<i4", "int"),
        (FLOAT, "<f4", "IEEE float"),
        (UNSIGNED_CHAR, "u1", "unsigned char"),
        (UNSIGNED_SHORT, "<u2", "unsigned short"),
    ],
)
def test_plain_types_are_mapped_as_itk_reads_them(path, version, build, kind, dtype, name, numbers):
    values = np.abs(numbers).astype(dtype) if dtype[-2] == "u" else numbers.astype(dtype)
    scan = read_aim(build(path, version, kind, SHAPE, values.tobytes(), log=b"x" * 600 + b"\0"))
    assert isinstance(scan.voxels, np.memmap)
    np.testing.assert_array_equal(scan.voxels, values)
    assert scan.header["AIM type"] == name
    # itk has no pixels of 32-bit integers, so these come as floats, which hold them exactly
    reader = {"<i4": itk.F, "<f4": itk.F, "u1": itk.UC, "<u2": itk.US}[dtype]
    np.testing.assert_array_equal(itk.array_from_image(itk.imread(str(path), reader)), values)


def test_what_itk_writes_as_float_is_read(tmp_path, numbers):
    file = tmp_path / "float.aim"
    itk.imwrite(itk.image_from_array(numbers), str(file))
    np.testing.assert_array_equal(read_aim(file).voxels, numbers)


def test_vax_floats_are_read_as_aimio_reads_them(path, version, build, numbers):
    numbers.ravel()[:4] = 0, -1.5, 1e-30, 8.4e37
    build(path, version, VAX_FLOAT, SHAPE, vax_bytes(numbers))
    voxels = read_aim(path).voxels
    assert voxels.dtype == np.float32
    np.testing.assert_array_equal(voxels, numbers)
    np.testing.assert_array_equal(py_aimio.read_aim(str(path))[0], numbers)


def test_what_aimio_writes_as_float_is_read(path, numbers):
    py_aimio.write_aim(str(path), numbers, META)
    assert py_aimio.aim_info(str(path))["aim_type"] == VAX_FLOAT
    np.testing.assert_array_equal(read_aim(path).voxels, numbers)


@pytest.mark.parametrize("frame", [(0, 0, 0), (1, 2, 1)])
def test_char_compressed_voxels_are_read_as_aimio_reads_them(path, version, build, frame):
    inner = np.repeat(np.random.default_rng(4).integers(-128, 128, 20), 30).astype(np.int8)
    inner = inner.reshape(5, 10, 12)
    inner.ravel()[:300] = 7  # longer than one pair can say
    shape = tuple(n + 2 * f for n, f in zip(inner.shape, frame, strict=True))
    expected = np.pad(inner, [(f, f) for f in frame])
    build(path, version, CHAR_COMPRESSED, shape, pairs(inner)[2:], frame)
    np.testing.assert_array_equal(read_aim(path).voxels, expected)
    np.testing.assert_array_equal(py_aimio.read_aim(str(path))[0], expected)
    build(path, version, CHAR_COMPRESSED, shape, pairs(inner), frame)
    np.testing.assert_array_equal(read_aim(path).voxels, expected)


def test_what_aimio_writes_char_compressed_is_read(path):
    values = np.random.default_rng(4).integers(0, 4, SHAPE).astype(np.int8)
    values.ravel()[0] = 3  # so that it begins with an empty pair, which aimio cannot read itself
    py_aimio.write_aim(str(path), values, META)
    assert py_aimio.aim_info(str(path))["aim_type"] == CHAR_COMPRESSED
    np.testing.assert_array_equal(read_aim(path).voxels, values)


@pytest.mark.parametrize("shape", [(4, 6, 8), (5, 7, 9), (1, 1, 1)])
@pytest.mark.parametrize("value", [127, 3])
def test_packed_bits_are_read_as_aimio_reads_them(path, version, build, shape, value):
    mask = np.random.default_rng(5).random(shape) < 0.5
    build(path, version, PACKED_BITS, shape, bits(mask, value))
    np.testing.assert_array_equal(read_aim(path).voxels, mask * np.int8(value))
    np.testing.assert_array_equal(py_aimio.read_aim(str(path))[0], mask * np.int8(value))


def test_packed_bits_without_a_value_are_the_scanners(path, version, build):
    build(path, version, PACKED_BITS, (1, 1, 2), bytes([1, 0]))
    assert read_aim(path).voxels.ravel().tolist() == [127, 0]


@pytest.mark.parametrize(
    ("kind", "size"),
    [(INT, 4 * 210), (FLOAT, 4 * 210), (VAX_FLOAT, 4 * 210), (PACKED_BITS, 3 * 3 * 4 + 1)],
)
@pytest.mark.parametrize("wrong", [-1, 1, 300])
def test_bytes_that_do_not_fit_are_refused(path, version, build, refused, kind, size, wrong):
    build(path, version, kind, SHAPE, bytes(size + wrong))
    with refused(FileFormatError, path, "do not fit"):
        read_aim(path)


@pytest.mark.parametrize("stream", [b"", b"\1", b"\1\xd1", b"\1\xd3", b"\1\xd2\1"])
def test_pairs_that_do_not_fit_are_refused(path, version, build, refused, stream):
    build(path, version, CHAR_COMPRESSED, SHAPE, stream)
    with refused(FileFormatError, path, "damaged file"):
        read_aim(path)


@pytest.mark.parametrize("kind", [0x7FFF1234, -1, 0])
def test_a_type_that_nobody_knows_is_refused(path, version, build, refused, kind):
    build(path, version, kind, SHAPE, bytes(210))
    with refused(FileFormatError, path, f"type 0x{kind & 0xFFFFFFFF:x} cannot be read"):
        read_aim(path)
