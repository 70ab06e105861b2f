"""The command `cohort`."""

import pytest


@pytest.fixture
def manifest(scan, mask, tmp_path):
    path = tmp_path / "cases.csv"
    path.write_text(
        "scan,mask,side,patient,motion_grade\n"
        f"{scan.name},{mask.name},left,A,1\nother.isq,,right,B,5\n"
    )
    return path


def test_check_prints_the_cohorts_table(cli, json_of, manifest):
    status, out, _ = cli("cohort", "check", manifest)
    assert status == 0
    assert "1 scan left out: motion grade above 3" in out
    assert "1 of 1 scans have a mask" in out
    content = json_of("cohort", "check", manifest, "--measure")
    assert content["left_out"] == ["other.isq"]
    assert content["table"]["all"]["tt_vbmd_mg_cm3"]["mean"] == pytest.approx(700, abs=0.1)
    assert content["split"]["training"] == ["scan.isq"]


def test_check_names_every_row_that_cannot_be_used(refuses, manifest):
    saying = "line 3"
    refuses("cohort", "check", manifest, "--most-motion", 5, saying=saying)


def test_split_writes_the_manifest_again_and_never_over_a_file(cli, refuses, manifest, tmp_path):
    out = tmp_path / "split.csv"
    assert cli("cohort", "split", manifest, out)[0] == 0
    assert out.read_text().splitlines()[0].endswith(",split")
    refuses("cohort", "split", manifest, manifest, saying="already there")
    refuses("cohort", "split", manifest, out, saying="already there")


def test_phantoms_writes_a_manifest_that_check_accepts(json_of, tmp_path):
    out = tmp_path / "hands.csv"
    made = json_of("cohort", "phantoms", out, "--count", 20)
    assert made["split"] == {"training": 14, "validation": 4, "test": 2}
    assert made["synthetic"] is True
    table = json_of("cohort", "check", out)["table"]
    assert table["all"]["side"] == {"left": 4, "right": 16}


def test_a_manifest_that_is_not_there_is_refused(refuses, tmp_path):
    refuses("cohort", "check", tmp_path / "none.csv", saying="none.csv: no such file")
    refuses("cohort", saying="ACTION")


def test_folder_lists_scans_and_their_masks(json_of, cli, scan, mask, tmp_path):
    mask.rename(tmp_path / "scan_mask.aim")
    content = json_of("cohort", "folder", tmp_path, tmp_path / "cases.csv")
    assert (content["scans"], content["with_mask"]) == (1, 1)
    assert (tmp_path / "cases.csv").read_text().splitlines()[1].startswith("scan.isq,scan_mask.aim")
