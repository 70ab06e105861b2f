"""The blocks between an ISQ's header and its voxels, and what else its header says."""

import struct

import itk
import numpy as np
import py_aimio
import pytest

from napari_vbmd.calibration import Calibration
from napari_vbmd.errors import FileFormatError
from napari_vbmd.io.isq import read_isq, write_isq
from napari_vbmd.io.isq_header import named_blocks, read_header

BLOCK = 512


@pytest.fixture
def isq(tmp_path, calibration):
    file = tmp_path / "HAND.ISQ"
    voxels = np.random.default_rng(0).integers(-1000, 20000, (6, 8, 10), np.int16)
    write_isq(file, voxels, (0.082,) * 3, calibration, "Doe")
    return file


def with_blocks(file, before=(), after=(), title=b"MultiHeader"):
    """Put other blocks of (name, blocks of 512) around the Calibration block."""
    data = file.read_bytes()
    calibration, voxels = data[1536:2560], data[2560:]
    directory, blocks = bytearray(BLOCK), b""
    entries = [(n, s, bytes([i + 1]) * s * BLOCK) for i, (n, s) in enumerate(before)]
    entries += [("Calibration", 2, calibration)]
    entries += [(n, s, b"\xff" * s * BLOCK) for n, s in after]
    for i, (name, size, block) in enumerate(entries):
        directory[128 * i + 8 : 128 * i + 24] = name.ljust(16).encode()
        struct.pack_into("<i", directory, 128 * i + 24, size)
        blocks += block
    first = bytearray(BLOCK)
    first[8 : 8 + len(title)] = title
    extended = (bytes(first) if title else b"") + bytes(directory) + blocks
    head = bytearray(data[:BLOCK])
    struct.pack_into("<i", head, 508, len(extended) // BLOCK)
    file.write_bytes(bytes(head) + extended + voxels)
    return np.frombuffer(voxels, "<i2").reshape(6, 8, 10)


@pytest.mark.parametrize("before", [(), (("Beamhardening", 1),), (("First", 3), ("Second", 2))])
@pytest.mark.parametrize("after", [(), (("Last", 1),)])
def test_the_calibration_is_found_among_other_blocks(isq, calibration, before, after):
    voxels = with_blocks(isq, before, after)
    scan, theirs = read_isq(isq), py_aimio.isq_info(str(isq))
    np.testing.assert_array_equal(scan.voxels, voxels)
    ours = scan.calibration
    assert (ours.density_slope, ours.density_intercept, ours.mu_water_per_cm) == (
        calibration.density_slope,
        calibration.density_intercept,
        calibration.mu_water_per_cm,
    )
    right = theirs["rescale_slope"] == pytest.approx(calibration.density_slope)
    assert right == (not before), "aimio takes the directory's entry for the block itself"


def test_itk_finds_the_calibration_that_we_write(isq, calibration):
    image = itk.imread(str(isq), itk.SS)
    hu = read_isq(isq).transform("hu")(read_isq(isq).voxels.astype(float))
    assert np.abs(itk.array_from_image(image) - hu).max() < 1.0


def test_a_directory_may_come_without_a_multiheader(isq, calibration):
    with_blocks(isq, title=b"")
    assert read_isq(isq).calibration.density_slope == calibration.density_slope


def test_blocks_are_named(isq):
    with_blocks(isq, (("First", 3),), (("Last", 1),))
    blocks = read_header(isq).blocks
    assert list(blocks) == ["First", "Calibration", "Last"]
    assert blocks["First"] == b"\1" * 3 * BLOCK
    assert blocks["Last"] == b"\xff" * BLOCK


@pytest.mark.parametrize("size", [0, -1, -(2**31)])
def test_an_entry_of_no_size_ends_the_directory(isq, size):
    with_blocks(isq, (("First", 1),))
    with open(isq, "r+b") as file:
        file.seek(1024 + 24)
        file.write(struct.pack("<i", size))
    calibration = read_isq(isq).calibration
    assert calibration.problem == "the ISQ carries mu_scaling only"


def test_a_block_that_lies_outside_the_header_is_no_calibration(isq):
    with_blocks(isq, (("First", 1),))
    with open(isq, "r+b") as file:
        file.seek(1024 + 24)
        file.write(struct.pack("<i", 2**31 // BLOCK - 1))
    assert read_isq(isq).calibration == Calibration(
        8192.0, source="ISQ header", problem="the ISQ's Calibration block is cut short"
    )


@pytest.mark.parametrize("extended", [b"", bytes(512), b"\xff" * 4096])
def test_what_is_no_directory_has_no_blocks(extended):
    assert named_blocks(extended) == {}


def test_the_first_slice_and_the_site_are_kept(isq):
    with open(isq, "r+b") as file:
        file.seek(76)
        file.write(struct.pack("<i", -12345))
        file.seek(116)
        file.write(struct.pack("<i", 20))
    scan, theirs = read_isq(isq), py_aimio.isq_info(str(isq))
    assert scan.header["Position Slice 1 [um]"] == theirs["slice_1_pos_um"] == -12345
    assert scan.header["Site"] == theirs["site"] == 20
    assert scan.grid.position == (0, 0, 0), "a position counts voxels from this scan's first"


def test_the_date_is_the_one_that_the_real_aim_has_in_its_log(real_data):
    from napari_vbmd.io.aim import read_aim

    dates = [
        read(real_data / name).header["Original Creation-Date"]
        for read, name in ((read_isq, "test_isq.ISQ"), (read_aim, "test_aim.AIM"))
    ]
    assert dates == ["19-FEB-1912 17:38:39.67"] * 2


@pytest.mark.parametrize("ticks", [0, -1, 2**63 - 1])
def test_an_impossible_date_is_left_empty(isq, ticks):
    with open(isq, "r+b") as file:
        file.seek(36)
        file.write(struct.pack("<q", ticks))
    assert read_isq(isq).header["Original Creation-Date"] == ""


@pytest.mark.parametrize(("kind", "name"), [(6, "contour file"), (9, "scout radiograph")])
def test_another_kind_of_file_with_the_same_magic_is_named(isq, refused, kind, name):
    with open(isq, "r+b") as file:
        file.seek(16)
        file.write(struct.pack("<i", kind))
    with refused(FileFormatError, isq, f"not an ISQ but a {name}"):
        read_isq(isq)
