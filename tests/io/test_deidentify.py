import itk
import numpy as np
import py_aimio
import pytest

from napari_vbmd.errors import FileFormatError, ParameterError, WriteError
from napari_vbmd.io.aim import read_aim
from napari_vbmd.io.aim_header import read_header as read_aim_header
from napari_vbmd.io.deidentify import deidentify
from napari_vbmd.io.isq import read_isq, write_isq

SHORT = 0x20002
LOG = b"""Created by                    ISQ_TO_AIM (IPL)
Time                           4-APR-2023 12:38:59.06
Original file                 dk0:[microct.data.00002195.doe_jane]d0010131.isq;1
Patient Name                  Doe, Jane
Index Patient                                    2195
Index Measurement                               12778
! doe^jane again
Mu_Scaling                                       8192
\0"""


@pytest.fixture
def voxels():
    return np.random.default_rng(0).integers(-1000, 20000, (6, 8, 10), np.int16)


@pytest.fixture
def isq(tmp_path, voxels, calibration):
    file = tmp_path / "HAND.ISQ;1"
    write_isq(file, voxels, (0.082,) * 3, calibration, "Doe, Jane")
    with open(file, "r+b") as stream:
        stream.seek(28)
        stream.write((2195).to_bytes(4, "little"))
        stream.seek(36)
        stream.write((3913021 << 32).to_bytes(8, "little"))
        stream.seek(112)
        stream.write((12778).to_bytes(4, "little"))
        stream.seek(1300)
        stream.write(b"DOE_JANE")  # in a block that nobody has described
        stream.seek(0, 2)
        stream.write(b"Doe, Jane" * 100)  # behind the voxels
    return file


@pytest.fixture
def aim(tmp_path, version, build, voxels):
    file = build(tmp_path / "HAND.AIM", version, SHORT, voxels.shape, voxels.tobytes(), log=LOG)
    with open(file, "ab") as stream:
        stream.write(b"Doe, Jane" * 100)
    return file


def test_an_isq_keeps_every_voxel_and_loses_the_name(isq, tmp_path, voxels):
    out = tmp_path / "CLEAN.ISQ"
    assert deidentify(isq, out) == ["Patient Name", "Index Patient"]
    data = out.read_bytes()
    assert b"doe" not in data.lower()
    assert voxels.tobytes() in data
    before, after = read_isq(isq), read_isq(out)
    np.testing.assert_array_equal(after.voxels, voxels)
    assert after.grid == before.grid
    assert after.calibration == before.calibration
    changed = {key for key in before.header if before.header[key] != after.header[key]}
    assert changed == {"Patient Name", "Index Patient"}


def test_only_the_fields_that_are_blanked_differ(isq, tmp_path):
    deidentify(isq, tmp_path / "clean.isq")
    before, after = isq.read_bytes(), (tmp_path / "clean.isq").read_bytes()
    different = {i for i in range(2560 + 960) if before[i] != after[i]}
    assert different <= {*range(28, 32), *range(128, 168), *range(1300, 1308)}


def test_an_aim_keeps_every_voxel_and_loses_the_name(aim, tmp_path, voxels):
    out = tmp_path / "CLEAN.AIM"
    assert deidentify(aim, out) == ["Original file", "Patient Name", "Index Patient"]
    data = out.read_bytes()
    assert b"doe" not in data.lower()
    assert b"2195" not in data
    start = read_aim_header(aim).data_start
    assert data[start : start + voxels.nbytes] == voxels.tobytes()
    after = read_aim(out)
    assert after.grid == read_aim(aim).grid
    assert after.header["Mu_Scaling"] == "8192"
    assert after.header["Original file"] == "d0010131.isq;1"
    assert after.header["Time"].startswith("4-APR-2023")


def test_dates_go_where_that_is_asked_for(isq, aim, tmp_path):
    assert "Original Creation-Date" in deidentify(isq, tmp_path / "clean.isq", dates=True)
    assert "Time" in deidentify(aim, tmp_path / "clean.aim", dates=True)
    header = read_isq(tmp_path / "clean.isq").header
    assert (header["Original Creation-Date"], header["Index Measurement"]) == ("", 0)
    log = read_aim(tmp_path / "clean.aim").header
    assert (log["Time"], log["Index Measurement"]) == ("", "")
    assert log["Mu_Scaling"] == "8192"


