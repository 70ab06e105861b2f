import json
import subprocess
import sys

import numpy as np
import pytest
import SimpleITK as sitk

from napari_vbmd.errors import FileFormatError, ParameterError, VbmdError, WriteError
from napari_vbmd.grid import Grid
from napari_vbmd.io.aim_write import write_aim_mask, write_aim_scan
from napari_vbmd.io.files import (
    MASK_SUFFIXES,
    READABLE,
    check_mask_path,
    read_mask,
    read_scan,
    suffix_of,
    write_mask,
)
from napari_vbmd.io.isq import write_isq
from napari_vbmd.scan import Mask, Scan

SPACING = (0.082, 0.082, 0.082)


@pytest.fixture(params=MASK_SUFFIXES)
def suffix(request):
    return request.param


@pytest.fixture
def voxels():
    return np.random.default_rng(0).integers(-1000, 20000, (4, 5, 6), np.int16)


@pytest.fixture
def isq(tmp_path, voxels, calibration):
    write_isq(tmp_path / "HAND.ISQ", voxels, SPACING, calibration)
    return tmp_path / "HAND.ISQ"


def save(path, voxels):
    sitk.WriteImage(sitk.GetImageFromArray(voxels), str(path))
    return path


def write_series(folder):
    folder.mkdir()
    for z in range(3):
        image = sitk.Image(4, 3, 1, sitk.sitkInt16) + z
        image.SetSpacing((0.1, 0.1, 0.1))
        tags = {
            "0020|000e": "1.2.3",
            "0020|0032": f"0\\0\\{z / 10}",
            "0020|0037": "1\\0\\0\\0\\1\\0",
            "0020|0013": str(z),
        }
        for key, value in tags.items():
            image.SetMetaData(key, value)
        writer = sitk.ImageFileWriter()
        writer.KeepOriginalImageUIDOn()
        writer.SetFileName(str(folder / f"{z}.dcm"))
        writer.Execute(image)
    return folder


# endings


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("HAND.ISQ", ".isq"),
        ("HAND.ISQ;1", ".isq"),
        ("hand_seg.aim;12", ".aim"),
        ("HAND.DCM;1", ".dcm"),
        ("RAW.RSQ;3", ".rsq"),
        ("HAND.ISQ;", ".isq"),  # OpenVMS writes so where it means the latest
        ("scan.nii.gz", ".nii.gz"),
        ("SCAN.NII.GZ", ".nii.gz"),
        ("scan.2.nii", ".nii"),
        ("scan.nii;1", ".nii;1"),  # the version is a habit of the scanner's computer
        ("scan.isq.gz", ".gz"),
        ("scan", ""),
        (".aim", ""),
    ],
)
def test_the_ending_is_in_lower_case_and_without_the_scanners_version(tmp_path, name, suffix):
    assert suffix_of(name) == suffix_of(tmp_path / name) == suffix


def test_every_format_that_is_written_is_also_read():
    assert set(MASK_SUFFIXES) < set(READABLE)


# reading scans


@pytest.mark.parametrize("name", ["hand.isq", "HAND.ISQ;1", "Hand.Isq;37", "Hand 2, Müller.ISQ"])
def test_a_scanners_file_is_found_by_its_ending_whatever_its_version(isq, voxels, name):
    scan = read_scan(isq.rename(isq.with_name(name)))
    np.testing.assert_array_equal(scan.voxels, voxels)
    assert scan.name == name


def test_a_path_may_be_a_string(isq):
    assert read_scan(str(isq)).path == isq


def test_an_aim_is_read_as_a_scan(tmp_path, voxels, calibration):
    path = tmp_path / "HAND.AIM;1"
    write_aim_scan(path, Scan(voxels, "native", Grid(voxels.shape, SPACING), calibration))
    scan = read_scan(path)
    np.testing.assert_array_equal(scan.voxels, voxels)
    assert scan.is_calibrated


def test_a_folder_or_one_of_its_slices_is_the_whole_series(tmp_path):
    folder = write_series(tmp_path / "series")
    whole, by_slice = read_scan(folder), read_scan(folder / "1.dcm")
    assert whole.grid.shape == (3, 3, 4)
    assert by_slice.path == folder
    np.testing.assert_array_equal(by_slice.voxels, whole.voxels)


