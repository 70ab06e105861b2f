"""``measure`` beyond one number: what is added, and that what was there stays."""

import csv
import re

import numpy as np
import pytest

from napari_vbmd.io.files import write_mask
from napari_vbmd.measurement.compartments import NUMBERS
from napari_vbmd.provenance import file_hash


@pytest.fixture
def core(tmp_path, bone, grid):
    y, x = np.mgrid[-20:20, -20:20] + 0.5
    return write_mask(tmp_path / "core.nii.gz", bone * (np.hypot(y, x) < 9), grid)


@pytest.fixture
def two(tmp_path, bone, grid):
    labels = bone.copy()
    labels[8:14][labels[8:14] > 0] = 2
    return write_mask(tmp_path / "two.nii.gz", labels, grid)


def rows_of(path) -> list[dict]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_without_an_option_nothing_is_added(json_of, cli, scan, mask, tmp_path):
    assert not {"compartments", "labels", "regions"} & json_of("measure", scan, mask).keys()
    cli("measure", scan, mask, "--csv", tmp_path / "row.csv")
    [row] = rows_of(tmp_path / "row.csv")
    assert not {"label", "region", "missing"} & row.keys()


def test_compartments_are_added_to_what_was_there(json_of, cli, scan, mask, core, tmp_path):
    plain = json_of("measure", scan, mask)
    found = json_of("measure", scan, mask, "--compartments", "--trabecular", core)
    parts = found.pop("compartments")
    assert found == plain
    assert parts["tb_vbmd_mg_cm3"] == pytest.approx(700, abs=0.1)
    assert parts["ct_area_mm2"] + parts["tb_area_mm2"] == pytest.approx(
        plain["mean_slice_area_mm2"]
    )
    assert parts["missing"].keys() == {"ct_po_percent", "tb_bvtv"}
    words = ("--compartments", "--trabecular", core, "--csv", tmp_path / "row.csv")
    _, out, _ = cli("measure", scan, mask, *words)
    assert "Ct.vBMD" in out
    assert "missing: voxels of 0.2 mm are too large for pores" in out
    [row] = rows_of(tmp_path / "row.csv")
    assert float(row["tb_vbmd_mg_cm3"]) == parts["tb_vbmd_mg_cm3"]
    assert row["tb_bvtv"] == ""
    assert "tb_bvtv: voxels of 0.2 mm" in row["missing"]


def test_a_bone_without_marrow_says_why_there_are_no_numbers(json_of, scan, mask):
    parts = json_of("measure", scan, mask, "--compartments")["compartments"]
    assert [parts[name] for name in NUMBERS] == [None] * len(NUMBERS)
    assert "no trabecular compartment was found" in parts["missing"]["ct_th_mm"]


def test_per_label_gives_a_row_for_each(json_of, cli, scan, two, tmp_path):
    words = ("--per-label", "--compartments", "--regions", "0.4")
    content = json_of("measure", scan, two, *words)
    assert [one["label"] for one in content["labels"]] == [1, 2]
    assert content["labels"][1]["slices"] == {"first": 8, "last": 13, "count": 6}
    assert content["label"] is None
    assert [one["region"] for one in content["labels"][0]["regions"]] == ["head", "shaft"]
    cli("measure", scan, two, *words, "--csv", tmp_path / "rows.csv")
    rows = rows_of(tmp_path / "rows.csv")
    places = [(row["label"], row["region"]) for row in rows]
    assert places == [("", "")] + [(n, r) for n in "12" for r in ("", "head", "shaft")]
    assert [row["slice_count"] for row in rows] == ["12", "6", "2", "4", "6", "2", "4"]


def test_head_and_shaft_begin_at_the_end_that_is_said(json_of, scan, mask):
    first = json_of("measure", scan, mask, "--regions", "0.6")["regions"]
    last = json_of("measure", scan, mask, "--regions", "0.6", "--tip", "last")["regions"]
    assert first[0]["slices"] == {"first": 2, "last": 4, "count": 3}
    assert last[0]["slices"] == {"first": 11, "last": 13, "count": 3}


def test_wrong_use_is_one_line(refuses, scan, mask, two, core):
    refuses("measure", scan, two, "--compartments", saying="--per-label")
    refuses("measure", scan, mask, "--trabecular", core, saying="--compartments")
    refuses("measure", scan, two, "--per-label", "--label", "1", saying="one of the two")
    refuses("measure", scan, mask, "--regions", "0", saying="more than 0 mm")
    refuses("measure", scan, mask, "--regions", "x", saying="--regions")
    refuses("measure", scan, mask, "--compartments", "--trabecular", "no.aim", saying="no such")


def test_the_report_of_a_mask_is_a_page_and_a_sheet_with_its_parts(cli, scan, two, mask, tmp_path):
    page, sheet = tmp_path / "report.html", tmp_path / "report.pdf"
    words = ("--expert", mask, "--per-label", "--compartments", "--report", page, "--report", sheet)
    status, _, _ = cli("measure", scan, two, *words, "--mu-water", "0.24")
    assert status == 0
    said = page.read_text(encoding="utf-8")
    for text in (
        "Label 2",
        "Without compartments of label 1, compartments of label 2: no trabecular compartment",
        f"SHA-256 {file_hash(two)}",
        f"SHA-256 {file_hash(mask)}",
        "does not say how it was made",
        "mu_water 0.24 1/cm",
        "the mask holds labels 1, 2",
        "Dice",
    ):
        assert text in said, text
    assert "Jane" not in re.sub(r"base64,[^\"]*", "", said)
    assert sheet.read_bytes().startswith(b"%PDF")


def test_the_report_of_a_mask_that_was_made_here_says_how(cli, scan, tmp_path):
    made = tmp_path / "made.aim"
    cli("segment", scan, made, "--method", "contour", "--slices", "2:13")
    cli("measure", scan, made, "--label", "1", "--report", tmp_path / "r.html")
    said = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "Method contour, Slices 2 13" in said


def test_a_report_that_cannot_be_written_is_said_before_any_work(refuses, scan, mask, tmp_path):
    refuses("measure", scan, mask, "--report", "r.docx", saying=".html or a .pdf")
    refuses("measure", scan, mask, "--report", tmp_path / "no" / "r.pdf", saying="make it first")
