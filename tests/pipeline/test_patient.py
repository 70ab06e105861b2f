"""One patient from file to report: what arrives, and what it says."""

import csv
import json
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from napari_vbmd.errors import (
    FileFormatError,
    GridMismatchError,
    MissingCalibrationError,
    ParameterError,
)
from napari_vbmd.grid import Grid, place
from napari_vbmd.io.files import read_mask, read_scan, write_mask
from napari_vbmd.measurement.comparison import measure_against
from napari_vbmd.pipeline import RESULTS, PostProcessing, make_mask, run_patient
from napari_vbmd.provenance import file_hash
from napari_vbmd.scan import Scan

WRITTEN = set(RESULTS) - {"mask.nii.gz", "curves.png", "curves.svg"}


EVERY_SLICE = [(z, np.full((40, 40), 128.0), np.s_[:, :]) for z in range(16)]


def contents(folder) -> dict[str, bytes]:
    return {f.name: f.read_bytes() for f in folder.iterdir()}


def test_a_run_writes_every_result_and_nothing_else(scan_path, out):
    result = run_patient(scan_path, out)
    assert {file.name for file in out.iterdir()} == WRITTEN == set(result.files)
    assert all(path.is_file() for path in result.files.values())
    assert result.mask_path.name == "mask.aim"
    assert result.report_path.read_text().startswith("<!DOCTYPE html>")


def test_no_result_names_the_folder_of_a_dicom_series(dicom_folder, out):
    constants = {"mu_scaling": 8192.0, "density_slope": 1600.0, "density_intercept": -390.0}
    words = ["napari-vbmd", "run", f"{dicom_folder}/", "--out", str(out)]
    calibration = {"unit": "native"} | constants
    result = run_patient(dicom_folder, out, command=words, calibration=calibration)
    assert not [name for name, data in contents(out).items() if b"ROE_JANE" in data.upper()]
    record = json.loads((out / "run.json").read_text())
    assert (record["scan"]["name"], record["scan"]["format"]) == ("DICOM series", "DICOM")
    assert "run DICOM-series --out" in record["command"]
    assert read_mask(result.mask_path).header["Original file"] == "DICOM series"
    assert "DICOM series" in result.report_path.read_text(encoding="utf-8")


def test_the_mask_lies_on_the_scans_grid_and_gives_the_numbers_written(scan_path, out):
    result = run_patient(scan_path, out)
    scan, mask = read_scan(scan_path), read_mask(result.mask_path)
    assert mask.grid.same_as(scan.grid)
    again = measure_against(scan, mask).to_dict()
    written = json.loads((out / "measurement.json").read_text(), parse_constant=pytest.fail)
    assert written["tt_vbmd_mg_cm3"] == again["tt_vbmd_mg_cm3"]
    assert written["per_slice"] == again["per_slice"]


def test_the_tables_hold_the_same_numbers_with_units_in_their_heads(scan_path, out, expert_path):
    result = run_patient(scan_path, out, expert=expert_path)
    (row,) = csv.DictReader((out / "measurement.csv").open())
    content = result.comparison.to_dict()
    assert row["scan"] == "scan.isq"
    for key in ("tt_vbmd_mg_cm3", "bmc_mg", "volume_mm3", "difference_mg_cm3"):
        assert float(row[key]) == content[key]
    for key in ("dice", "hd95_mm"):
        assert float(row[key]) == content["overlap"][key]
    slices = list(csv.DictReader((out / "measurement_slices.csv").open()))
    overlap = {entry["slice"]: entry for entry in content["overlap"]["per_slice"]}
    assert {int(entry["slice"]) for entry in slices} == set(overlap)
    assert all(float(entry["dice"]) == overlap[int(entry["slice"])]["dice"] for entry in slices)


