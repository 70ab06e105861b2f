"""The report as one sheet of A4: what it says, that it fits, and that it is the same every time."""

import re
from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import label

from napari_vbmd.calibration import Calibration
from napari_vbmd.grid import Grid
from napari_vbmd.measurement.comparison import measure_against
from napari_vbmd.measurement.compartments import NUMBERS, Compartments
from napari_vbmd.measurement.curves import Curves
from napari_vbmd.provenance import run_record
from napari_vbmd.report import (
    content,
    figure_png,
    overlay_figure,
    profile_figure,
    report_html,
    report_pdf,
    sheet,
)
from napari_vbmd.report.bones import MOST_BONES, bone_table
from napari_vbmd.report.paper import Paper
from napari_vbmd.scan import Mask, Scan

SPACING = (0.5, 0.25, 0.25)


@pytest.fixture
def scan(tmp_path) -> Scan:
    voxels = np.arange(20 * 60 * 80, dtype=np.float32).reshape(20, 60, 80) % 997
    used = Calibration(density_slope=1.0, density_intercept=0.0, source="test")
    header = {"Patient Name": "Jane Roe"}
    path = tmp_path / "x$a^2$ \u4e2d.isq"
    return Scan(voxels, "density", Grid((20, 60, 80), SPACING), used, header, path, "ISQ")


@pytest.fixture
def mask() -> Mask:
    return Mask(np.ones((6, 20, 20), np.uint8), Grid((6, 20, 20), SPACING, (4, 20, 30)))


@pytest.fixture(scope="module")
def picture() -> bytes:
    from matplotlib.figure import Figure

    return figure_png(Figure(figsize=(7.3, 2.6), dpi=30))


@pytest.fixture
def record() -> dict:
    weights = {"file": "w.pt", "sha256": "f" * 64, "trained_on": "phantoms", "held_out_dice": 0.9}
    return run_record(
        scan={"name": "x", "bytes": 12345, "sha256": "a" * 64},
        expert=None,
        method="unet-2d-fine",
        parameters={"threshold": 0.5},
        slices=(4, 9),
        post_processing={"keep_largest": True},
        seconds={"read": 0.1, "segment": 2.0},
        method_facts={"weights": weights, "side": "left"},
        motion_grade=3,
    )


def words(paper: Paper) -> str:
    return " ".join(text.get_text() for text in paper.figure.texts)


def laid_out(scan, comparison, record) -> Paper:
    return sheet._laid_out(scan, comparison, record, {}, [], 1.0, 1.0)


def test_it_is_one_page_of_a4_with_the_same_bytes_every_time(scan, mask, record, picture):
    comparison = measure_against(scan, mask, mask)
    pdf = report_pdf(scan, comparison, picture, picture, record)
    assert pdf == report_pdf(scan, comparison, picture, picture, record)
    assert len(re.findall(rb"/Type /Page\b", pdf)) == 1
    assert re.search(rb"/MediaBox \[ 0 0 595\.\d+ 841\.\d+ \]", pdf)
    assert b"CreationDate" not in pdf


def test_it_says_the_numbers_and_what_they_rest_on(scan, mask, record):
    comparison = measure_against(scan, mask, mask)
    said = words(laid_out(scan, comparison, record))
    for expected in (
        f"{comparison.measurement.tt_vbmd_mg_cm3:.1f}",
        "slope 1, intercept 0 mg HA/cm³ (test)",
        "Dice 1.000",
        "f" * 64,
        "Trained on phantoms",
        "grade 3 of 1 (none) to 5 (severe)",
        "4 to 9",
        "279 (SD 43",
        "not for clinical use",
    ):
        assert expected in said


def test_it_names_no_patient_and_survives_any_file_name(scan, mask):
    said = words(laid_out(scan, measure_against(scan, mask), {}))
    assert "Jane" not in said
    assert "x$a^2$ ?.isq" in said  # a character that the font does not have


def test_long_warnings_make_the_pictures_smaller_and_nothing_is_left_out(
    scan, mask, record, picture, monkeypatch
):
    comparison = measure_against(scan, mask, mask)
    texts = [f"warning {k}: {'words that take their room ' * 8}" for k in range(12)]
    measurement = replace(comparison.measurement, warnings=texts)
    comparison = replace(comparison, measurement=measurement)
    papers, lay_out = [], sheet._laid_out
    monkeypatch.setattr(
        sheet, "_laid_out", lambda *given: papers.append(lay_out(*given)) or papers[-1]
    )
    report_pdf(scan, comparison, picture, picture, record)
    assert len(papers) > 1
    assert papers[0].room < 0 <= papers[-1].room
    assert all(f"warning {k}:" in words(papers[-1]) for k in range(12))


def test_a_hash_longer_than_the_line_is_broken_and_whole():
    paper = Paper()
    paper.paragraph("0123456789abcdef" * 4, 7, width=80)
    lines = [text.get_text() for text in paper.figure.texts]
    assert "".join(lines) == "0123456789abcdef" * 4
    assert all(paper.measure(line, 7) <= 80 for line in lines)


