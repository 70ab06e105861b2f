"""`deidentify`, `contour-script`, `info` of a log, and slices from a text header."""

import json
from pathlib import Path

import pytest

from napari_vbmd.io.files import read_mask, read_scan

HEADER = "dim   40 40 {}\noff   0 0 0\npos   0 0 {}\n"
REAL = ("test_aim.AIM", "test_isq.ISQ", "GRAY_JOINT.nii.gz", "AUTOCONTOUR_IPL.nii.gz")


def test_a_copy_without_its_patient(cli, json_of, scan, tmp_path):
    content = json_of("deidentify", scan, tmp_path / "clean.isq")
    assert content["blanked"] == ["Patient Name"]
    assert content["file"] == str(tmp_path / "clean.isq")
    assert b"Roe" not in (tmp_path / "clean.isq").read_bytes()
    status, out, _ = cli("info", tmp_path / "clean.isq", "--identify")
    assert status == 0
    assert "Roe" not in out
    status, out, _ = cli("deidentify", scan, tmp_path / "again.isq", "--dates")
    assert status == 0
    assert "blanked: Patient Name" in out


def test_the_file_itself_is_refused(refuses, scan):
    refuses("deidentify", scan, scan, saying="this is the file itself")


def test_a_mask_made_from_a_scan_carries_its_log_and_no_name(cli, json_of, scan, tmp_path):
    assert cli("segment", scan, tmp_path / "m.aim", "--method", "contour")[0] == 0
    content = json_of("info", tmp_path / "m.aim", "--identify")
    assert "Roe" not in json.dumps(content)
    assert "Mu_Scaling                    8192" in content["log"]
    assert content["header"]["Created by"].startswith("napari-vbmd")
    assert content["header"]["Method"] == "contour"
    assert read_mask(tmp_path / "m.aim").voxels.any()


def test_both_command_files_are_written(cli, json_of, mask, tmp_path):
    folder = tmp_path / "com"
    content = json_of("contour-script", mask, "--out", folder, "--folder", "DK0:[TEST]")
    assert content["masks"] == ["MASK"]
    for name in ("to_contours", "to_masks"):
        text = Path(content[name]).read_text(encoding="ascii")
        assert "MASK.GOBJ" in text
        assert "$ SET DEFAULT DK0:[TEST]" in text
    status, out, _ = cli("contour-script", mask, "--out", folder)
    assert (status, out.count("\n")) == (0, 2)


def test_a_scan_makes_no_command_file(refuses, scan, tmp_path):
    refuses("contour-script", scan, "--out", tmp_path / "com", saying="not an AIM")
    assert not (tmp_path / "com").exists()


def test_slices_may_come_from_a_text_header(json_of, scan, tmp_path):
    (tmp_path / "HEAD.TXT;1").write_text(HEADER.format(6, 4))
    words = ("segment", scan, tmp_path / "m.aim", "--method", "contour")
    assert json_of(*words, "--slices", tmp_path / "HEAD.TXT;1")["slices"] == [4, 9]


@pytest.mark.parametrize(("dim", "pos"), [(6, 12), (6, -1), (17, 0)])
def test_slices_of_another_scan_are_refused(refuses, scan, tmp_path, dim, pos):
    (tmp_path / "h.txt").write_text(HEADER.format(dim, pos))
    words = ("segment", scan, tmp_path / "m.aim", "--slices", tmp_path / "h.txt")
    refuses(*words, saying="do not lie in scan.isq, which has 16")


def test_a_file_that_is_no_text_header_is_refused(refuses, scan, mask, tmp_path):
    words = ("segment", scan, tmp_path / "m.aim", "--slices", mask)
    refuses(*words, saying="mask.aim: not a text header")


@pytest.mark.parametrize("name", REAL)
def test_info_says_position_calibration_side_and_log_of_every_real_file(cli, real_data, name):
    status, out, _ = cli("info", real_data / name)
    assert status == 0
    for word in ("position (z, y, x)", "side", "processing log"):
        assert f"\n{word}" in out
    scan = read_scan(real_data / name)
    assert ("\nmu_scaling" in out) == (scan.format in ("AIM", "ISQ"))
    assert ("calibration" in out) or scan.calibration.mu_scaling
    assert ("Orig-ISQ-Dim-um" in out) == (scan.format == "AIM")
    assert "2567" not in out, "the patient's number"
    assert ("2567" in cli("info", real_data / name, "--identify")[1]) == (
        scan.format in ("AIM", "ISQ")
    )
