"""Elements that claim more than there is, which a library would set memory aside for."""

import struct

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from napari_vbmd.errors import FileFormatError
from napari_vbmd.io.dicom_elements import Slice

SYNTAXES = [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian]


def write(path, syntax=ExplicitVRLittleEndian, undefined=False, **tags):
    meta = FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = syntax, "1.2.840.10008.5.1.4.1.1.2"
    meta.MediaStorageSOPInstanceUID = "1.2.3.4.1"
    inner = Dataset()
    inner.CodeValue, inner.CodeMeaning = "T-1", "hand"
    outer = Dataset()
    outer.AnatomicRegionModifierSequence = Sequence([inner, inner])
    ds = Dataset()
    ds.file_meta, ds.SOPClassUID = meta, meta.MediaStorageSOPClassUID
    ds.SOPInstanceUID, ds.SeriesInstanceUID = "1.2.3.4.1", "1.2.3.4"
    ds.AnatomicRegionSequence = Sequence([outer])
    outer["AnatomicRegionModifierSequence"].is_undefined_length = undefined
    ds["AnatomicRegionSequence"].is_undefined_length = undefined
    outer.is_undefined_length_sequence_item = undefined
    ds.Rows, ds.Columns, ds.SamplesPerPixel = 4, 5, 1
    ds.BitsAllocated = ds.BitsStored = 16
    ds.HighBit, ds.PixelRepresentation, ds.PhotometricInterpretation = 15, 1, "MONOCHROME2"
    ds.ImagePositionPatient, ds.ImageOrientationPatient = [1, 2, -3.5], [1, 0, 0, 0, 1, 0]
    order = ">i2" if syntax == ExplicitVRBigEndian else "<i2"
    ds.PixelData = np.arange(20, dtype=order).tobytes()
    ds["PixelData"].VR = "OW"
    for name, value in tags.items():
        setattr(ds, name, value)
    if syntax == RLELossless:
        ds.compress(RLELossless, np.arange(20, dtype="<i2").reshape(4, 5))
    ds.save_as(path, enforce_file_format=True)
    return path


@pytest.fixture
def file(tmp_path):
    return tmp_path / "a.dcm"


@pytest.mark.parametrize("syntax", [*SYNTAXES, RLELossless])
@pytest.mark.parametrize("undefined", [False, True])
def test_series_and_height_are_those_that_pydicom_reads(file, syntax, undefined):
    one, theirs = Slice(write(file, syntax, undefined)), pydicom.dcmread(file)
    assert one.series == theirs.SeriesInstanceUID
    assert one.height_mm == float(theirs.ImagePositionPatient[2])


def test_the_height_is_along_the_normal_of_the_slice(file):
    write(file, ImageOrientationPatient=[0, 1, 0, 0, 0, 1])
    assert Slice(file).height_mm == 1.0


def test_without_a_position_there_is_no_height(file):
    write(file, ImagePositionPatient=None)
    assert np.isnan(Slice(file).height_mm)


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_every_truncation_is_noticed(file, syntax):
    whole = write(file, syntax).read_bytes()
    for size in range(0, len(whole)):
        file.write_bytes(whole[:size])
        with pytest.raises(FileFormatError):  # the last element is the pixels
            Slice(file)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("claimed", [0x7FFFFFFE, 0xFFFFFFFE, 1 << 20])
def test_pixels_that_claim_too_much_are_refused(file, refused, syntax, claimed):
    data = write(file, syntax).read_bytes()
    end = len(data) - 40
    file.write_bytes(data[: end - 4] + struct.pack("<I", claimed) + data[end:])
    with refused(FileFormatError, file, "cannot be read"):
        Slice(file)


@pytest.mark.parametrize("undefined", [False, True])
def test_an_element_within_a_sequence_that_claims_too_much_is_refused(file, undefined):
    data = write(file, ImplicitVRLittleEndian, undefined=undefined).read_bytes()
    at = data.index(b"hand") - 4
    file.write_bytes(data[:at] + struct.pack("<I", 0x7FFFFFF0) + data[at + 4 :])
    if undefined:
        with pytest.raises(FileFormatError, match="cannot be read"):
            Slice(file)
    else:  # nothing says that it is a sequence: to a library, too, it is bytes of known length
        assert Slice(file).series == "1.2.3.4"


@pytest.mark.parametrize("tags", [{"Rows": 65535, "Columns": 65535}, {"NumberOfFrames": 10**6}])
@pytest.mark.parametrize("syntax", [*SYNTAXES, RLELossless])
def test_more_pixels_than_bytes_are_refused(file, refused, syntax, tags):
    write(file, syntax)
    ds = pydicom.dcmread(file)
    for name, value in tags.items():
        setattr(ds, name, value * (10 if syntax == RLELossless and name[0] == "N" else 1))
    ds.save_as(file, enforce_file_format=True)
    with refused(FileFormatError, file, "cannot be read"):
        Slice(file)


def test_a_file_that_is_packed_as_a_whole_is_refused(file, refused):
    with refused(FileFormatError, write(file, DeflatedExplicitVRLittleEndian), "packed as a whole"):
        Slice(file)


def test_sequences_in_sequences_without_end_are_refused(file):
    nested = b"\x08\0\x18\x22SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff" * 5000
    whole = write(file).read_bytes()
    start = whole.index(b"\x08\0\x16\0UI")
    file.write_bytes(whole[:start] + nested)
    with pytest.raises(FileFormatError, match="cannot be read"):
        Slice(file)


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("filling", [1, 7, 300, 511])
def test_the_filling_of_the_last_block_is_no_obstacle(file, syntax, filling):
    write(file, syntax)
    with open(file, "ab") as stream:
        stream.write(bytes(filling))
    assert Slice(file).series == "1.2.3.4"
