import struct

import pytest

from napari_vbmd.errors import FileFormatError
from napari_vbmd.io.aim import read_aim
from napari_vbmd.io.aim_runs import encode

CHAR, SHORT, BINARY = 0x10001, 0x20002, 0x150001
SPACING = (0.084, 0.083, 0.082)  # z, y, x
POSITION = (-5, 40, 3)
LOG = b"Mu_Scaling                    8192\nPatient Name                  Doe\n\0"


# damaged and foreign files


@pytest.mark.parametrize(
    "data", [b"", b"AIM", b"\x14\0\0\0", bytes(400), b"AIMDATA_V040   \0" * 30]
)
def test_what_is_no_aim_is_refused(path, refused, data):
    path.write_bytes(data)
    with refused(FileFormatError, path, "not an AIM"):
        read_aim(path)


@pytest.mark.parametrize("kind", [CHAR, SHORT, BINARY])
def test_a_file_cut_anywhere_is_refused(path, version, labels, mask, refused, kind, build):
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
def test_impossible_lengths_are_refused(path, version, labels, refused, place, value, build, patch):
    build(path, version, CHAR, labels.shape, labels.tobytes())
    lengths = [40, 224, len(LOG), labels.size, 0] if version == 30 else [20, 140, len(LOG)]
    lengths = [*lengths, labels.size, 0][:5]
    lengths[place] = value
    patch(path, version, "lengths", *lengths)
    with refused(FileFormatError, path, "impossible|truncated"):
        read_aim(path)


def test_a_log_of_gigabytes_is_not_read(path, refused, allocates_less_than, build, patch):
    build(path, 30, CHAR, (1, 1, 1), b"\1")
    patch(path, 30, "lengths", 40, 224, 2**34, 1)
    with open(path, "r+b") as file:
        file.truncate(2**34 + 1000)
    with allocates_less_than(1 << 20), refused(FileFormatError, path, "impossible lengths"):
        read_aim(path)


@pytest.mark.parametrize("kind", [CHAR, SHORT, BINARY])
@pytest.mark.parametrize("dims", [(0, 9, 7), (11, -9, 7), (-11, -9, 7)])
def test_empty_or_negative_dimensions_are_refused(
    path, version, mask, refused, kind, dims, build, patch
):
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
    path, version, mask, refused, kind, dims, allocates_less_than, build, patch
):
    build(path, version, kind, mask.shape, encode(mask))
    patch(path, version, "dim", *dims)
    with allocates_less_than(1 << 17), refused(FileFormatError, path, "damaged"):
        read_aim(path)


@pytest.mark.parametrize("kind", [CHAR, SHORT])
def test_more_plain_voxels_than_the_dimensions_are_refused(path, version, refused, kind, build):
    build(path, version, kind, (2, 2, 2), bytes(17))
    with refused(FileFormatError, path, "17 bytes of voxels do not fit"):
        read_aim(path)


def test_dimensions_of_64_bits_are_refused(path, mask, refused, build, patch):
    build(path, 30, BINARY, mask.shape, encode(mask))
    patch(path, 30, "dim", 2**62, 2**62, 2**62)
    with refused(FileFormatError, path, "damaged"):
        read_aim(path)


@pytest.mark.parametrize("frame", [(-1, 0, 0), (0, 5, 0), (0, 0, 2**30)])
def test_an_impossible_frame_is_refused(path, version, mask, refused, frame, build):
    build(path, version, BINARY, mask.shape, encode(mask), frame)
    with refused(FileFormatError, path, "frame"):
        read_aim(path)


def test_a_frame_that_is_all_of_the_image_is_refused_before_allocating(
    path, version, refused, allocates_less_than, build
):
    build(path, version, BINARY, (2001,) * 3, bytes([0, 127, 1]), (1000,) * 3)
    with allocates_less_than(1 << 17), refused(FileFormatError, path, "frame"):
        read_aim(path)


@pytest.mark.parametrize("length", [-1, 0, 3, 9, 10**6])
def test_a_stream_whose_own_length_is_wrong_is_refused(
    path, version, mask, refused, length, build, at
):
    build(path, version, BINARY, mask.shape, encode(mask))
    where = at(version)
    with open(path, "r+b") as file:
        file.seek(where.log + len(LOG))
        file.write(struct.pack(f"<{where.code}", length))
    with refused(FileFormatError, path, "damaged"):
        read_aim(path)


@pytest.mark.parametrize("size", [0, 2, 8])
def test_a_stream_shorter_than_its_length_is_refused(path, version, refused, size, build, at):
    build(path, version, CHAR, (1, 1, size or 1), bytes(size))
    with open(path, "r+b") as file:
        file.seek(at(version).type)
        file.write(struct.pack("<i", BINARY))
    with refused(FileFormatError, path, "damaged"):
        read_aim(path)


@pytest.mark.parametrize("stored", ["ff7fffff", "00000000", "80c00000", "ffff0000"])
def test_an_impossible_element_size_is_refused_in_version_020(path, labels, refused, stored, build):
    build(path, 20, CHAR, labels.shape, labels.tobytes())
    with open(path, "r+b") as file:
        file.seek(132)
        file.write(bytes.fromhex(stored))
    with refused(FileFormatError, path, "damaged"):
        read_aim(path)


@pytest.mark.parametrize("nm", [0, -82000, 2**62])
def test_an_impossible_element_size_is_refused_in_version_030(
    path, labels, refused, nm, build, patch
):
    build(path, 30, CHAR, labels.shape, labels.tobytes())
    patch(path, 30, "element", 82000, nm, 82000)
    with refused(FileFormatError, path, "damaged"):
        read_aim(path)
