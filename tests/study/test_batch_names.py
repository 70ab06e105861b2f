"""Folders of patients: safe names, and never one for two."""

import pytest

from napari_vbmd.study.batch_names import folder_names, safe_name
from napari_vbmd.study.manifest import Case


def case(key, patient=None):
    return Case(key, key, patient=patient)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("P01", "P01"),
        ("Müller 3/4", "Müller_3_4"),
        ("../../etc", "etc"),
        ("a:b*c?", "a_b_c"),
        ("..", "scan"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("x" * 300, "x" * 60),
    ],
)
def test_a_name_is_safe_on_every_system(text, name):
    assert safe_name(text) == name


def test_rows_are_named_after_the_patient_else_the_scan():
    assert folder_names([case("a/1.ISQ", "p1"), case("b/HAND.nii.gz")]) == ["p1", "HAND"]


def test_two_rows_never_share_a_folder_and_a_later_row_changes_no_earlier_one():
    rows = [case("a/1.isq", "P"), case("b/2.isq", "p"), case("c/2.isq", "P"), case("d/2.isq", "P")]
    names = folder_names(rows)
    assert names[:2] == ["P", "p_2"]
    assert len({name.casefold() for name in names}) == 4
    assert folder_names(rows[:3]) == names[:3]


def test_the_tables_name_is_taken():
    assert folder_names([case("x/1.isq", "Batch.csv")], ["batch.csv"]) == ["Batch.csv_1"]
