"""The table of a batch: what differs is flagged, and groups are counted."""

from dataclasses import replace

import pytest

from napari_vbmd.errors import WriteError
from napari_vbmd.measurement.compartments import NUMBERS, Compartments
from napari_vbmd.study.batch_case import BatchCase, BatchSettings, Outcome
from napari_vbmd.study.batch_table import COLUMNS, check_table, differing, row_of, write_table
from napari_vbmd.study.manifest import Case
from napari_vbmd.study.result_table import read_table

ROW = dict.fromkeys(COLUMNS) | {
    "patient": "p", "scan": "s", "status": "done", "tt_vbmd_mg_cm3": 280.0, "scanner": "XtremeCT",
    "voxel_z_mm": 0.082, "voxel_y_mm": 0.082, "voxel_x_mm": 0.082, "unit_stored": "native",
    "mu_scaling": 8192.0, "density_slope": 1603.5, "density_intercept": -391.2,
    "napari_vbmd": "0.1.0",
}  # fmt: skip


def rows(*changes):
    return [ROW | {"scan_sha256": str(i)} | change for i, change in enumerate(changes)]


def test_scans_that_are_alike_are_one_group_without_flags(tmp_path):
    [group] = write_table(rows({}, {}, {}), tmp_path / "t.csv")
    assert group.scans == 3
    assert differing([group]) == []
    assert read_table(tmp_path / "t.csv").texts("flags") == [None] * 3


@pytest.mark.parametrize(
    ("change", "name", "flag"),
    [
        (
            {"voxel_x_mm": 0.061, "voxel_y_mm": 0.061},
            "voxel size",
            "voxel size 0.082 0.061, of most scans 0.082",
        ),
        ({"scanner": ""}, "scanner", "scanner not said, of most scans XtremeCT"),
        ({"density_slope": 1600.0}, "calibration", "calibration native 8192 1600 -391.2, of most"),
        ({"napari_vbmd": "0.0.9"}, "version of napari-vbmd", "version of napari-vbmd 0.0.9"),
    ],
)
def test_a_scan_that_differs_is_flagged_wherever_its_row_stands(tmp_path, change, name, flag):
    groups = write_table(rows(change, {}, {}), tmp_path / "t.csv")
    table = read_table(tmp_path / "t.csv")
    assert table.texts("group") == ["2", "1", "1"]
    assert table.texts("flags")[0].startswith(flag)
    assert table.texts("flags")[1:] == [None, None]
    assert differing(groups) == [name]
    assert groups[1].text([name]).startswith(f"group 2: 1 scan: {name} ")


def test_one_scan_in_two_rows_is_flagged(tmp_path):
    write_table(rows({}, {"scan_sha256": "0"}, {}), tmp_path / "t.csv")
    flags = read_table(tmp_path / "t.csv").texts("flags")
    assert flags == ["2 rows have this very scan"] * 2 + [None]


def test_a_failure_is_in_no_group(tmp_path):
    failed = {"scan_sha256": None, "status": "failed", "scanner": "another"}
    assert len(write_table(rows(failed, {}), tmp_path / "t.csv")) == 1


def test_a_reason_cannot_become_a_formula(tmp_path):
    write_table(rows({"reason": "=cmd()"}), tmp_path / "t.csv")
    assert read_table(tmp_path / "t.csv").texts("reason") == ["'=cmd()"]


def test_only_an_older_table_of_a_batch_may_be_replaced(tmp_path):
    check_table(tmp_path / "none.csv")
    write_table(rows({}), tmp_path / "t.csv")
    check_table(tmp_path / "t.csv")
    write_table([], tmp_path / "empty.csv")
    check_table(tmp_path / "empty.csv")
    (tmp_path / "x.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(WriteError, match="not a table of a batch"):
        check_table(tmp_path / "x.csv")


def test_a_batch_with_compartments_has_their_columns_and_others_do_not(tmp_path):
    settings = BatchSettings("contour", None, compartments=True)
    job = BatchCase("a", tmp_path / "a.isq", None, tmp_path, None, None, settings)
    parts = Compartments(**dict.fromkeys(NUMBERS, 2.0)).to_dict()
    measured = {"slices": {"first": 0, "last": 1, "count": 2}, "compartments": parts}
    case = Case("a.isq", tmp_path / "a.isq")
    row = row_of(case, job, Outcome("done", measurement=measured), tmp_path)
    assert [row[name] for name in NUMBERS] == [2.0] * len(NUMBERS)
    assert row["compartments_method"] == parts["method"]
    failed = row_of(case, job, Outcome("failed", "why"), tmp_path)
    assert failed.keys() == row.keys()
    plain = replace(job, settings=replace(settings, compartments=False))
    assert not set(NUMBERS) & row_of(case, plain, Outcome("failed", "why"), tmp_path).keys()
