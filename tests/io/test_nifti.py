import gzip
import struct

import numpy as np
import pytest
import SimpleITK as sitk

from napari_vbmd.errors import FileFormatError
from napari_vbmd.io.nifti import check_whole

SHAPE = (5, 20, 30)


@pytest.fixture(params=[".nii", ".nii.gz"])
def nifti(request, tmp_path):
    path = tmp_path / f"scan{request.param}"
    voxels = np.random.default_rng(0).integers(-1000, 1000, SHAPE, np.int16)
    sitk.WriteImage(sitk.GetImageFromArray(voxels), str(path))
    return path


def version_2(order: str, dims, bits=16, start=544, sizes=(0.1, 0.2, 0.3)) -> bytes:
    head = bytearray(start)
    struct.pack_into(f"{order}i", head, 0, 540)
    struct.pack_into(f"{order}h", head, 14, bits)
    struct.pack_into(f"{order}8q", head, 16, *dims)
    struct.pack_into(f"{order}3d", head, 112, *sizes)
    struct.pack_into(f"{order}q", head, 168, start)
    return bytes(head)


def version_1(order: str, dims, bits=16, start=352.0, sizes=(0.1, 0.2, 0.3)) -> bytes:
    head = bytearray(352)
    struct.pack_into(f"{order}i", head, 0, 348)
    struct.pack_into(f"{order}8h", head, 40, *dims)
    struct.pack_into(f"{order}h", head, 72, bits)
    struct.pack_into(f"{order}3f", head, 80, *sizes)
    struct.pack_into(f"{order}f", head, 108, start)
    return bytes(head)


DIMS = (3, 30, 20, 5, 1, 1, 1, 1)


def test_a_whole_file_passes(nifti):
    check_whole(nifti)


def test_bytes_after_the_voxels_are_allowed(nifti):
    data = nifti.read_bytes()
    more = gzip.compress(b"more") if nifti.suffix == ".gz" else b"more"
    nifti.write_bytes(data + more)
    check_whole(nifti)


@pytest.mark.parametrize("missing", [1, 8, 100, 0.5])
def test_a_truncated_file_is_refused(nifti, refused, missing):
    data = nifti.read_bytes()
    cut = int(len(data) * missing) if missing < 1 else missing
    nifti.write_bytes(data[:-cut])
    with refused(FileFormatError, nifti, "truncated|damaged"):
        check_whole(nifti)


@pytest.mark.parametrize("size", [0, 1, 2, 18, 200])
def test_a_file_without_a_whole_header_is_refused(nifti, refused, size):
    nifti.write_bytes(nifti.read_bytes()[:size])
    with refused(FileFormatError, nifti):
        check_whole(nifti)


def test_a_flipped_bit_in_compressed_data_is_found(tmp_path, refused):
    path = tmp_path / "scan.nii.gz"
    data = bytearray(gzip.compress(version_1("<", DIMS) + np.random.default_rng(1).bytes(6000)))
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with refused(FileFormatError, path, "compressed data are damaged"):
        check_whole(path)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("version", [version_1, version_2])
def test_both_versions_and_byte_orders_are_understood(tmp_path, refused, version, order):
    path = tmp_path / "scan.nii"
    whole = version(order, DIMS) + bytes(6000)
    path.write_bytes(whole)
    check_whole(path)
    path.write_bytes(whole[:-1])
    with refused(FileFormatError, path, "truncated"):
        check_whole(path)


@pytest.mark.parametrize("order", ["<", ">"])
def test_sizes_that_overflow_are_refused(tmp_path, refused, order):
    path = tmp_path / "scan.nii"
    path.write_bytes(version_2(order, (3, 2**22, 2**21, 2**21, 1, 1, 1, 1)) + bytes(100))
    with refused(FileFormatError, path, "truncated"):
        check_whole(path)


@pytest.mark.parametrize("size", [0.0, float("nan"), float("inf")])
@pytest.mark.parametrize("version", [version_1, version_2])
def test_a_voxel_size_that_is_missing_is_not_taken_for_a_millimetre(
    tmp_path, refused, version, size
):
    path = tmp_path / "scan.nii"
    path.write_bytes(version("<", DIMS, sizes=(0.1, size, 0.1)) + bytes(6000))
    with refused(FileFormatError, path, "voxel size"):
        check_whole(path)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e30])
@pytest.mark.parametrize("at", [256, 268, 300, 324])
def test_axes_at_which_the_library_would_not_return_are_refused(tmp_path, refused, at, value):
    path = tmp_path / "scan.nii"
    header = bytearray(version_1("<", DIMS))
    struct.pack_into("<f", header, at, value)
    path.write_bytes(header + bytes(6000))
    with refused(FileFormatError, path, "axes are not numbers"):
        check_whole(path)


def test_a_negative_voxel_size_is_the_sign_of_a_direction(tmp_path):
    path = tmp_path / "scan.nii"
    path.write_bytes(version_1("<", DIMS, sizes=(-0.1, 0.1, 0.1)) + bytes(6000))
    check_whole(path)


@pytest.mark.parametrize(
    "header",
    [
        version_1("<", (0, *DIMS[1:])),
        version_1("<", (-1, *DIMS[1:])),
        version_1("<", (8, *DIMS[1:])),
        version_1("<", DIMS, bits=0),
        version_1("<", DIMS, start=float("nan")),
        version_1("<", DIMS, start=-1.0),
        version_1("<", DIMS, start=1e30),
        b"no header at all " * 100,
    ],
)
def test_an_impossible_header_is_refused(tmp_path, refused, header):
    path = tmp_path / "scan.nii"
    path.write_bytes(header + bytes(6000))
    with refused(FileFormatError, path, "header is damaged"):
        check_whole(path)


def save(path, data):
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def header_of_floats(version, order, dtype):
    header = bytearray(version(order, DIMS, bits=8 * np.dtype(dtype).itemsize))
    kind = 16 if np.dtype(dtype).itemsize == 4 else 64
    struct.pack_into(f"{order}h", header, 70 if version is version_1 else 12, kind)
    return bytes(header)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("version", [version_1, version_2])
def test_voxels_that_are_not_finite_are_counted_and_refused(
    tmp_path, refused, version, dtype, order, suffix
):
    header = header_of_floats(version, order, dtype)
    voxels = np.random.default_rng(2).normal(size=3000).astype(f"{order}{dtype}")
    path = save(tmp_path / f"scan{suffix}", header + voxels.tobytes() + b"\xff" * 64)
    check_whole(path)
    voxels[[0, 1500, 2999]] = np.nan, np.inf, -np.inf
    save(path, header + voxels.tobytes())
    with refused(FileFormatError, path, "3 of its voxels are not finite numbers .*save it again"):
        check_whole(path)


def test_not_finite_is_found_behind_the_first_block(tmp_path, refused):
    voxels = np.zeros((64, 80, 90), np.float32)
    voxels[-1, -1, -1] = np.nan
    path = tmp_path / "scan.nii.gz"
    sitk.WriteImage(sitk.GetImageFromArray(voxels), str(path))
    with refused(FileFormatError, path, "1 of its voxels"):
        check_whole(path)


def test_the_bytes_of_whole_numbers_may_look_like_anything(tmp_path):
    check_whole(save(tmp_path / "scan.nii", version_1("<", DIMS) + b"\xff" * 6000))
