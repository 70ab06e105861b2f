"""The command `agree`."""

import json

import numpy as np
import pytest


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    expert = rng.normal(279.3, 42.8, 30)
    rows = [f"P{i},{e - 14 + rng.normal(0, 3):.3f},{e:.3f}" for i, e in enumerate(expert)]
    path = tmp_path / "results.csv"
    path.write_text("\n".join(["patient,tt_vbmd_mg_cm3,expert_tt_vbmd_mg_cm3", *rows]))
    return path


def test_a_table_becomes_numbers_and_figures(cli, table, tmp_path):
    status, out, _ = cli("agree", table, "--out", tmp_path / "out")
    assert status == 0
    assert "Tt.vBMD: tt_vbmd_mg_cm3 against expert_tt_vbmd_mg_cm3, 30 pairs" in out
    [bias] = [line for line in out.splitlines() if line.startswith("Bias (")]
    assert bias.split()[4].startswith(("−13.", "−14."))
    assert bias.endswith("mg HA/cm3")
    assert (tmp_path / "out" / "agreement_tt_vbmd_mg_cm3.pdf").is_file()


def test_json_is_that_of_the_file_with_paths(json_of, table, tmp_path):
    content = json_of("agree", table, "--out", tmp_path / "out")
    written = json.loads((tmp_path / "out" / "agreement.json").read_text())
    assert content["quantities"] == written["quantities"]
    assert content["files"]["agreement.csv"] == str(tmp_path / "out" / "agreement.csv")


def test_a_table_of_measure_is_taken_as_it_is(cli, json_of, scan, mask, tmp_path):
    csv = tmp_path / "one.csv"
    assert cli("measure", scan, mask, "--expert", mask, "--csv", csv)[0] == 0
    content = json_of("agree", csv, "--out", tmp_path / "out")
    names = [one["ours"] for one in content["quantities"]]
    assert names == ["tt_vbmd_mg_cm3", "mean_slice_area_mm2"]
    found = content["quantities"][0]["agreement"]
    assert found["n"] == 1
    assert found["pearson"]["missing"] == "1 pair where 3 are needed"


def test_people_read_what_is_missing_and_what_was_left_out(cli, table, tmp_path):
    lines = table.read_text().splitlines()
    table.write_text("\n".join([*lines[:3], "P9,,270"]))
    _, out, _ = cli("agree", table, "--out", tmp_path / "out")
    assert "missing: Pearson r: 2 pairs where 3 are needed" in out
    assert "left out: ours is missing: line 4" in out


def test_repeats_give_the_precision(cli, tmp_path):
    rows = [f"P{i};{v};{280 + i + v},5" for i in range(12) for v in (1, 2)]
    path = tmp_path / "repeats.csv"
    path.write_text("\n".join(["patient;visit;tt_vbmd_mg_cm3", *rows]))
    status, out, err = cli("agree", path, "--out", tmp_path / "out", "--repeat", "visit")
    assert status == 0
    assert "24 measurements of 12 patients" in out
    assert "Precision error, ours, RMS SD   0.71" in out
    assert "warning: Tt.vBMD: “tt_vbmd_mg_cm3”: precision error from 12 degrees" in err


def test_many_lines_left_out_are_counted(cli, table, tmp_path):
    table.write_text("\n".join([table.read_text(), *("P,,1" for _ in range(14))]))
    _, out, _ = cli("agree", table, "--out", tmp_path / "out")
    assert "lines 32, 33, 34, 35, 36, 37, 38, 39, 40, 41 and 4 more" in out


def test_bad_input_is_one_line_that_names_column_and_line(refuses, table, tmp_path):
    out = ("--out", tmp_path / "out")
    refuses("agree", tmp_path / "none.csv", *out, saying="none.csv: no such file")
    refuses("agree", table, *out, "--ours", "x", saying="no column “x”; there are patient, tt_v")
    refuses("agree", table, *out, "--ours", "patient", "--reference", "tt_vbmd_mg_cm3",
            saying="line 2, column “patient”: “P0” is not a number")  # fmt: skip
    refuses("agree", table, saying="--out")
    table.write_text("a,b\n1,2\n")
    refuses("agree", table, *out, saying="name the two to compare")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_is_one_line(refuses, table, tmp_path):
    (tmp_path / "file").touch()
    refuses("agree", table, "--out", tmp_path / "file", saying="is a file, not a folder")
