"""An agreement in the dock's words."""

from napari_vbmd.measurement.agreement import agree
from napari_vbmd.measurement.agreement_tables import Line, agreement_lines, precision_lines
from napari_vbmd.measurement.precision import precision_error
from napari_vbmd.plugin import agreement_text
from napari_vbmd.study.csv_rows import Row


def test_a_row_is_called_by_patient_case_or_scan_and_always_by_its_line():
    def title(**cells):
        return agreement_text.title(Row(7, cells, False))

    assert title(patient="P1", scan="a.isq") == "P1 (line 7)"
    assert title(patient="", scan="a.isq") == "a.isq (line 7)"
    assert title(other="x") == "line 7"


def test_rows_are_short_and_have_their_p_below():
    lines = agreement_lines(agree([1, 2, 3, 4.5], [1, 2.5, 3, 4]), "mg HA/cm3")
    rows = agreement_text.rows(lines)
    names = [row[0] for row in rows]
    assert names[:3] == ["Pairs", "Mean, ours", "SD, ours"]
    assert max(map(len, names)) <= 18
    assert rows[names.index("Pearson r") + 1][0] == "   p"
    assert rows[names.index("Pearson r") + 1][1] == "0.029"
    assert "Bias, %" in names


def test_precision_of_ours_and_the_reference_are_told_apart():
    found = precision_error([1.0, 2.0, 4.0, 4.5], ["a", "a", "b", "b"])
    ours, theirs = (
        [row[0] for row in agreement_text.rows(precision_lines(found, "mm", whose))]
        for whose in ("ours", "reference")
    )
    assert ours == ["RMS SD", "RMS %CV", "LSC", "LSC, %", "Degrees of freedom"]
    assert theirs[:4] == ["Ref. RMS SD", "Ref. RMS %CV", "Ref. LSC", "Ref. LSC, %"]


def test_the_unit_stands_above_the_numbers():
    assert agreement_text.heading("mg HA/cm3") == "mg HA/cm³, with 95 % confidence intervals"
    assert agreement_text.heading("") == "With 95 % confidence intervals"


def test_each_reason_is_told_once_with_what_is_missing():
    lines = [Line("a", "–", "", "", "why"), Line("b", "–", "", "", "why"), Line("c", "1", "", "")]
    assert agreement_text.missing(lines) == "Missing: a, b: why."
    assert agreement_text.missing(lines[2:]) == ""
