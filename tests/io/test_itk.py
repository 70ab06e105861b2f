import gzip

import numpy as np
import pytest
import SimpleITK as sitk

from napari_vbmd.calibration import Calibration
from napari_vbmd.errors import FileFormatError, ParameterError, WriteError
from napari_vbmd.grid import Grid
from napari_vbmd.io.itk import SUFFIXES, WRITABLE, read_itk, scan_of, write_itk_mask

NAMES = {".nii.gz": "NIfTI", ".nii": "NIfTI", ".nrrd": "NRRD", ".mha": "MetaImage"}
# axes permuted and flipped, in the order x, y, z of SimpleITK
STRAIGHT = {
    "flipped x and y": (-1, 0, 0, 0, -1, 0, 0, 0, 1),
    "flipped z and x": (-1, 0, 0, 0, 1, 0, 0, 0, -1),
    "turned": (0, -1, 0, 1, 0, 0, 0, 0, 1),
    "permuted": (0, 0, 1, 1, 0, 0, 0, 1, 0),
    "permuted and flipped": (0, 0, -1, 0, 1, 0, 1, 0, 0),
}


@pytest.fixture(params=WRITABLE)
def suffix(request):
    return request.param


@pytest.fixture
def voxels():
    return np.random.default_rng(0).integers(-1000, 3000, (4, 5, 6), np.int16)


@pytest.fixture
def image(voxels):
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing((0.1, 0.2, 0.4))
    image.SetOrigin((3.0, -2.0, 1.0))
    return image


def save(image, path, compressed=True):
    sitk.WriteImage(image, str(path), useCompression=compressed)
    return path


# reading


def test_a_volume_is_read_with_its_geometry(tmp_path, image, voxels, suffix):
    scan = read_itk(save(image, tmp_path / f"scan{suffix}"))
    np.testing.assert_array_equal(scan.voxels, voxels)
    assert scan.voxels.dtype == np.int16
    assert scan.grid.spacing_mm == pytest.approx((0.4, 0.2, 0.1))
    assert scan.grid.origin_mm == pytest.approx((1.0, -2.0, 3.0))
    assert (scan.format, scan.unit, scan.side) == (NAMES[suffix], "native", "unknown")
    assert scan.calibration == Calibration(), "these formats carry none"


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int32, np.float32, np.float64])
def test_voxels_keep_their_type(tmp_path, suffix, dtype):
    voxels = np.arange(24).reshape(2, 3, 4).astype(dtype)
    scan = read_itk(save(sitk.GetImageFromArray(voxels), tmp_path / f"scan{suffix}"))
    assert scan.voxels.dtype == dtype
    np.testing.assert_array_equal(scan.voxels, voxels)


@pytest.mark.parametrize("suffix", [".mhd", ".nhdr"])
def test_a_header_with_its_voxels_in_another_file_is_read(tmp_path, image, voxels, suffix):
    scan = read_itk(save(image, tmp_path / f"scan{suffix}", compressed=False))
    np.testing.assert_array_equal(scan.voxels, voxels)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_ending_may_be_in_upper_case(tmp_path, image, voxels, suffix):
    path = save(image, tmp_path / f"scan{suffix}").rename(tmp_path / f"SCAN{suffix.upper()}")
    np.testing.assert_array_equal(read_itk(path).voxels, voxels)


def test_a_name_with_blanks_and_accents_is_read(tmp_path, image, voxels, suffix):
    path = save(image, tmp_path / f"Müller, 2. Hand{suffix}")
    np.testing.assert_array_equal(read_itk(path).voxels, voxels)


def test_a_fourth_axis_of_one_is_no_obstacle_in_nifti(tmp_path, image, voxels):
    scan = read_itk(save(sitk.JoinSeries([image]), tmp_path / "scan.nii"))
    np.testing.assert_array_equal(scan.voxels, voxels)


# directions


