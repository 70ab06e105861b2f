"""Tables: the numbers of a comparison with names, units and nothing that a spreadsheet runs."""

import csv
import io

import numpy as np
import pytest

from napari_vbmd.calibration import Calibration
from napari_vbmd.grid import Grid
from napari_vbmd.measurement import tables
from napari_vbmd.measurement.comparison import measure_against
from napari_vbmd.scan import Mask, Scan

GRID = Grid((4, 5, 6), (1, 1, 1))


@pytest.fixture
def scan() -> Scan:
    voxels = np.arange(120.0).reshape(GRID.shape)
    known = Calibration(density_slope=1.0, density_intercept=0.0)
    return Scan(voxels, "density", GRID, known)


def slices(*filled) -> Mask:
    voxels = np.zeros(GRID.shape, np.uint8)
    voxels[list(filled), 1:3, 1:3] = 1
    return Mask(voxels, GRID)


def test_people_read_mask_expert_and_difference_with_units(scan):
    rows = {row[0]: row[1:] for row in tables.rows_for_people(
        measure_against(scan, slices(1, 2), slices(2, 3))
    )}  # fmt: skip
    assert rows["Tt.vBMD"] == ("55.5", "85.5", "-30.0", "mg HA/cm3")
    assert rows["Tt.vBMD over common slices"] == ("", "", "+0.0", "mg HA/cm3")
    assert rows["Slices with mask"] == ("1 to 2", "2 to 3", "", "")


def test_without_an_expert_those_columns_are_empty(scan):
    for row in tables.rows_for_people(measure_against(scan, slices(1))):
        assert row[2:4] == ("", "")


def test_overlap_is_shown_with_the_volume_difference_and_without_what_is_not_known(scan):
    comparison = measure_against(scan, slices(1, 2), slices(2))
    shown = tables.overlap_rows(comparison)
    assert ("Dice", "0.667", "") in shown
    assert ("Volume difference", "100.0", "%") in shown
    assert not {"AUC", "Average precision"} & {name for name, *_ in shown}
    row = tables.row(comparison)
    assert row["volume_difference_mm3"] == 4.0
    assert row["auc"] is None


def test_a_single_voxel_has_no_spread(scan):
    mask = slices()
    mask.voxels[0, 0, 0] = 1
    rows = {row[0]: row[1] for row in tables.rows_for_people(measure_against(scan, mask))}
    assert rows["SD of the voxels"] == "-"


def test_each_slice_of_either_mask_is_a_row_with_empty_cells_where_one_lacks(scan):
    comparison = measure_against(scan, slices(1, 2), slices(2, 3))
    rows = list(csv.DictReader(io.StringIO(tables.csv_text(tables.slice_rows(comparison)))))
    assert [row["slice"] for row in rows] == ["1", "2", "3"]
    assert [row["expert_voxels"] for row in rows] == ["", "4", "4"]
    assert [row["voxels"] for row in rows] == ["4", "4", ""]
    assert [float(row["dice"]) for row in rows] == [0, 1, 0]


def test_a_name_that_a_spreadsheet_would_run_stays_text():
    text = tables.csv_text([{"scan": "=cmd()", "difference": -1.5}])
    assert text == "scan,difference\n'=cmd(),-1.5\n"