def test_the_record_says_what_was_done_to_what_and_how_long_it_took(scan_path, out, expert_path):
    run_patient(scan_path, out, slices=(2, 13), expert=expert_path, command=["napari-vbmd", "run"])
    record = json.loads((out / "run.json").read_text(), parse_constant=pytest.fail)
    assert record["scan"]["sha256"] == file_hash(scan_path)
    assert record["scan"]["name"] == "scan.isq"
    assert record["expert"]["sha256"] == file_hash(expert_path)
    assert record["slices"] == {"first": 2, "last": 13}
    assert record["parameters"]["threshold_mg_cm3"] > 0
    assert record["weights"] is None
    assert list(record["seconds"]) == [
        "read", "segment", "post-process", "measure", "checksum", "mask file", "figures",
    ]  # fmt: skip
    for name in WRITTEN - {"run.json"}:
        assert record["outputs"][name] == file_hash(out / name)


def test_the_slice_range_bounds_the_mask_and_its_absence_is_a_warning(scan_path, tmp_path):
    narrowed = run_patient(scan_path, tmp_path / "a", slices=(4, 9)).comparison.measurement
    assert (narrowed.slices["first"], narrowed.slices["last"]) == (4, 9)
    assert narrowed.warnings == []
    whole = run_patient(scan_path, tmp_path / "b").comparison.measurement
    assert any("whole scan" in warning for warning in whole.warnings)


def test_no_result_names_the_patient_or_the_folder(scan_path, out):
    run_patient(scan_path, out, command=["napari-vbmd", "run", str(scan_path), "--out", str(out)])
    for name, content in contents(out).items():
        for word in (b"ROE", b"Roe", b"Jane"):
            assert word not in content, name


def test_the_networks_probability_is_rated_against_the_expert(
    scan_path, out, expert_path, monkeypatch
):
    class Sure:
        """Half sure of all that the expert marked, and of one slice more."""

        def on_scan(self):
            found = expert.copy()
            found[1] = found[8]
            return ((z, 128.0 * plane, np.s_[:, :]) for z, plane in enumerate(found))

    expert = place(read_mask(expert_path).grid, read_scan(scan_path).grid).paste(
        read_mask(expert_path).voxels != 0
    )
    made, changes = make_mask(read_scan(scan_path))
    made = replace(made, probability=Sure())
    monkeypatch.setattr("napari_vbmd.pipeline.patient.make_mask", lambda *_: (made, changes))
    run_patient(scan_path, out, expert=expert_path)
    said = json.loads((out / "measurement.json").read_text())["overlap"]
    sure = expert.copy()
    sure[1] = sure[8]
    truth, score = expert.ravel() != 0, sure.ravel() != 0
    assert said["auc"] == pytest.approx(roc_auc_score(truth, score))
    assert said["average_precision"] == pytest.approx(average_precision_score(truth, score))
    assert said["no_curves_because"] is None
    assert contents(out).keys() == {*WRITTEN, "curves.png", "curves.svg"}
    assert "curves" in json.loads((out / "run.json").read_text())["seconds"]


def test_the_rating_of_a_probability_can_be_cancelled(scan_path, out, expert_path, monkeypatch):
    made, changes = make_mask(read_scan(scan_path))
    made = replace(made, probability=SimpleNamespace(on_scan=lambda: EVERY_SLICE))
    monkeypatch.setattr("napari_vbmd.pipeline.patient.make_mask", lambda *_: (made, changes))

    def stop(_, message):
        if message.startswith("curves: AUC, slice 3"):
            raise InterruptedError

    with pytest.raises(InterruptedError):
        run_patient(scan_path, out, expert=expert_path, progress=stop)
    assert not out.exists()


def test_compartments_are_in_every_result_where_they_were_asked_for(scan_path, out):
    result = run_patient(scan_path, out, compartments=True)
    written = json.loads((out / "measurement.json").read_text())["compartments"]
    assert written["tb_area_mm2"] == result.compartments.tb_area_mm2 > 0
    (row,) = csv.DictReader((out / "measurement.csv").open())
    assert float(row["ct_vbmd_mg_cm3"]) == written["ct_vbmd_mg_cm3"]
    assert row["missing"].startswith("ct_po_percent: voxels of 0.2 mm")
    page = result.report_path.read_text(encoding="utf-8")
    assert "Tb.vBMD" in page
    assert "Without Ct.Po: voxels of 0.2 mm" in page
    assert "compartments" in json.loads((out / "run.json").read_text())["seconds"]


