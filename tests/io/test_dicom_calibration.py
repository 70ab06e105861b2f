"""The scanner's DICOM export as public readers describe it, written with pydicom."""

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from napari_vbmd.errors import FileFormatError, MissingCalibrationError
from napari_vbmd.io.dicom import read_dicom
from napari_vbmd.io.dicom_calibration import shown

CT = "1.2.840.10008.5.1.4.1.1.2"
MU_SCALING, MU_WATER, SLOPE, INTERCEPT = 8192.0, 0.2409, 1603.519, -391.209
HU = {"RescaleSlope": f"{1000 / MU_SCALING / MU_WATER:.8f}", "RescaleIntercept": "-1000"}
PRIVATE = {
    0x1000: ("DS", MU_SCALING),
    0x1003: ("LO", "mg HA/ccm"),
    0x1004: ("DS", SLOPE),
    0x1005: ("DS", INTERCEPT),
    0x1006: ("DS", MU_WATER),
}


def stored(z: int) -> np.ndarray:
    return (100 * z + np.arange(20)).astype("<i2").reshape(4, 5)


def write_slice(folder, z, syntax=ExplicitVRLittleEndian, private=PRIVATE, **tags):
    meta = FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = syntax, CT
    meta.MediaStorageSOPInstanceUID = f"1.2.3.4.{z + 1}"
    ds = Dataset()
    ds.file_meta, ds.SOPClassUID, ds.SOPInstanceUID = meta, CT, meta.MediaStorageSOPInstanceUID
    ds.Modality, ds.Manufacturer, ds.SeriesInstanceUID = "CT", "SCANCO Medical AG", "1.2.3.4"
    ds.Rows, ds.Columns, ds.SamplesPerPixel, ds.InstanceNumber = 4, 5, 1, z + 1
    ds.BitsAllocated = ds.BitsStored = 16
    ds.HighBit, ds.PixelRepresentation, ds.PhotometricInterpretation = 15, 1, "MONOCHROME2"
    ds.PixelSpacing, ds.ImagePositionPatient = [0.082, 0.082], [0, 0, f"{0.082 * z:.3f}"]
    ds.ImageOrientationPatient, ds.PixelData = [1, 0, 0, 0, 1, 0], stored(z).tobytes()
    for element, (kind, value) in private.items():
        ds.add_new((0x29, element), kind, value)
    for name, value in tags.items():
        setattr(ds, name, value)
    ds.save_as(folder / f"{z:03d}.dcm", enforce_file_format=True)


@pytest.fixture
def series(tmp_path):
    def write(**tags):
        for z in range(4):
            write_slice(tmp_path, z, **tags)
        return tmp_path

    return write


def density(values):
    return values / MU_SCALING * SLOPE + INTERCEPT


EVERY = np.array([stored(z) for z in range(4)])


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("kind", ["DS", "FD"])
def test_native_values_have_the_density_of_the_private_tags(series, syntax, kind):
    private = {e: (kind if k == "DS" else k, v) for e, (k, v) in PRIVATE.items()}
    scan = read_dicom(series(syntax=syntax, private=private))
    assert (scan.unit, scan.calibration.source) == ("native", "DICOM private tags")
    np.testing.assert_array_equal(scan.voxels, EVERY)
    np.testing.assert_allclose(scan.density_transform()(scan.voxels), density(EVERY), rtol=1e-6)
    assert scan.calibration.mu_water_per_cm == pytest.approx(MU_WATER)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("kind", ["DS", "FD"])
def test_the_header_shows_the_private_tags_as_numbers_and_words(series, syntax, kind):
    private = {e: (kind if k == "DS" else k, v) for e, (k, v) in PRIVATE.items()}
    header = read_dicom(series(syntax=syntax, private=private)).header
    assert header["density unit"] == "mg HA/ccm"
    assert float(header["density slope"]) == pytest.approx(SLOPE, rel=1e-6)
    assert float(header["density intercept"]) == pytest.approx(INTERCEPT, rel=1e-6)
    assert float(header["mu_scaling"]) == pytest.approx(MU_SCALING, rel=1e-6)
    assert float(header["mu_water"]) == pytest.approx(MU_WATER, rel=1e-6)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("density slope", "1603.519000", "1603.519000"),
        ("density slope", "8192", "8192"),  # four digits are base64, too
        ("density slope", "MTYwMy41MTkg", "1603.519"),
        ("density slope", "unknown", "unknown"),
        ("density unit", "bWcgSEEvY2Nt", "mg HA/ccm"),
        ("density unit", "", ""),
        ("BodyPartExamined", "HAND", "HAND"),
    ],
)
def test_only_coded_values_of_private_tags_are_shown_as_others(name, value, text):
    assert shown(name, value) == text