@pytest.mark.parametrize("direction", STRAIGHT.values(), ids=STRAIGHT)
def test_straight_axes_in_another_order_are_put_right_without_loss(
    tmp_path, image, suffix, direction
):
    image.SetDirection(direction)
    scan = read_itk(save(image, tmp_path / f"scan{suffix}"))
    assert sorted(scan.voxels.ravel()) == sorted(sitk.GetArrayViewFromImage(image).ravel())
    spacing, origin = np.array(scan.grid.spacing_mm), np.array(scan.grid.origin_mm)
    for index in ((0, 0, 0), (5, 4, 3), (1, 2, 3), (4, 0, 2)):
        point = np.array(image.TransformIndexToPhysicalPoint(index))[::-1]
        ours = (point - origin) / spacing
        np.testing.assert_allclose(ours, np.rint(ours), atol=1e-4)
        assert scan.voxels[tuple(np.rint(ours).astype(int))] == image[index]


@pytest.mark.parametrize("degrees", [1, 10, 45])
def test_oblique_axes_are_refused(tmp_path, image, suffix, refused, degrees):
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    image.SetDirection((c, -s, 0, s, c, 0, 0, 0, 1))
    path = save(image, tmp_path / f"scan{suffix}")
    with refused(FileFormatError, path, "oblique"):
        read_itk(path)


# positions


@pytest.mark.parametrize("position", [(0, 0, 0), (1000, -20, 7), (1535, 1535, 300), (-1, -2, -3)])
def test_a_whole_position_returns_whole(tmp_path, mask, suffix, position):
    path = tmp_path / f"mask{suffix}"
    write_itk_mask(path, mask, Grid(mask.shape, (0.0607, 0.083, 0.082), position))
    assert read_itk(path).grid.position == position


@pytest.mark.parametrize("position", [(0.5, 0.25, -3.3), (1000.02, 0, 0)])
def test_a_position_between_voxels_returns_as_it_was(tmp_path, mask, suffix, position):
    path, grid = tmp_path / f"mask{suffix}", Grid(mask.shape, (0.0607, 0.083, 0.082), position)
    write_itk_mask(path, mask, grid)
    assert read_itk(path).grid.position == pytest.approx(position, abs=1e-4)
    assert read_itk(path).grid.same_as(grid)


# writing


def test_a_written_mask_returns(tmp_path, mask, grid, suffix):
    path = tmp_path / f"mask{suffix}"
    write_itk_mask(path, mask, grid)
    scan = read_itk(path)
    assert scan.voxels.dtype == np.uint8
    np.testing.assert_array_equal(scan.voxels, mask)
    assert scan.grid.position == grid.position
    assert scan.grid.same_as(grid)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_simpleitk_finds_the_written_mask_where_it_lies(tmp_path, mask, grid, suffix):
    path = tmp_path / f"mask{suffix}"
    write_itk_mask(path, mask, grid)
    image = sitk.ReadImage(str(path))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), mask)
    first = image.TransformIndexToPhysicalPoint((0, 0, 0))
    np.testing.assert_allclose(first, grid.origin_mm[::-1], rtol=1e-6)


def test_labels_up_to_255_are_written(tmp_path, grid, suffix):
    labels = np.random.default_rng(1).integers(0, 256, grid.shape, np.uint8)
    write_itk_mask(tmp_path / f"mask{suffix}", labels, grid)
    np.testing.assert_array_equal(read_itk(tmp_path / f"mask{suffix}").voxels, labels)


def test_a_folder_that_is_missing_is_refused(tmp_path, mask, grid, suffix, refused):
    path = tmp_path / "absent" / f"mask{suffix}"
    with refused(WriteError, path):
        write_itk_mask(path, mask, grid)
    assert not path.parent.exists()


def test_a_file_that_does_not_hold_what_was_written_is_refused(
    tmp_path, mask, grid, suffix, refused, monkeypatch
):
    path = tmp_path / f"mask{suffix}"
    write = sitk.WriteImage
    monkeypatch.setattr(sitk, "WriteImage", lambda image, *a, **k: write(image * 0, *a, **k))
    with refused(WriteError, path, "could not be written whole"):
        write_itk_mask(path, mask, grid)
    assert list(tmp_path.iterdir()) == []


def test_an_ending_that_cannot_be_written_is_refused(tmp_path, mask, grid, refused):
    with refused(ParameterError, tmp_path / "mask.tif"):
        write_itk_mask(tmp_path / "mask.tif", mask, grid)