def test_the_vendors_density_of_the_real_joint_stands_in_both_reports(real_joint, calibration):
    grey, vendor = real_joint
    scan = replace(grey, unit="hu", calibration=calibration)
    bones, _ = label(vendor.voxels)  # the phalanx and the smaller head of the metacarpal
    head = np.argsort(np.bincount(bones.ravel())[1:])[-2] + 1
    mask = replace(vendor, voxels=(bones == head).astype(np.uint8))
    comparison = measure_against(scan, mask)
    pictures = (
        figure_png(overlay_figure(scan, mask)),
        figure_png(profile_figure(comparison)),
    )
    assert comparison.measurement.tt_vbmd_mg_cm3 == pytest.approx(203.8469, abs=0.1)
    assert "203.9 ± 213.0" in words(laid_out(scan, comparison, {}))
    assert "203.9 <span" in report_html(scan, comparison, *pictures)
    assert report_pdf(scan, comparison, *pictures).startswith(b"%PDF")


def split(**missing) -> Compartments:
    """Compartments of one bone, some of them missing."""
    numbers = dict.fromkeys(NUMBERS, 12.5) | dict.fromkeys(missing)
    return Compartments(**numbers, missing=missing)


@pytest.fixture
def two_bones(mask) -> Mask:
    voxels = mask.voxels.copy()
    voxels[3:] = 2
    return replace(mask, voxels=voxels)


def test_every_label_is_a_row_with_its_overlap_and_compartments(scan, two_bones, record):
    comparison = measure_against(scan, two_bones, two_bones)
    why = "voxels of 0.5 mm are too large for pores"
    parts = {1: split(), 2: split(ct_po_percent=why)}
    table = bone_table(comparison, parts)
    assert [name for name, _ in table.rows] == ["Label 1", "Label 2"]
    heads = [name for name, _ in table.heads]
    assert heads[:5] == ["Tt.vBMD", "Volume", "Tt.Ar", "Dice", "HD95"]
    density = comparison.labels[2].tt_vbmd_mg_cm3
    assert table.rows[1][1][:4] == [f"{density:.1f}", "37.5", "25.00", "1.000"]
    assert [row[1][heads.index("Ct.Po")] for row in table.rows] == ["12.5", "-"]
    assert table.below == [f"Without Ct.Po of label 2: {why}."]
    paper = sheet._laid_out(scan, comparison, record, parts, [], 1.0, 1.0)
    page = report_html(scan, comparison, b"", b"", record, parts)
    for text in ("Label 2", "Tb.BV/TV", f"{density:.1f}", table.below[0]):
        assert text in words(paper)
        assert text in page


def test_one_bone_has_a_row_for_its_compartments_only_where_they_were_measured(scan, mask):
    comparison = measure_against(scan, mask, mask)
    assert bone_table(comparison, {}) is None
    [(name, cells)] = bone_table(comparison, {None: split()}).rows
    assert (name, len(cells)) == ("Mask", len(NUMBERS))


def test_labels_that_do_not_fit_are_left_out_and_that_is_said(scan, mask):
    voxels = np.arange(1, 401, dtype=np.uint16).reshape(20, 20) % 10 + 1
    many = replace(mask, voxels=np.broadcast_to(voxels.astype(np.uint8), mask.voxels.shape))
    table = bone_table(measure_against(scan, many), {})
    assert len(table.rows) == MOST_BONES == 8
    assert table.below == ["2 more labels are not shown: measure --per-label has them."]


def test_long_texts_make_the_letters_of_the_printed_page_smaller(scan, mask, record):
    comparison = measure_against(scan, mask, mask)
    assert 'style="--letters: 1.0"' in report_html(scan, comparison, b"", b"", record)
    texts = [f"warning {k}: {'words that take their room ' * 8}" for k in range(25)]
    measurement = replace(comparison.measurement, warnings=texts)
    page = report_html(scan, replace(comparison, measurement=measurement), b"", b"", record)
    assert float(re.search(r"--letters: ([\d.]+)", page)[1]) < 1


def test_areas_of_a_networks_curves_stand_with_the_overlap(scan, mask, record):
    counts = np.zeros((2, 256), np.int64)
    counts[0, 200], counts[1, 3], counts[1, 220] = 90, 900, 100
    comparison = replace(measure_against(scan, mask, mask), curves=Curves(*counts))
    rows = dict(row[:2] for row in content.overlap(comparison).rows)
    assert rows["AUC"] == ("0.9000",)
    assert rows["Average precision"] == (f"{comparison.average_precision:.4f}",)
    assert rows["Volume difference"] == ("0.0",)
    [_, _, roc, precision] = profile_figure(comparison).axes
    assert roc.get_title() == "ROC: AUC 0.9000"
    assert roc.get_xlim()[1] == 1.0, "far from the corner: the whole curve is shown"
    np.testing.assert_allclose(roc.lines[0].get_xdata()[-1], 1.0)
    assert precision.get_xlabel() == "Sensitivity (recall)"