@pytest.mark.parametrize("named", [True, False])
def test_hounsfield_units_have_the_same_density(series, named):
    tags = HU | ({"RescaleType": "HU"} if named else {})  # a CT without a type is in HU
    scan = read_dicom(series(**tags))
    assert scan.unit == "hu"
    pixels = pydicom.dcmread(scan.path / "002.dcm").pixel_array
    np.testing.assert_allclose(scan.voxels[2], pixels * float(HU["RescaleSlope"]) - 1000)
    np.testing.assert_allclose(scan.density_transform()(scan.voxels), density(EVERY), rtol=1e-4)


def test_densities_need_no_constants(series):
    tags = {"RescaleSlope": "0.2", "RescaleIntercept": "-391", "RescaleType": "mg HA/ccm"}
    scan = read_dicom(series(private={}, **tags))
    assert scan.unit == "density"
    np.testing.assert_allclose(scan.density_transform()(scan.voxels), EVERY * 0.2 - 391)


def test_rescale_tags_that_contradict_the_private_ones_are_not_believed(series):
    scan = read_dicom(series(**HU | {"RescaleSlope": "0.4"}))
    with pytest.raises(MissingCalibrationError, match="say different things about HU"):
        scan.density_transform()


def test_values_in_a_unit_that_is_not_named_have_no_density(series):
    scan = read_dicom(series(**HU, RescaleType="US"))
    assert scan.unit == "native"
    with pytest.raises(MissingCalibrationError, match="rescaled to US"):
        scan.density_transform()


@pytest.mark.parametrize(
    ("element", "value", "problem"),
    [
        (0x1003, ("LO", "g K2HPO4/ccm"), "'g K2HPO4/ccm', not mg HA/ccm"),
        (0x1004, ("LO", "unknown"), "carries no density constants"),
        (0x1004, ("DS", "-3"), "carries no density constants"),
        (0x1005, ("LO", ""), "carries no density constants"),
        (0x1000, ("DS", "0"), "give --mu-scaling"),
    ],
)
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_constants_that_are_none_are_not_taken(series, syntax, element, value, problem):
    scan = read_dicom(series(syntax=syntax, private=PRIVATE | {element: value}))
    with pytest.raises(MissingCalibrationError, match=problem):
        scan.density_transform()


def test_the_same_tags_of_another_maker_mean_nothing(series):
    scan = read_dicom(series(Manufacturer="Acme"))
    assert not scan.is_calibrated
    assert scan.calibration.mu_scaling is None


@pytest.mark.parametrize("odd", [{"RescaleSlope": "2", "RescaleIntercept": "0"}, {"private": {}}])
def test_slices_that_mean_different_things_are_refused(series, refused, odd):
    folder = series()
    write_slice(folder, 2, **odd)
    with refused(FileFormatError, folder, "different calibration"):
        read_dicom(folder)


def filled_up(folder):
    """The slices with zeros behind them, up to a whole block, as OpenVMS has files."""
    for path in folder.iterdir():
        with open(path, "ab") as file:
            file.write(bytes(-path.stat().st_size % 512))
    return folder


def test_files_of_whole_blocks_are_read(series):
    np.testing.assert_array_equal(read_dicom(filled_up(series())).voxels, EVERY)


def test_the_library_cannot_read_such_files_of_implicit_vr(series, refused):
    folder = filled_up(series(syntax=ImplicitVRLittleEndian))
    with refused(FileFormatError, folder, "damaged, or not a DICOM series"):
        read_dicom(folder)
