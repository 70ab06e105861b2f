"""A comparison as a table, as text and as CSV."""

import io

import numpy as np
import pandas as pd
import pytest

from napari_vbmd.calibration import Calibration
from napari_vbmd.grid import Grid
from napari_vbmd.measurement.comparison import measure_against
from napari_vbmd.plugin import results
from napari_vbmd.scan import Mask, Scan

GRID = Grid((6, 4, 5), (0.5, 0.2, 0.1))


def box(first, last, columns=slice(0, 3)):
    voxels = np.zeros(GRID.shape, np.uint8)
    voxels[first : last + 1, 1:3, columns] = 1
    return Mask(voxels, GRID)


@pytest.fixture
def scan():
    voxels = np.arange(np.prod(GRID.shape), dtype=np.int16).reshape(GRID.shape)
    return Scan(voxels, "density", GRID, Calibration())


@pytest.fixture
def alone(scan):
    return measure_against(scan, box(1, 4))


@pytest.fixture
def compared(scan):
    return measure_against(scan, box(1, 4), box(2, 4))


def test_rows_hold_the_numbers_rounded_with_units(alone):
    rows = {name: (value, unit) for name, value, unit in results.rows(alone)}
    m = alone.measurement
    assert rows["Tt.vBMD"] == (f"{m.tt_vbmd_mg_cm3:.1f}", "mg HA/cm³")
    assert rows["Volume"] == ("0.24", "mm³")
    assert rows["Tt.Ar, mean"] == ("0.12", "mm²")
    assert rows["Slices"] == ("1–4", "4 with mask")
    assert rows["Voxels"] == ("24", "")


def test_rows_with_an_expert_hold_the_agreement(compared):
    rows = {name: value for name, value, _ in results.rows(compared)}
    assert rows["Dice"] == f"{2 * 18 / 42:.3f}"
    assert rows["IoU"] == f"{18 / 24:.3f}"
    assert rows["Difference"] == f"{compared.difference_mg_cm3:+.1f}"
    assert rows["on common slices"] == "+0.0"


def test_difference_that_cannot_be_had_is_a_dash(scan):
    apart = measure_against(scan, box(0, 1), box(4, 5))
    rows = {name: value for name, value, _ in results.rows(apart)}
    assert rows["on common slices"] == "–"
    assert rows["Dice"] == "0.000"


def test_single_voxel_has_no_spread(scan):
    rows = dict(row[:2] for row in results.rows(measure_against(scan, one_voxel())))
    assert rows["SD of voxels"] == "–"


def one_voxel():
    voxels = np.zeros(GRID.shape, np.uint8)
    voxels[2, 2, 2] = 1
    return Mask(voxels, GRID)


def test_text_has_the_names_first_and_three_columns(compared):
    lines = results.as_text(compared, "scan.isq", "mask", "expert").split("\n")
    assert lines[:3] == ["Scan\tscan.isq\t", "Mask\tmask\t", "Expert\texpert\t"]
    assert all(line.count("\t") == 2 for line in lines)
    assert len(lines) == 3 + len(results.rows(compared))


def test_csv_read_back_equals_the_numbers(compared):
    data = pd.read_csv(io.StringIO(results.as_csv(compared, "s", "m", "e")))
    assert data["slice"].tolist() == ["all", "1", "2", "3", "4"]
    assert data["tt_vbmd_mg_cm3"][0] == compared.measurement.tt_vbmd_mg_cm3
    assert data["dice"][0] == compared.overlap.dice
    assert data["dice"][1:].tolist() == [0, 1, 1, 1]
    assert data["tt_vbmd_mg_cm3"][1:].tolist() == [
        row["tt_vbmd_mg_cm3"] for row in compared.measurement.per_slice
    ]


def test_csv_without_an_expert_has_no_empty_agreement(alone):
    data = pd.read_csv(io.StringIO(results.as_csv(alone, "s", "m", None)))
    assert "dice" not in data
    assert len(data) == 5


def test_name_that_a_spreadsheet_would_run_is_kept_as_text(alone):
    data = pd.read_csv(io.StringIO(results.as_csv(alone, "=1+1", "m", None)))
    assert data["scan"][0] == "'=1+1"


def test_agreement_tells_the_sign_of_the_difference(compared, alone):
    text = results.agreement(compared)
    assert f"{compared.difference_mg_cm3:+.1f}" in text
    assert "Dice 0.857" in text
    assert results.agreement(alone) == ""


@pytest.mark.parametrize(
    ("calibration", "text"),
    [
        ({"unit": "density"}, "The file stores mg HA/cm³."),
        (
            {
                "unit": "hu",
                "mu_water_per_cm": 0.2409,
                "density_slope": 1600.0,
                "density_intercept": -390.0,
                "source": "given by the user",
            },
            "From HU: mu of water 0.2409 1/cm, slope 1600, intercept -390 (given by the user)",
        ),
        (
            {
                "unit": "mu",
                "density_slope": 1600.0,
                "density_intercept": -390.0,
                "source": "AIM log",
            },
            "From 1/cm: slope 1600, intercept -390 (AIM log)",
        ),
    ],
)
def test_calibration_line_names_what_was_used(calibration, text):
    assert results.calibration_line(calibration) == text
