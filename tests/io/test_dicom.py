import struct

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from napari_vbmd.errors import FileFormatError
from napari_vbmd.io.dicom import read_dicom

STEP = 0.5  # mm
TAGS = {
    "0008|0016": "1.2.840.10008.5.1.4.1.1.2",  # CT image storage
    "0008|0060": "CT",
    "0010|0010": "Doe^Jane",
    "0010|0020": "4711",
    "0020|000d": "1.2.3",
    "0028|1052": "-1000",
    "0028|1053": "1",
    "0028|1054": "HU",
}


def voxels_of(z: int, size=(8, 7)) -> np.ndarray:
    return (100 * z + np.arange(size[0] * size[1])).reshape(size[1], size[0]).astype(np.int16)


def write_slice(folder, z, at=None, size=(8, 7), uid="1.2.3.4", name=None, **tags):
    """A slice of HU values; keywords such as t00200060="L" set further tags."""
    folder.mkdir(exist_ok=True)
    at = z * STEP if at is None else at
    image = sitk.GetImageFromArray(voxels_of(z, size)[None])
    image.SetSpacing((0.2, 0.3, STEP))
    own = {
        "0008|0018": f"{uid}.{z + 1}",
        "0020|000e": uid,
        "0020|0013": str(z + 1),
        "0020|0032": f"1\\2\\{at}",
        "0020|0037": "1\\0\\0\\0\\1\\0",
    }
    given = {f"{key[1:5]}|{key[5:]}": value for key, value in tags.items()}
    for key, value in {**TAGS, **own, **given}.items():
        image.SetMetaData(key, value)
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    writer.SetFileName(str(folder / (name or f"slice{z:03d}.dcm")))
    writer.Execute(image)


def replace_tag(path, group: int, element: int, value: bytes) -> None:
    """Set a tag of a file that SimpleITK wrote (implicit VR) to bytes that it would not write."""
    data, key = path.read_bytes(), struct.pack("<HH", group, element)
    start = data.index(key, 132) + 4
    length = struct.unpack_from("<I", data, start)[0]
    value += b" " * (len(value) % 2)
    path.write_bytes(
        data[:start] + struct.pack("<I", len(value)) + value + data[start + 4 + length :]
    )


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "series"


def series(folder, count=6, skip=(), **tags):
    for z in range(count):
        if z not in skip:
            write_slice(folder, z, **tags)
    return folder


def test_a_series_is_read_in_the_order_of_its_positions(folder):
    for z in (3, 0, 5, 1, 4, 2):
        write_slice(folder, z, name=f"{(7 * z) % 6}.dcm")
    scan = read_dicom(folder)
    np.testing.assert_array_equal(scan.voxels, [voxels_of(z) for z in range(6)])
    assert scan.grid.spacing_mm == pytest.approx((STEP, 0.3, 0.2))
    assert scan.grid.origin_mm == pytest.approx((0.0, 2.0, 1.0))
    assert (scan.format, scan.path) == ("DICOM", folder)


def test_a_series_that_runs_downwards_is_read_upwards(folder):
    for z in range(4):
        write_slice(folder, z, at=-z * STEP)
    scan = read_dicom(folder)
    np.testing.assert_array_equal(scan.voxels, [voxels_of(z) for z in (3, 2, 1, 0)])
    assert scan.grid.origin_mm[0] == pytest.approx(-3 * STEP)


def test_the_distance_between_slices_is_that_of_their_positions_not_their_thickness(folder):
    for z in range(4):
        write_slice(folder, z, at=z * 0.25)  # SimpleITK writes a thickness of 0.5
    assert read_dicom(folder).grid.spacing_mm[0] == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("kind", "unit"),
    [("HU", "hu"), ("mg HA/ccm", "density"), ("US", "native"), ("mg K2HPO4/ccm", "native")],
)
def test_the_rescale_type_gives_the_unit(folder, kind, unit):
    assert read_dicom(series(folder, t00281054=kind)).unit == unit


def test_the_rescaling_of_the_slices_is_applied(folder):
    for path in sorted(series(folder).iterdir()):
        replace_tag(path, 0x28, 0x1053, b"0.39")
        replace_tag(path, 0x28, 0x1052, b"-391.2")
    stored = np.array([voxels_of(z) for z in range(6)]) + 1000.0  # as written: intercept -1000
    np.testing.assert_allclose(read_dicom(folder).voxels, stored * 0.39 - 391.2)


@pytest.mark.parametrize("tag", ["t00200060", "t00200062"])
@pytest.mark.parametrize(("letter", "side"), [("L", "left"), ("R", "right"), ("B", "unknown")])
def test_the_laterality_gives_the_side(folder, tag, letter, side):
    scan = read_dicom(series(folder, 2, **{tag: letter}))
    assert scan.side == side
    assert ("laterality" in scan.side_reason) == (side != "unknown")