def test_the_libraries_read_the_copies(isq, aim, tmp_path, voxels):
    deidentify(isq, tmp_path / "clean.isq")
    deidentify(aim, tmp_path / "clean.aim")
    np.testing.assert_array_equal(py_aimio.read_aim(str(tmp_path / "clean.aim"))[0], voxels)
    both = [
        itk.array_from_image(itk.imread(str(path), itk.SS))
        for path in (tmp_path / "clean.isq", _renamed(isq))
    ]
    np.testing.assert_array_equal(*both)


def _renamed(path):
    """The same under a name that itk knows: it takes a VMS version for the ending."""
    other = path.with_name("OTHER.ISQ")
    other.write_bytes(path.read_bytes())
    return other


def test_a_phantom_stays_recognisable(tmp_path, voxels, calibration):
    name = "PHANTOM 7, NOT A PERSON, LEFT HAND"
    write_isq(tmp_path / "p.isq", voxels, (0.082,) * 3, calibration, name)
    deidentify(tmp_path / "p.isq", tmp_path / "clean.isq")
    assert read_isq(tmp_path / "clean.isq").is_synthetic


def test_the_words_that_name_the_side_stay(tmp_path, voxels, calibration):
    write_isq(tmp_path / "p.isq", voxels, (0.082,) * 3, calibration, "DOE JOHN LEFT HAND")
    assert deidentify(tmp_path / "p.isq", tmp_path / "clean.isq") == ["Patient Name"]
    scan = read_isq(tmp_path / "clean.isq")
    assert (scan.header["Patient Name"], scan.side) == ("LEFT HAND", "left")
    assert deidentify(tmp_path / "clean.isq", tmp_path / "again.isq") == []


def test_each_part_of_the_name_and_every_folder_leave_an_aim(build, version, tmp_path, voxels):
    log = LOG.replace(b"! doe^jane again", b"! Jane's D:[DOE.X]JANEDOE.GOBJ")
    path = build(tmp_path / "A.AIM", version, SHORT, voxels.shape, voxels.tobytes(), log=log)
    deidentify(path, tmp_path / "B.AIM")
    data = (tmp_path / "B.AIM").read_bytes()
    assert not any(word in data.lower() for word in (b"doe", b"jane", b"d:[", b"2195"))
    assert data.count(b".GOBJ") == 1


def test_the_real_files_become_clean(real_data, tmp_path):
    for name, read in (("test_aim.AIM", read_aim), ("test_isq.ISQ", read_isq)):
        out = tmp_path / name
        deidentify(real_data / name, out)
        assert out.stat().st_size == (real_data / name).stat().st_size
        before, after = read(real_data / name), read(out)
        np.testing.assert_array_equal(after.voxels, before.voxels)
        assert str(before.header["Index Patient"]) == "2567"
        assert str(after.header["Index Patient"]) in ("", "0")


def test_the_file_itself_is_never_written_over(isq, refused):
    before = isq.read_bytes()
    with refused(WriteError, isq, "this is the file itself"):
        deidentify(isq, isq)
    assert isq.read_bytes() == before


def test_what_is_there_already_stays(isq, tmp_path, refused):
    out = tmp_path / "other.isq"
    out.write_bytes(b"precious")
    with refused(WriteError, out, "already there"):
        deidentify(isq, out)
    assert out.read_bytes() == b"precious"


@pytest.mark.parametrize("name", ["clean.aim", "clean", "clean.nii.gz"])
def test_the_copy_has_the_same_ending(isq, tmp_path, refused, name):
    with refused(ParameterError, tmp_path / name, r"the copy is \.isq"):
        deidentify(isq, tmp_path / name)
    assert not (tmp_path / name).exists()


def test_other_formats_are_refused(tmp_path, refused):
    with refused(ParameterError, tmp_path / "a.nii", "an ISQ or an AIM"):
        deidentify(tmp_path / "a.nii", tmp_path / "b.nii")


def test_a_damaged_file_leaves_nothing_behind(isq, tmp_path, refused):
    isq.write_bytes(isq.read_bytes()[:3000])
    with refused(FileFormatError, isq, "truncated"):
        deidentify(isq, tmp_path / "clean.isq")
    assert [path.name for path in tmp_path.iterdir()] == [isq.name]
