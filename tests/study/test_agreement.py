"""Agreement over the rows of a table: which were used, and what to doubt."""

import json

import numpy as np
import pytest

from napari_vbmd.errors import FileFormatError, ParameterError
from napari_vbmd.measurement.agreement import agree
from napari_vbmd.measurement.precision import precision_error
from napari_vbmd.study.agreement import agree_on
from napari_vbmd.study.agreement_columns import Columns
from napari_vbmd.study.result_table import read_table

BOTH = Columns("a_mg_cm3", "b_mg_cm3")
REPEATED = Columns("a_mg_cm3", "b_mg_cm3", "patient", "visit")


@pytest.fixture
def table(tmp_path):
    def write(head, *rows):
        text = "\n".join([head, *(",".join(map(str, row)) for row in rows)])
        (tmp_path / "results.csv").write_text(text, encoding="utf-8")
        return read_table(tmp_path / "results.csv")

    return write


@pytest.fixture
def repeats(table):
    """Three patients measured twice; the second has no reference at the first visit."""
    return table(
        "patient,visit,a_mg_cm3,b_mg_cm3",
        ("P1", 1, 100, 101),
        ("P1", 2, 102, 99),
        ("P2", 1, 200, ""),
        ("P2", 2, 204, 203),
        ("P3", 1, 300, 302),
        ("P3", 2, 301, 305),
        ("", 1, 5, 6),
    )


def test_numbers_are_those_of_the_columns(table):
    values = [(1, 2), (3, 3), (4, 6), (7, 6)]
    found = agree_on(table("a_mg_cm3,b_mg_cm3", *values), BOTH)
    ours, reference = zip(*values, strict=True)
    assert found.agreement.to_dict() == agree(ours, reference).to_dict()
    assert (found.name, found.unit) == ("a", "mg HA/cm3")
    assert found.precision == {}


def test_rows_left_out_are_named_by_their_lines(table):
    found = agree_on(table("a_mg_cm3,b_mg_cm3", (1, 2), ("", 3), (4, 6), (7, "inf")), BOTH)
    assert found.to_dict()["agreement"]["left_out"] == [
        {"line": 3, "reason": "ours is missing"},
        {"line": 5, "reason": "the reference is not finite"},
    ]
    assert found.row_of(1).line == 4
    assert found.lines_by_reason() == {
        "ours is missing": [3], "the reference is not finite": [5],
    }  # fmt: skip


def test_a_patient_with_repeats_counts_once_by_the_first_complete_row(repeats):
    found = agree_on(repeats, REPEATED)
    assert found.agreement.pairs.ours.tolist() == [100, 204, 300]
    assert [found.row_of(i).line for i in range(3)] == [2, 5, 6]
    assert [(found.table.rows[row].line, why[:9]) for row, why in found.left_out] == [
        (3, "a further"), (4, "a further"), (7, "a further"), (8, "no patien"),
    ]  # fmt: skip


def test_precision_is_that_of_every_measurement_of_both_columns(repeats):
    found = agree_on(repeats, REPEATED).precision
    ours = precision_error([100, 102, 200, 204, 300, 301], list("112233"))
    assert found["a_mg_cm3"].rms_sd == ours.rms_sd
    assert found["b_mg_cm3"].patients == 2
    content = agree_on(repeats, REPEATED).to_dict()
    assert content["precision"]["a_mg_cm3"]["left_out"] == [{"line": 8, "reason": "no patient"}]
    json.dumps(content, allow_nan=False)


def test_precision_alone_needs_no_reference(repeats):
    found = agree_on(repeats, Columns("a_mg_cm3", None, "patient", "visit"))
    assert found.agreement is None
    assert found.left_out == ()
    assert list(found.precision) == ["a_mg_cm3"]
    assert found.to_dict()["agreement"] is None


def test_one_repeat_twice_is_refused_with_both_lines(table):
    twice = table("patient,visit,a_mg_cm3,b_mg_cm3", ("P1", 1, 1, 2), ("P1", 1, 3, 4))
    with pytest.raises(FileFormatError, match="lines 2 and 3: the same “visit” of one patient"):
        agree_on(twice, REPEATED)


def test_columns_of_different_units_or_the_same_column_are_refused(table):
    one = table("a_mg_cm3,b_mm2", (1, 2))
    with pytest.raises(ParameterError, match="different units: mg HA/cm3 and mm2"):
        agree_on(one, Columns("a_mg_cm3", "b_mm2"))
    with pytest.raises(ParameterError, match="compared with itself"):
        agree_on(one, Columns("b_mm2", "b_mm2"))


def test_without_any_pair_the_columns_are_named(table):
    none = table("a_mg_cm3,b_mg_cm3", (1, ""), (2, ""), ("", 3))
    with pytest.raises(ParameterError) as caught:
        agree_on(none, BOTH)
    assert str(caught.value).endswith(
        "no row has both numbers: in 2 rows “b_mg_cm3” is missing, in 1 row “a_mg_cm3” is missing"
    )


def test_repeats_without_patients_are_refused(table):
    one = table("patient,visit,a_mg_cm3,b_mg_cm3", ("", 1, 2, 3))
    with pytest.raises(ParameterError, match="repeats need a column of patients"):
        agree_on(one, Columns("a_mg_cm3", "b_mg_cm3", None, "visit"))
    with pytest.raises(ParameterError, match="no row has both numbers: in 1 row no patient"):
        agree_on(one, REPEATED)


def test_several_rows_of_a_patient_without_repeats_are_a_warning(table):
    rows = [("P1", 1, 2), ("P2", 3, 4), ("P1", 5, 7)]
    found = agree_on(
        table("patient,a_mg_cm3,b_mg_cm3", *rows), Columns("a_mg_cm3", "b_mg_cm3", "patient")
    )
    assert found.agreement.n == 3
    assert found.warnings[0].startswith("1 patient has several rows, such as lines 2 and 4")


def test_rows_of_different_scanners_and_constants_are_never_pooled_in_silence(table):
    rows = [(1, 2, "XCT1", 1600), (3, 4, "XCT2", 1600), (5, 6, "XCT1", 1600), ("", 6, "XCT1", 9)]
    found = agree_on(table("a_mg_cm3,b_mg_cm3,scanner,density_slope", *rows), BOTH)
    assert found.warnings == ["rows of different “scanner” are pooled: XCT1 in 2, XCT2 in 1"]


def test_a_unit_that_is_not_known_is_a_warning(table):
    found = agree_on(table("a,b", (1, 2), (2, 3), (4, 4)), Columns("a", "b"))
    assert found.warnings == ["the unit is not known: the columns' names do not end in one"]
    assert found.to_dict()["unit"] is None


def test_doubts_about_the_numbers_are_passed_on(table):
    true = np.linspace(100, 400, 30)
    growing = zip(true * 0.9 + np.resize([1, -1, 2], 30), true, strict=True)
    assert (
        "changes with the size" in agree_on(table("a_mg_cm3,b_mg_cm3", *growing), BOTH).warnings[0]
    )
