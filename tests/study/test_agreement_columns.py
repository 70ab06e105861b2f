"""Which columns are compared when some, or none, are named."""

import pytest

from napari_vbmd.errors import ParameterError
from napari_vbmd.study.agreement_columns import Columns, choose_columns, default_pairs, likely_pair
from napari_vbmd.study.result_table import ResultTable

AREA, DENSITY = "mean_slice_area_mm2", "tt_vbmd_mg_cm3"


def table(*columns, tmp_path="results.csv"):
    return ResultTable(tmp_path, columns, ())


def test_every_quantity_with_an_experts_beside_it_is_compared_density_first():
    found = table(
        "scan", "dice", "expert_dice", AREA, "expert_" + AREA, DENSITY, "expert_" + DENSITY
    )
    assert default_pairs(found) == [(DENSITY, "expert_" + DENSITY), (AREA, "expert_" + AREA)]
    assert [columns.ours for columns in choose_columns(found)] == [DENSITY, AREA]


def test_the_reference_follows_from_ours_and_ours_from_the_reference():
    found = table(DENSITY, "expert_" + DENSITY, AREA, "expert_" + AREA, "manual")
    area = Columns(AREA, "expert_" + AREA)
    assert choose_columns(found, ours=AREA) == [area]
    assert choose_columns(found, reference="expert_" + AREA) == [area]
    assert choose_columns(found, reference="manual") == [Columns(DENSITY, "manual")]
    assert choose_columns(found, "manual", AREA) == [Columns("manual", AREA)]


def test_what_is_offered_first_has_a_unit_and_a_reference_only_where_it_is_clear():
    assert likely_pair(table("visit", DENSITY), ["visit", DENSITY]) == (DENSITY, None)
    spread = "tt_vbmd_sd_mg_cm3"  # in the same unit, and no reference
    assert likely_pair(table(DENSITY, spread, AREA), [DENSITY, spread, AREA]) == (DENSITY, None)
    assert likely_pair(table("a", "b"), ["a", "b"]) == ("a", "b")
    assert likely_pair(table("who"), []) == (None, None)
    both = table(DENSITY, "expert_" + DENSITY)
    assert likely_pair(both, both.columns) == both.columns
    assert likely_pair(both, [DENSITY]) == (DENSITY, None)


def test_patients_are_found_by_the_columns_name():
    found = table("patient", "who", DENSITY, "expert_" + DENSITY)
    assert choose_columns(found)[0].patient == "patient"
    assert choose_columns(found, patient="who")[0].patient == "who"


def test_with_repeats_no_reference_is_needed():
    found = table("patient", "visit", DENSITY)
    assert choose_columns(found, repeat="visit") == [Columns(DENSITY, None, "patient", "visit")]


@pytest.mark.parametrize(
    ("columns", "named", "saying"),
    [
        (("a", "b"), {}, "no columns “tt_vbmd_mg_cm3” and “expert_tt_vbmd_mg_cm3”"),
        (("a", "b"), {"ours": "c"}, "no column “c”; there are a, b"),
        (("a", "b"), {"ours": "a"}, "no column “expert_a” beside “a”"),
        (("a", "b"), {"reference": "b"}, "no column “tt_vbmd_mg_cm3”"),
        (("a", "b"), {"ours": "a", "reference": "b", "patient": "p"}, "no column “p”"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_one_line(columns, named, saying):
    with pytest.raises(ParameterError, match=saying):
        choose_columns(table(*columns), **named)