@pytest.mark.parametrize("suffix", READABLE)
def test_an_empty_file_is_refused(tmp_path, suffix, refused):
    path = tmp_path / "folder" / f"scan{suffix}"
    path.parent.mkdir()
    path.touch()
    with refused(FileFormatError, path, "empty file; copy it again"):
        read_scan(path)


@pytest.mark.parametrize("suffix", READABLE)
def test_a_missing_file_is_refused(tmp_path, suffix, refused):
    path = tmp_path / f"absent{suffix}"
    with refused(FileFormatError, path, "no such file; check the name"):
        read_scan(path)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("RAW.RSQ", "raw projections"), ("raw.rsq;2", "raw projections"), ("S.RAD;1", "radiograph")],
)
def test_the_scanners_other_files_are_named(tmp_path, refused, name, kind):
    (tmp_path / name).write_bytes(b"CTDATA-HEADER_V1" + bytes(1000))
    with refused(FileFormatError, tmp_path / name, f"{kind}.*give the"):
        read_scan(tmp_path / name)


@pytest.mark.parametrize("name", ["scan.tif", "scan", "scan.isq.bak", "scan.mha;1"])
def test_an_unknown_ending_is_refused_with_those_that_are_known(tmp_path, refused, name):
    (tmp_path / name).touch()
    with refused(FileFormatError, tmp_path / name, r"unknown kind of file; use \.isq, .*\.nii\.gz"):
        read_scan(tmp_path / name)


def test_a_folder_without_slices_is_refused(tmp_path, refused):
    with refused(FileFormatError, tmp_path, "no DICOM series"):
        read_scan(tmp_path)


def test_a_path_below_a_file_is_refused(isq, refused):
    with refused(FileFormatError, isq / "more.isq"):
        read_scan(isq / "more.isq")


def test_a_name_that_is_too_long_is_refused(tmp_path, refused):
    path = tmp_path / f"{'x' * 300}.isq"
    with refused(FileFormatError, path, "cannot be opened"):
        read_scan(path)


def test_a_grid_that_cannot_be_is_refused_as_damage(tmp_path, refused, monkeypatch):
    path = save(tmp_path / "scan.mha", np.zeros((2, 2, 2), np.int16))
    monkeypatch.setattr(sitk.Image, "GetOrigin", lambda self: (0.0, float("nan"), 0.0))
    with refused(FileFormatError, path, "position"):
        read_scan(path)


def test_a_file_too_large_for_the_memory_is_refused(isq, refused, monkeypatch):
    def exhausted(path):
        raise MemoryError

    monkeypatch.setattr("napari_vbmd.io.files.read_isq", exhausted)
    with refused(FileFormatError, isq, "memory"):
        read_scan(isq)


@pytest.mark.parametrize("suffix", [s for s in READABLE if s != ".dcm"])
@pytest.mark.parametrize("seed", range(5))
def test_damage_to_a_header_is_harmless_or_one_clear_error(tmp_path, isq, mask, grid, suffix, seed):
    path = tmp_path / f"scan{suffix}"
    if suffix in MASK_SUFFIXES:
        write_mask(path, mask, grid)
    elif suffix == ".isq":
        isq.rename(path)
    else:
        sitk.WriteImage(sitk.GetImageFromArray(mask.astype(np.uint8)), str(path))
    whole, random = path.read_bytes(), np.random.default_rng(seed)
    for _ in range(20):
        data = bytearray(whole)
        for at in random.integers(0, min(len(data), 600), 4):
            data[at] = random.integers(256)
        path.write_bytes(data)
        message = path.name
        try:
            read_scan(path)
        except FileFormatError as error:
            message = str(error)
        assert path.name in message
        assert message.isprintable()


# reading masks


def test_the_scanners_127_becomes_1(tmp_path, mask, grid):
    path = tmp_path / "SEG.AIM"
    write_aim_mask(path, mask, grid)
    assert read_scan(path).voxels.max() == 127, "a scan stays as stored"
    read = read_mask(path)
    assert read.voxels.dtype == np.uint8
    np.testing.assert_array_equal(read.voxels, mask)
    assert (read.grid.position, read.path, read.format) == (grid.position, path, "AIM")


@pytest.mark.parametrize(
    "values", [(0,), (0, 1), (0, 2), (1, 127), (126, 0), (0, 3, 127), (0, 255)]
)
def test_other_labels_are_kept(tmp_path, values):
    labels = np.resize(np.array(values, np.uint8), (2, 3, 4))
    path = save(tmp_path / "mask.mha", labels)
    np.testing.assert_array_equal(read_mask(path).voxels, labels)