def test_without_laterality_the_side_is_unknown(folder):
    scan = read_dicom(series(folder, 2))
    assert (scan.side, scan.side_reason) == ("unknown", "the header does not say")


def test_the_patient_is_in_the_header_but_not_in_the_public_one(folder):
    scan = read_dicom(series(folder, 2, t00100030="19700101"))
    assert scan.header["PatientName"] == "Doe^Jane"
    assert scan.header["PatientID"] == "4711"
    assert scan.public_header() == {
        "Modality": "CT",
        "RescaleIntercept": "-1000",
        "RescaleSlope": "1",
        "RescaleType": "HU",
    }


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_a_name_with_an_umlaut_can_be_printed(folder, encoding):
    for path in series(folder, 2).iterdir():
        replace_tag(path, 0x10, 0x10, "Müller".encode(encoding))
    assert read_dicom(folder).header["PatientName"].encode("utf-8").decode() == "Müller"


def test_turned_slices_are_put_right_without_loss(folder):
    scan = read_dicom(series(folder, t00200037="0\\1\\0\\-1\\0\\0"))
    # a row runs along y, a column against x
    assert scan.grid.shape == (6, 8, 7)
    expected = np.array([voxels_of(z).T[:, ::-1] for z in range(6)])
    np.testing.assert_array_equal(scan.voxels, expected)


# refused


def test_a_missing_slice_is_refused(folder, refused):
    with refused(FileFormatError, series(folder, skip=[3]), "missing or unevenly spaced: 1 mm"):
        read_dicom(folder)


@pytest.mark.parametrize("shift", [-0.1, 0.02, 0.1])
def test_uneven_spacing_is_refused(folder, refused, shift):
    series(folder, skip=[2])
    write_slice(folder, 2, at=2 * STEP + shift)
    with refused(FileFormatError, folder, "unevenly spaced"):
        read_dicom(folder)


def test_a_pixel_size_that_is_missing_is_not_taken_for_a_millimetre(folder, refused):
    series(folder)
    for path in folder.iterdir():
        slice_ = pydicom.dcmread(path)
        for group, element in ((0x28, 0x30), (0x18, 0x1164), (0x18, 0x2010)):
            slice_.pop((group, element), None)
        slice_.save_as(path)
    with refused(FileFormatError, folder, "lack the pixel size; export"):
        read_dicom(folder)


def test_spacing_that_is_uneven_by_rounding_is_accepted(folder):
    series(folder, skip=[2])
    write_slice(folder, 2, at=2 * STEP + 0.001)
    assert read_dicom(folder).grid.spacing_mm[0] == pytest.approx(STEP, rel=1e-2)


def test_two_slices_at_one_place_are_refused(folder, refused):
    series(folder)
    write_slice(folder, 9, at=2 * STEP)
    with refused(FileFormatError, folder, "unevenly spaced"):
        read_dicom(folder)


def test_two_series_are_refused(folder, refused):
    series(folder)
    write_slice(folder, 9, uid="1.2.3.5")
    with refused(FileFormatError, folder, "2 DICOM series"):
        read_dicom(folder)


def test_slices_of_different_sizes_are_refused(folder, refused):
    series(folder, skip=[5])
    write_slice(folder, 5, size=(9, 7))
    with refused(FileFormatError, folder, "different sizes"):
        read_dicom(folder)


def test_oblique_slices_are_refused(folder, refused):
    series(folder, t00200037="0.8\\0.6\\0\\-0.6\\0.8\\0")
    with refused(FileFormatError, folder, "oblique"):
        read_dicom(folder)


def test_a_single_slice_has_no_distance_and_is_refused(folder, refused):
    with refused(FileFormatError, series(folder, 1), "one slice only"):
        read_dicom(folder)


@pytest.mark.parametrize("z", [0, 3, 5])
@pytest.mark.parametrize("size", [0, 100, 500, -40])
def test_a_damaged_slice_is_refused_also_at_either_end(folder, refused, z, size):
    path = series(folder) / f"slice{z:03d}.dcm"
    path.write_bytes(path.read_bytes()[:size])
    with refused(FileFormatError, folder):
        read_dicom(folder)


def test_other_files_beside_the_slices_are_no_obstacle(folder):
    series(folder)
    (folder / "notes.txt").write_text("left hand, second visit")
    (folder / "DICOMDIR").write_bytes(bytes(128) + b"DICM")
    (folder / "more").mkdir()
    assert read_dicom(folder).grid.shape[0] == 6


@pytest.mark.parametrize(
    ("name", "reason"),
    [(None, "no DICOM series"), ("notes.txt", "no DICOM series"), ("empty.dcm", "empty file")],
)
def test_a_folder_without_a_series_is_refused_and_the_library_prints_nothing(
    folder, refused, capfd, name, reason
):
    folder.mkdir()
    if name:
        (folder / name).touch()
    with refused(FileFormatError, folder, reason):
        read_dicom(folder)
    assert capfd.readouterr() == ("", "")
