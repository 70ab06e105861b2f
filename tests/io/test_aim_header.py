"""What an AIM says before its voxels."""

import struct

import py_aimio
import pytest

from napari_vbmd.errors import FileFormatError
from napari_vbmd.io.aim import read_aim
from napari_vbmd.io.aim_header import read_header

CHAR = 0x10001
EXTENTS = ("offset", "supdim", "suppos", "subdim", "testoff")


def set_extents(path, version):
    """Give the five triples the numbers 1 to 15, in the file's order."""
    code, start = ("q", 120) if version == 30 else ("i", 68)
    with open(path, "r+b") as file:
        file.seek(start)
        file.write(struct.pack(f"<15{code}", *range(1, 16)))


def test_the_extents_are_kept_as_aimio_reads_them(path, version, build, labels):
    set_extents(build(path, version, CHAR, labels.shape, labels.tobytes()), version)
    theirs = py_aimio.aim_info(str(path))
    header = read_header(path)
    for i, name in enumerate(EXTENTS):
        first = 3 * i + 1
        assert header.extents[name] == (first + 2, first + 1, first)
        if name in theirs:
            assert theirs[name] == (first, first + 1, first + 2)
    assert read_aim(path).header["AIM subdim (x y z)"] == "10 11 12"


def test_extents_of_zero_are_not_shown(path, version, build, labels):
    scan = read_aim(build(path, version, CHAR, labels.shape, labels.tobytes()))
    assert not [key for key in scan.header if "(x y z)" in key]


@pytest.mark.parametrize(("size", "older"), [(92, "010"), (96, "011")])
@pytest.mark.parametrize("first", [16, 20])
def test_an_older_version_is_named(path, refused, size, older, first):
    path.write_bytes(struct.pack("<5i", first, size, 0, 8, 0) + bytes(200))
    with refused(FileFormatError, path, f"version {older} cannot be read; write it again as"):
        read_header(path)


@pytest.mark.parametrize(("magic", "name"), [(b"AIMDATA_V040   \0", "040"), (b"AIMDATA_V", "")])
def test_a_newer_version_is_named(path, refused, magic, name):
    path.write_bytes(magic + bytes(400))
    with refused(FileFormatError, path, f"but {name or 'without one'}: damaged, or newer"):
        read_header(path)


def test_bytes_behind_the_voxels_are_no_obstacle(path, version, build, labels):
    build(path, version, CHAR, labels.shape, labels.tobytes())
    with open(path, "ab") as file:
        file.write(bytes(300))  # the scanner fills its last block of 512
    assert (read_aim(path).voxels == labels).all()
