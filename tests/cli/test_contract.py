"""What the commands do, and what scripts rely on."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from napari_vbmd.io.files import read_mask, read_scan, write_mask
from napari_vbmd.phantom.sample import sample_paths

MEASURE_KEYS = {
    "tt_vbmd_mg_cm3",
    "tt_vbmd_sd_mg_cm3",
    "voxels",
    "volume_mm3",
    "bmc_mg",
    "mean_slice_area_mm2",
    "slices",
    "calibration",
    "per_slice",
}
EXPERT_KEYS = {
    "overlap",
    "expert_tt_vbmd_mg_cm3",
    "difference_mg_cm3",
    "difference_common_slices_mg_cm3",
}
OVERLAP_KEYS = {
    "dice",
    "iou",
    "accuracy",
    "sensitivity",
    "specificity",
    "precision",
    "hd95_mm",
    "assd_mm",
    "dice_per_slice_mean",
    "iou_per_slice_mean",
}


def test_measure_prints_one_json_object_with_the_keys_of_the_contract(json_of, scan, mask):
    content = json_of("measure", scan, mask)
    assert content.keys() >= MEASURE_KEYS
    assert not EXPERT_KEYS & content.keys()
    assert content["tt_vbmd_mg_cm3"] == pytest.approx(700, abs=0.1)
    assert content["slices"] == {"first": 2, "last": 13, "count": 12}


def test_what_is_unlike_the_published_is_a_note_and_stops_nothing(cli, json_of, scan, mask):
    [note] = json_of("measure", scan, mask)["notes"][1:]
    assert "smaller than that of published second metacarpals" in note
    code, _, err = cli("measure", scan, mask)
    assert code == 0
    assert f"note: {note}" in err.splitlines()


def test_measure_with_an_expert_adds_the_overlap(scan, json_of, bone, grid, mask, tmp_path):
    theirs = bone.copy()
    theirs[2] = 0
    write_mask(tmp_path / "expert.nii.gz", theirs, grid)
    content = json_of("measure", scan, mask, "--expert", tmp_path / "expert.nii.gz")
    assert content.keys() >= MEASURE_KEYS | EXPERT_KEYS
    assert content["overlap"].keys() >= OVERLAP_KEYS
    assert content["overlap"]["dice"] == pytest.approx(2 * 11 / 23)
    assert content["difference_mg_cm3"] == (
        content["tt_vbmd_mg_cm3"] - content["expert_tt_vbmd_mg_cm3"]
    )


def test_measure_prints_a_table_with_units(cli, scan, mask):
    status, out, _ = cli("measure", scan, mask, "--expert", mask)
    lines = {line.split("  ")[0]: line.split() for line in out.splitlines()}
    assert status == 0
    assert lines["Tt.vBMD"][-2:] == ["mg", "HA/cm3"]
    assert lines["Tt.vBMD"][1:4] == ["700.0", "700.0", "+0.0"]
    assert lines["Dice"] == ["Dice", "1.000"]


def test_measure_writes_one_row_as_csv(cli, scan, mask, tmp_path):
    assert cli("measure", scan, mask, "--csv", tmp_path / "row.csv", "--quiet")[0] == 0
    head, row = (tmp_path / "row.csv").read_text().splitlines()
    assert head.startswith("scan,mask,tt_vbmd_mg_cm3,")
    assert row.startswith("scan.isq,mask.aim,")


def test_measure_takes_one_label(scan, json_of, bone, grid, tmp_path):
    labels = bone.copy()
    labels[8:14][labels[8:14] > 0] = 2
    write_mask(tmp_path / "two.nii.gz", labels, grid)
    content = json_of("measure", scan, tmp_path / "two.nii.gz", "--label", 2)
    assert (content["slices"]["first"], content["label"]) == (8, 2)


def test_measure_takes_the_scanners_constants_as_its_log_prints_them(scan, json_of, mask):
    constants = ["--mu-scaling", "8192", "--slope", "1.6e+03", "--intercept", "-3.90e+02"]
    given = json_of("measure", scan, mask, *constants)
    assert given["calibration"]["density_intercept"] == -390
    assert given["tt_vbmd_mg_cm3"] == pytest.approx(700, abs=0.1)


def test_info_has_the_keys_of_the_contract_for_scans_and_masks(cli, json_of, scan, mask):
    for file, kind, unit in ((scan, "ISQ", "native"), (mask, "AIM", "native")):
        content = json_of("info", file)
        assert list(content) == [
            "format", "shape_zyx", "spacing_mm", "position_zyx", "dtype", "unit", "calibration",
            "side", "side_reason", "header", "log",
        ]  # fmt: skip
        assert (content["format"], content["unit"]) == (kind, unit)
        assert content["shape_zyx"] == [16, 40, 40]
    assert "voxel size" in cli("info", scan)[1]


def test_the_patients_name_shows_only_with_identify(cli, scan):
    for form in ([], ["--json"]):
        assert "Roe" not in "".join(cli("info", scan, *form)[1:])
        assert "Roe, Jane" in cli("info", scan, "--identify", *form)[1]


def test_segment_writes_a_mask_on_the_scans_grid(scan, json_of, bone, grid, tmp_path):
    for name in ("out.aim", "out.nii.gz", "out.nrrd", "out.mha"):
        content = json_of(
            "segment", "--method", "contour", scan, tmp_path / name, "--slices", "2:13"
        )
        written = read_mask(tmp_path / name)
        assert written.grid.same_as(grid)
        assert np.count_nonzero(written.voxels) == content["voxels"]
        overlap = np.count_nonzero(written.voxels & bone)
        assert 2 * overlap / (content["voxels"] + bone.sum()) > 0.95


def test_segment_passes_every_option_of_the_contour_on(scan, json_of, tmp_path):
    words = "--threshold 300 --seed 8,20,20 --denoise 0.2 --closing 1 --opening 0.3 --smoothing 0"
    switches = ["--slicewise", "--no-separate", "--no-close-holes"]
    content = json_of(
        "segment", "--method", "contour", scan, tmp_path / "o.aim", *words.split(), *switches
    )
    assert content["parameters"] == {
        "threshold_mg_cm3": 300,
        "seed_zyx": [8, 20, 20],
        "denoise_mm": 0.2,
        "closing_mm": 1,
        "opening_mm": 0.3,
        "smoothing_mm": 0,
        "slicewise": True,
        "separate": False,
    }
    assert content["post_processing"]["close_holes"] is False
    assert content["post_processing"]["keep_largest"] is True


def test_options_that_the_contour_does_not_need_are_said_to_be_unused(cli, scan, tmp_path):
    status, _, err = cli(
        "segment",
        "--method",
        "contour",
        scan,
        tmp_path / "o.aim",
        "--side",
        "left",
        "--device",
        "cpu",
    )
    assert status == 0
    assert "note: the method contour does not use --side and --device\n" in err


def test_run_writes_its_results_and_prints_where(cli, json_of, scan, mask, tmp_path):
    words = ("run", "--method", "contour", scan, "--out", tmp_path / "r", "--expert", mask)
    status, out, _ = cli(*words, "--compartments")
    assert status == 0
    assert re.search(r"^compartments\nTb.vBMD .*mg HA/cm3$", out, re.M)
    assert f"report: {tmp_path / 'r' / 'report.html'}" in out
    assert re.search(
        r"^seconds: read [\d.]+, segment .* figures [\d.]+; [\d.]+ GB of memory", out, re.M
    )
    content = json_of("run", "--method", "contour", scan, "--out", tmp_path / "r")
    assert content.keys() >= MEASURE_KEYS
    assert all(Path(file).is_file() for file in content["files"].values())
    record = json.loads((tmp_path / "r" / "run.json").read_text())
    assert record["command"] == "napari-vbmd run --method contour scan.isq --out r --json"


def test_the_demo_finds_the_known_answer_with_a_shipped_network(cli, json_of, tmp_path):
    content = json_of("demo", "--out", tmp_path / "d")
    assert content["method"].startswith("unet")
    assert content["overlap"]["dice"] > 0.95
    assert content["tt_vbmd_mg_cm3"] == pytest.approx(content["known_tt_vbmd_mg_cm3"], rel=0.05)
    record = json.loads((tmp_path / "d" / "run.json").read_text())
    assert len(record["weights"]["sha256"]) == 64
    assert record["side"] == "left"
    assert record["slices"] is None
    report = (tmp_path / "d" / "report.html").read_text()
    assert "Synthetic scan" in report
    assert "trained on synthetic phantoms: not for clinical use" in report
    assert record["weights"]["sha256"] in report


def test_the_demo_of_the_contour_is_shown_the_bone(cli, tmp_path):
    status, out, err = cli("demo", "--out", tmp_path / "d", "--method", "contour")
    assert status == 0
    assert "known answer" in out
    assert "report.html" in out
    assert "synthetic" in err
    assert "those that the expert's mask marks" in err
    record = json.loads((tmp_path / "d" / "run.json").read_text())
    slices = json.loads(sample_paths(sample="hand").answer.read_text())["slices"]
    assert record["slices"] == {"first": slices["first"], "last": slices["last"]}


def test_the_bones_of_a_real_joint_have_the_vendors_densities(
    json_of, real_joint, real_data, tmp_path
):
    constants = "--unit hu --mu-water 0.24090 --mu-scaling 8192 --slope 1603.51904"
    vendor = real_joint[1]
    pieces, count = ndimage.label(vendor.voxels)
    found = {}
    for piece in range(1, count + 1):
        bone = write_mask(tmp_path / f"bone{piece}.nii.gz", pieces == piece, vendor.grid)
        scan = real_data / "GRAY_JOINT.nii.gz"
        content = json_of("measure", scan, bone, *constants.split(), "--intercept", "-391.209015")
        found[content["slices"]["last"]] = content["tt_vbmd_mg_cm3"]
    phalanx_and_metacarpal = {93: 224.171, 167: 203.895}
    assert found == pytest.approx(phalanx_and_metacarpal, abs=0.06)


def test_reading_a_scan_leaves_it_untouched(cli, grid, scan, mask, tmp_path):
    before = scan.read_bytes()
    cli("info", scan)
    cli("measure", scan, mask)
    cli("segment", "--method", "contour", scan, tmp_path / "o.aim")
    cli("run", "--method", "contour", scan, "--out", tmp_path / "r")
    assert scan.read_bytes() == before
    assert read_scan(scan).grid.same_as(grid)
