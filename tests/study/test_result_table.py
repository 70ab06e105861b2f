"""A table of results: numbers, what counts as missing, and what is refused with its place."""

import math

import pytest

from napari_vbmd.errors import FileFormatError, ParameterError
from napari_vbmd.study.result_table import name_of, read_table, unit_of


@pytest.fixture
def table(tmp_path):
    """Write a text as a table, and read it."""

    def write(text, encoding="utf-8"):
        (tmp_path / "results.csv").write_text(text, encoding=encoding)
        return read_table(tmp_path / "results.csv")

    return write


def test_numbers_are_read_as_they_were_written(table):
    found = table("a,b\n279.3,-1\n+2.5e2,.5\n−14,1\n").numbers("a")
    assert found == [279.3, 250.0, -14.0]


@pytest.mark.parametrize("cell", ["", " ", "NA", "n/a", "NaN", "None", "null", "-", "–"])
def test_words_for_nothing_are_missing(table, cell):
    assert table(f"a,b\n{cell},1\n2,1\n").numbers("a") == [None, 2.0]


def test_an_infinite_number_is_read_as_such(table):
    assert table("a,b\ninf,1\n-Infinity,1\n").numbers("a") == [math.inf, math.inf]


@pytest.mark.parametrize("cell", ["abc", "1_000", "12 mg", "1.2.3", "0x10", "２"])
def test_anything_else_is_refused_with_line_and_column(table, cell):
    found = table(f"a,b\n1,1\n\n{cell},1\n")
    with pytest.raises(FileFormatError, match=f"line 4, column “a”: “{cell}” is not a number"):
        found.numbers("a")
    assert found.numbers("b") == [1.0, 1.0]


def test_a_comma_is_a_decimal_point_only_between_semicolons(table):
    assert table("a;b\n279,3;-0,5\n1.5;2\n").numbers("a") == [279.3, 1.5]
    with pytest.raises(FileFormatError, match="write decimals with a point"):
        table('a,b\n"279,3",1\n').numbers("a")
    with pytest.raises(FileFormatError, match="write decimals with a point"):
        table("a\tb\n1,234\t1\n").numbers("a")


def test_decimal_commas_between_commas_are_noticed(table):
    with pytest.raises(FileFormatError, match="line 2: more cells than columns"):
        table("a,b\n279,3,265,1\n")


def test_a_byte_order_mark_and_windows_line_ends_are_fine(table):
    assert table("a,b\r\n1,2\r\n", "utf-8-sig").numbers("a") == [1.0]


def test_rows_of_single_slices_are_not_read(table):
    found = table("slice,a\nall,5\n0,4\n1,6\n")
    assert found.numbers("a") == [5.0]
    assert found.slice_rows == 2
    with pytest.raises(FileFormatError, match="holds slices, not patients"):
        table("slice,a\n0,4\n1,6\n")


def test_a_column_that_is_not_there_is_named_with_those_that_are(table):
    with pytest.raises(ParameterError, match="no column “c”; there are a, b"):
        table("a,b\n1,2\n").numbers("c")


def test_a_table_without_rows_is_refused(table):
    with pytest.raises(FileFormatError, match="no rows"):
        table("a,b\n")


def test_columns_of_text_are_told_from_numbers_even_with_a_slip_of_the_pen(table):
    found = table("patient,a,empty,slip\nP1,1,,3O1\n,2,,5\nP2,3,,NA\n")
    assert [found.is_numeric(column) for column in found.columns] == [False, True, False, True]
    assert found.texts("patient") == ["P1", None, "P2"]


def test_units_and_names_follow_from_the_column():
    assert unit_of("expert_tt_vbmd_mg_cm3") == "mg HA/cm3"
    assert unit_of("mean_slice_area_mm2") == "mm2"
    assert unit_of("manual_1") == ""
    assert name_of("tt_vbmd_mg_cm3") == name_of("expert_tt_vbmd_mg_cm3") == "Tt.vBMD"
    assert name_of("ct_thickness_mm") == "ct thickness"