def test_progress_never_goes_back_and_names_the_stage(scan_path, out):
    seen = []
    run_patient(scan_path, out, progress=lambda fraction, message: seen.append((fraction, message)))
    fractions = [fraction for fraction, _ in seen]
    assert fractions == sorted(fractions)
    assert 0 <= fractions[0] < fractions[-1] <= 1
    assert any(message.startswith("segment: ") for _, message in seen)


def test_a_position_between_voxels_gives_a_nifti_mask_and_says_so(shifted_scan, out):
    result = run_patient(shifted_scan, out)
    assert result.mask_path.name == "mask.nii.gz"
    assert read_mask(result.mask_path).grid.same_as(shifted_scan.grid)
    assert any("mask.nii.gz" in w for w in result.comparison.measurement.warnings)
    assert "mask.nii.gz" in result.report_path.read_text()


def test_what_is_wrong_with_the_input_is_said_before_segmenting(scan_path, out, tmp_path):
    def no_segmenting(fraction, message):
        assert not message.startswith("segment")

    elsewhere = tmp_path / "elsewhere.nii.gz"
    write_mask(elsewhere, np.ones((4, 4, 4), np.uint8), Grid((4, 4, 4), (0.2,) * 3, (900, 0, 0)))
    uncalibrated = Scan(np.zeros((4, 4, 4), np.int16), "native", Grid((4, 4, 4), (0.2,) * 3))
    with pytest.raises(GridMismatchError):
        run_patient(scan_path, out, expert=elsewhere, progress=no_segmenting)
    with pytest.raises(MissingCalibrationError):
        run_patient(uncalibrated, out, progress=no_segmenting)
    with pytest.raises(FileFormatError):
        run_patient(tmp_path / "missing.isq", out, progress=no_segmenting)
    with pytest.raises(ParameterError, match="slices 3:99"):
        run_patient(scan_path, out, slices=(3, 99))
    assert not out.exists()


def test_post_processing_keeps_the_largest_piece_and_counts_what_it_changed(scan_path, monkeypatch):
    scan = read_scan(scan_path)
    segmentation, _ = make_mask(scan, post_processing=PostProcessing(False, False))
    pieces = segmentation.mask.voxels.copy()
    pieces[8:10] = 0  # cut in two unequal pieces, with a hole in the larger one
    pieces[4, 14, 14] = 0
    cut = replace(segmentation, mask=replace(segmentation.mask, voxels=pieces))
    monkeypatch.setattr("napari_vbmd.pipeline.mask.segment", lambda *_: cut)

    _, changes = make_mask(scan, post_processing=PostProcessing(False, False))
    assert (changes["voxels_added"], changes["voxels_removed"]) == (0, 0)
    cleaned, changes = make_mask(scan)
    assert changes["voxels_removed"] == np.count_nonzero(pieces[10:]) > 0
    assert changes["voxels_added"] == 1
    assert not cleaned.mask.voxels[10:].any()


def test_closing_sees_the_end_of_the_bone_but_not_the_end_of_the_slices_looked_at(scan_path):
    scan = read_scan(scan_path)  # a bone in slices 2 to 13
    ends_here, _ = make_mask(scan)
    goes_on, _ = make_mask(scan, slices=(4, 9))
    assert not ends_here.mask.voxels[0].any()
    assert not ends_here.mask.voxels[-1].any()
    assert goes_on.mask.voxels.any(axis=(1, 2)).tolist() == [True] * 6


def test_what_only_a_study_or_a_network_needs_is_not_imported():
    code = (
        "import sys, napari_vbmd.pipeline; "
        "print([m for m in ('torch', 'monai', 'pandas', 'scipy.stats') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