def test_127_beside_another_label_in_another_slice_is_kept(tmp_path):
    labels = np.zeros((3, 2, 2), np.uint8)
    labels[0], labels[2] = 127, 1
    np.testing.assert_array_equal(read_mask(save(tmp_path / "m.mha", labels)).voxels, labels)


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int16, np.int32, np.float32, np.float64])
def test_whole_labels_of_any_type_are_read(tmp_path, dtype):
    labels = np.arange(24).reshape(2, 3, 4).astype(dtype)
    read = read_mask(save(tmp_path / "mask.nrrd", labels)).voxels
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, labels)


@pytest.mark.parametrize("value", [-1, 256, -1000])
def test_what_are_no_labels_is_refused(tmp_path, refused, value):
    path = save(tmp_path / "mask.mha", np.array([[[0, 1, value]]] * 2, np.int16))
    with refused(FileFormatError, path, "not a mask: values from"):
        read_mask(path)


@pytest.mark.parametrize("value", [0.5, 1.25, 254.999])
def test_fractions_are_refused(tmp_path, refused, value):
    path = save(tmp_path / "mask.mha", np.array([[[0, 1, value]]], np.float32))
    with refused(FileFormatError, path, "fractions"):
        read_mask(path)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused(tmp_path, refused, value):
    path = save(tmp_path / "mask.mha", np.array([[[0, 1, value]]], np.float32))
    with refused(FileFormatError, path, "not a mask: values from"):
        read_mask(path)


def test_an_isq_is_no_mask(isq, refused):
    with refused(FileFormatError, isq, "an ISQ is a scan, not a mask"):
        read_mask(isq)


def test_a_scan_is_no_mask(tmp_path, voxels, refused):
    path = save(tmp_path / "scan.nii.gz", voxels)
    with refused(FileFormatError, path, "is this the scan?"):
        read_mask(path)


def test_the_real_scan_is_no_mask(real_data, refused):
    path = real_data / "GRAY_JOINT.nii.gz"
    with refused(FileFormatError, path, "is this the scan?"):
        read_mask(path)


def test_a_missing_mask_is_refused(tmp_path, refused):
    with refused(FileFormatError, tmp_path / "m.aim", "no such file"):
        read_mask(tmp_path / "m.aim")


# writing masks


@pytest.mark.parametrize("name", ["mask", "MASK", "Müller 2"])
def test_a_written_mask_returns_in_every_format(tmp_path, mask, grid, suffix, name):
    path = tmp_path / (f"{name}{suffix}" if name != "MASK" else f"{name}{suffix.upper()}")
    assert write_mask(str(path), mask, grid) == path
    read = read_mask(path)
    np.testing.assert_array_equal(read.voxels, mask)
    assert read.grid.position == grid.position
    assert read.grid.same_as(grid)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_several_labels_return_in_every_format(tmp_path, grid, suffix):
    labels = np.random.default_rng(1).integers(0, 128, grid.shape, np.uint8)
    write_mask(tmp_path / f"m{suffix}", labels, grid)
    np.testing.assert_array_equal(read_mask(tmp_path / f"m{suffix}").voxels, labels)


def test_a_mask_in_another_memory_order_returns(tmp_path, mask, grid, suffix):
    write_mask(tmp_path / f"m{suffix}", np.asfortranarray(mask), grid)
    np.testing.assert_array_equal(read_mask(tmp_path / f"m{suffix}").voxels, mask)