# damaged and foreign files


def test_colours_are_refused(tmp_path, image, suffix, refused):
    path = save(sitk.Compose(image, image, image), tmp_path / f"scan{suffix}")
    with refused(FileFormatError, path, "vector of 16-bit signed integer"):
        read_itk(path)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".mha"])
def test_a_single_slice_is_refused(tmp_path, image, refused, suffix):
    path = save(image[:, :, 0], tmp_path / f"scan{suffix}")
    with refused(FileFormatError, path, "2 dimensions"):
        read_itk(path)


def test_a_time_series_is_refused(tmp_path, image, suffix, refused):
    path = save(sitk.JoinSeries([image, image]), tmp_path / f"scan{suffix}")
    with refused(FileFormatError, path, "4 dimensions"):
        read_itk(path)


@pytest.mark.parametrize("suffix", [".nii", ".mha"])
def test_complex_numbers_are_refused(tmp_path, voxels, refused, suffix):
    image = sitk.GetImageFromArray(voxels.astype(np.complex64))
    path = save(image, tmp_path / f"scan{suffix}")
    with refused(FileFormatError, path):
        read_itk(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("data", [b"", b"\0", b"no image\n" * 99, bytes(range(256)) * 20])
def test_what_is_no_image_is_refused_and_the_library_prints_nothing(
    tmp_path, suffix, data, refused, capfd
):
    path = tmp_path / f"scan{suffix}"
    path.write_bytes(data)
    with refused(FileFormatError, path):
        read_itk(path)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(tmp_path, suffix, share, compressed, refused, capfd):
    noise = np.random.default_rng(2).integers(-1000, 1000, (9, 40, 50), np.int16)
    path = save(sitk.GetImageFromArray(noise), tmp_path / f"scan{suffix}", compressed)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with refused(FileFormatError, path):
        read_itk(path)
    assert capfd.readouterr().err == ""


def test_a_damaged_gzip_stream_is_refused_in_nifti(tmp_path, image, refused):
    path = save(image, tmp_path / "scan.nii.gz")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    with refused(FileFormatError, path, "compressed data are damaged"):
        read_itk(path)


SPACE_DIRECTIONS = b"space directions: (1,0,0) (0,1,0) (0,0,1)\n"


def text_header(suffix: str, size: int, encoding: str) -> bytes:
    if suffix == ".nrrd":
        return (
            "NRRD0004\ntype: short\ndimension: 3\nspace: left-posterior-superior\n"
            f"sizes: {size} {size} {size}\nspace directions: (1,0,0) (0,1,0) (0,0,1)\n"
            f"kinds: domain domain domain\nendian: little\nencoding: {encoding}\n"
            "space origin: (0,0,0)\n\n"
        ).encode()
    return (
        "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\n"
        f"CompressedData = {encoding == 'gzip'}\nElementSpacing = 1 1 1\n"
        f"DimSize = {size} {size} {size}\nElementType = MET_SHORT\nElementDataFile = LOCAL\n"
    ).encode()


@pytest.mark.parametrize("encoding", ["raw", "gzip"])
@pytest.mark.parametrize("size", [1000, 2**21])
@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
def test_a_header_that_claims_more_than_its_file_holds_is_refused_before_allocating(
    tmp_path, suffix, size, encoding, refused, monkeypatch
):
    path = tmp_path / f"scan{suffix}"
    voxels = gzip.compress(b"abc") if encoding == "gzip" else b"abc"
    path.write_bytes(text_header(suffix, size, encoding) + voxels)

    def execute(self):
        raise AssertionError("the library was asked for the voxels")

    monkeypatch.setattr(sitk.ImageFileReader, "Execute", execute)
    with refused(FileFormatError, path, "truncated"):
        read_itk(path)


@pytest.mark.parametrize(
    ("suffix", "line"),
    [
        (".mha", b""),
        (".mha", b"elementspacing = 1 1 1\n"),  # the library looks at the letters' case
        (".nrrd", b""),
        (".nrrd", b"spacings: 0.1 0.1 nan\n"),
        (".nrrd", b"space directions: (1,0,0) none (0,0,1)\n"),
        (".nrrd", b"thicknesses: 0.1 0.1 0.1\n"),
    ],
)
def test_a_voxel_size_that_is_missing_is_not_taken_for_a_millimetre(
    tmp_path, refused, suffix, line
):
    path = tmp_path / f"scan{suffix}"
    header = text_header(suffix, 1, "raw")
    size = b"ElementSpacing = 1 1 1\n" if suffix == ".mha" else SPACE_DIRECTIONS
    assert size in header
    voxels = b"\nspacings: 1 1 1\nElementSpacing = 1 1 1\n"  # not in the header
    path.write_bytes(header.replace(size, line) + voxels)
    with refused(FileFormatError, path, "lacks the voxel size|damaged"):
        read_itk(path)


@pytest.mark.parametrize("line", [b"ElementSize = 1 1 2\n", b"ElementSpacing = 1 1 2\n"])
def test_either_word_for_the_voxel_size_of_a_metaimage_is_read(tmp_path, line):
    path = tmp_path / "scan.mha"
    header = text_header(".mha", 1, "raw").replace(b"ElementSpacing = 1 1 1\n", line)
    path.write_bytes(header + b"ab")
    assert read_itk(path).grid.spacing_mm == (2, 1, 1)


@pytest.mark.parametrize("spacing", [b"1 0 1", b"nan 1 1", b"1 inf 1"])
def test_an_impossible_spacing_is_refused(tmp_path, refused, spacing):
    path = tmp_path / "scan.mha"
    header = text_header(".mha", 1, "raw")
    path.write_bytes(header.replace(b"Spacing = 1 1 1", b"Spacing = " + spacing) + b"ab")
    with refused(FileFormatError, path, "spacing"):
        read_itk(path)


@pytest.mark.parametrize(
    ("line", "damaged"),
    [
        (b"NDims = 3", b"NDims = -3"),
        (b"NDims = 3", b"NDims = 0"),
        (b"NDims = 3", b"NDims"),
        (b"LOCAL\n", b"LOCAL\xf8\x05"),
        (b"LOCAL\n", b""),
    ],
)
def test_a_header_at_which_the_library_would_crash_is_refused(tmp_path, refused, line, damaged):
    path = tmp_path / "scan.mha"
    path.write_bytes(text_header(".mha", 2, "raw").replace(line, damaged) + bytes(16))
    with refused(FileFormatError, path, "not a MetaImage file"):
        read_itk(path)


def test_line_ends_of_windows_are_understood(tmp_path):
    path = tmp_path / "scan.mha"
    path.write_bytes(text_header(".mha", 2, "raw").replace(b"\n", b"\r\n") + bytes(16))
    assert not read_itk(path).voxels.any()


@pytest.mark.parametrize("origin", [float("nan"), float("inf")])
def test_an_origin_that_is_not_finite_is_refused(tmp_path, image, origin):
    image.SetOrigin((0.0, origin, 0.0))
    with pytest.raises(ParameterError, match="position"):
        scan_of(image, tmp_path / "scan.mha", "native", "MetaImage")


def test_the_real_scan_and_its_mask_are_read(real_joint):
    scan, mask = real_joint
    assert scan.voxels.shape == (168, 426, 422)
    assert scan.voxels.dtype == np.int16
    assert scan.grid.spacing_mm == pytest.approx((0.0607,) * 3, rel=1e-3)
    assert mask.grid.position == (0, 1, 1)
    assert set(np.unique(mask.voxels)) == {0, 1}, "stored as 127"


@pytest.mark.parametrize("dims", ["1e99 6 5", "7 -1 5", "2000000000 2000000000 5"])
@pytest.mark.parametrize("compressed", [True, False])
def test_a_metaimage_that_claims_too_much_is_refused_before_memory_is_set_aside(
    tmp_path, refused, dims, compressed
):
    file = tmp_path / "a.mha"
    image = sitk.GetImageFromArray(np.ones((5, 6, 7), np.int16))
    sitk.WriteImage(image, str(file), useCompression=compressed)
    file.write_bytes(file.read_bytes().replace(b"DimSize = 7 6 5", b"DimSize = " + dims.encode()))
    with refused(FileFormatError, file, "truncated"):
        read_itk(file)