@pytest.mark.parametrize("suffix", MASK_SUFFIXES)
@pytest.mark.parametrize("labels", [1, 3])
def test_a_mask_on_a_box_is_written_as_on_the_whole_grid(tmp_path, grid, suffix, labels):
    box = tuple(slice(n // 3, n - 1) for n in grid.shape)
    whole = np.zeros(grid.shape, np.uint8)
    whole[box] = np.random.default_rng(0).integers(0, labels, whole[box].shape, endpoint=True)
    filled = write_mask(tmp_path / f"whole{suffix}", whole, grid, {"Site": 4})
    placed = write_mask(
        tmp_path / f"box{suffix}", Mask(whole[box], grid.box(box)), grid, {"Site": 4}
    )
    np.testing.assert_array_equal(read_mask(placed).voxels, whole)
    assert placed.read_bytes() == filled.read_bytes()


def test_what_of_a_mask_lies_beyond_the_grid_is_left_out(tmp_path, mask, grid):
    beyond = Grid(grid.shape, grid.spacing_mm, (grid.position[0] - 1, *grid.position[1:]))
    path = write_mask(tmp_path / "m.aim", Mask(mask.astype(np.uint8), beyond), grid)
    np.testing.assert_array_equal(read_mask(path).voxels[:-1], mask[1:])
    assert not read_mask(path).voxels[-1].any()


def test_the_log_goes_into_an_aim(tmp_path, mask, grid):
    path = write_mask(tmp_path / "m.aim;1", mask, grid, log={"Created by": "napari-vbmd"})
    assert read_mask(path).header["Created by"] == "napari-vbmd"


def test_a_mask_is_written_over_another(tmp_path, mask, grid, suffix):
    path = tmp_path / f"m{suffix}"
    write_mask(path, mask, grid)
    write_mask(path, ~mask, grid)
    np.testing.assert_array_equal(read_mask(path).voxels, ~mask)


def test_mask_and_grid_must_agree(tmp_path, mask, suffix, refused):
    path = tmp_path / f"m{suffix}"
    with refused(ParameterError, path, "differ"):
        write_mask(path, mask, Grid((7, 9, 10), SPACING))
    assert not path.exists()


@pytest.mark.parametrize("dtype", [np.int16, np.int64, np.float32, np.int8])
def test_an_array_that_is_no_mask_is_refused(tmp_path, mask, grid, suffix, refused, dtype):
    path = tmp_path / f"m{suffix}"
    with refused(ParameterError, path, "bool or uint8"):
        write_mask(path, mask.astype(dtype), grid)
    assert not path.exists()


@pytest.mark.parametrize(
    "name", ["m.isq", "m.tif", "m", "m.dcm", "m.mhd", "m.nhdr", "m.nii.gz;1", "m.mha;2"]
)
def test_an_ending_that_cannot_be_written_is_refused(tmp_path, mask, grid, refused, name):
    with refused(WriteError, tmp_path / name, r"a mask is written as \.aim"):
        write_mask(tmp_path / name, mask, grid)
    assert list(tmp_path.iterdir()) == []


# never over a scan


def refuses_to_write_over(path, mask, grid, refused, scan=None):
    before = path.read_bytes()
    with refused(WriteError, path):
        check_mask_path(path, scan)
    with refused(WriteError, path):
        write_mask(path, mask, grid, scan=scan)
    assert path.read_bytes() == before


def test_a_scan_is_never_written_over(tmp_path, voxels, mask, grid, suffix, refused):
    path = tmp_path / f"scan{suffix}"
    if suffix == ".aim":
        write_aim_scan(path, Scan(voxels, "native", Grid(voxels.shape, SPACING)))
    else:
        save(path, voxels)
    refuses_to_write_over(path, mask, grid, refused)


def test_a_scan_that_looks_like_a_mask_is_not_written_over(
    tmp_path, mask, grid, suffix, refused, voxels
):
    path, dark = tmp_path / f"scan{suffix}", np.zeros((4, 5, 6), np.int16)
    if suffix == ".aim":
        write_aim_scan(path, Scan(dark, "native", Grid(dark.shape, SPACING)))
    else:
        save(path, dark)
    refuses_to_write_over(path, mask, grid, refused)


def grey(first_slices=0):
    """A scan of 8 bits with 17 values, which begin behind some empty slices."""
    voxels = np.zeros((first_slices + 2, 5, 6), np.uint8)
    voxels[first_slices:] = np.resize(np.arange(17), (2, 5, 6))
    return voxels


@pytest.mark.parametrize("first_slices", [0, 3])
def test_a_scan_of_8_bits_is_not_written_over(
    tmp_path, mask, grid, suffix, refused, build, version, first_slices
):
    path, voxels = tmp_path / f"scan{suffix}", grey(first_slices)
    if suffix == ".aim":
        build(path, version, 0x10001, voxels.shape, voxels.tobytes())
    else:
        save(path, voxels)
    refuses_to_write_over(path, mask, grid, refused)


def test_a_mask_of_16_values_is_written_over(tmp_path, mask, grid, suffix):
    path = write_mask(tmp_path / f"m{suffix}", np.minimum(grey(), 15), Grid((2, 5, 6), SPACING))
    write_mask(path, mask, grid)
    np.testing.assert_array_equal(read_mask(path).voxels, mask)


def test_the_scan_itself_is_never_written_over_even_if_it_holds_bytes(
    tmp_path, mask, grid, suffix, refused, monkeypatch
):
    path = tmp_path / f"scan{suffix}"
    write_mask(path, mask, grid)
    scan = read_scan(path)
    refuses_to_write_over(path, mask, grid, refused, scan)
    monkeypatch.chdir(tmp_path)
    with refused(WriteError, path, "this is the scan itself"):
        write_mask(path.name, mask, grid, scan=scan)
    (tmp_path / f"link{suffix}").symlink_to(path)
    with refused(WriteError, tmp_path / f"link{suffix}", "this is the scan itself"):
        write_mask(tmp_path / f"link{suffix}", mask, grid, scan=scan)


@pytest.mark.parametrize("data", [b"", b"an important note"])
def test_a_file_that_is_no_mask_is_not_written_over(tmp_path, mask, grid, suffix, refused, data):
    path = tmp_path / f"m{suffix}"
    path.write_bytes(data)
    refuses_to_write_over(path, mask, grid, refused)


def test_a_folder_is_not_written_over(tmp_path, mask, grid, suffix, refused):
    path = tmp_path / f"m{suffix}"
    path.mkdir()
    with refused(WriteError, path):
        write_mask(path, mask, grid)
    assert path.is_dir()


# writing that fails


def test_a_folder_that_may_not_be_written_is_refused_before_long_work(
    tmp_path, suffix, refused, monkeypatch
):
    folder = tmp_path / "locked"
    folder.mkdir()
    monkeypatch.setattr("os.access", lambda path, mode: path != folder)  # root may always write
    path = folder / f"m{suffix}"
    with refused(WriteError, path, "locked may not be written to; choose another folder"):
        check_mask_path(path)


def test_a_missing_folder_is_named(tmp_path, mask, grid, suffix, refused):
    path = tmp_path / "absent" / f"m{suffix}"
    with refused(WriteError, path, "absent does not exist; make it first"):
        write_mask(path, mask, grid)
    assert list(tmp_path.iterdir()) == []


def test_a_path_below_a_file_cannot_be_written(tmp_path, mask, grid, suffix, refused):
    (tmp_path / "file").touch()
    path = tmp_path / "file" / f"m{suffix}"
    with refused(WriteError, path, "does not exist"):
        write_mask(path, mask, grid)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("length", [300, 245])
def test_a_name_that_is_too_long_cannot_be_written(tmp_path, mask, grid, suffix, refused, length):
    path = tmp_path / f"{'x' * length}{suffix}"
    with refused(WriteError, path):
        write_mask(path, mask, grid)
    assert list(tmp_path.iterdir()) == []


FULL_DISK = """
import json, resource, sys
import numpy as np
from napari_vbmd.errors import WriteError
from napari_vbmd.grid import Grid
from napari_vbmd.io.files import write_mask

folder, names = sys.argv[1], sys.argv[2:]
mask = np.random.default_rng(0).random((40, 40, 40)) < 0.5
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
said = {}
for name in names:
    try:
        write_mask(f"{folder}/{name}", mask, Grid(mask.shape, (0.1, 0.1, 0.1)))
    except WriteError as error:
        said[name] = str(error)
print(json.dumps(said))
"""


def test_a_full_disk_leaves_nothing_half_written_and_what_was_there_untouched(tmp_path, grid):
    pytest.importorskip("resource", reason="file size limits are a matter of Unix")
    old = [f"old{s}" for s in MASK_SUFFIXES]
    for name in old:
        write_mask(tmp_path / name, np.ones(grid.shape, bool), grid)
    before = {name: (tmp_path / name).read_bytes() for name in old}
    names = [*old, *(f"new{s}" for s in MASK_SUFFIXES)]
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path), *names],
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(done.stdout)
    assert set(said) == set(names), "every format says so"
    for name, message in said.items():
        assert name in message
        assert "disk" in message
        assert message.isprintable()
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_every_error_of_this_module_is_one_that_a_user_can_mend(tmp_path):
    with pytest.raises(VbmdError):
        read_scan(tmp_path / "absent.isq")
    with pytest.raises(ValueError, match="absent"):
        read_scan(tmp_path / "absent.isq")
    with pytest.raises(OSError, match=r"m\.tif"):
        write_mask(tmp_path / "m.tif", np.ones((1, 1, 1), bool), Grid((1, 1, 1), SPACING))
