"""The cohort as a table."""

import pytest

from napari_vbmd.study.cohort import cohort_of
from napari_vbmd.study.cohort_check import Seen
from napari_vbmd.study.cohort_table import describe, table_rows


@pytest.fixture
def described(manifest_of):
    rows = [
        {"patient": "A", "age": 50, "sex": "female", "split": "training"},
        {"patient": "A", "age": 52, "sex": "female", "split": "training"},
        {"patient": "B", "age": 70, "sex": "male", "split": "validation"},
        {"patient": "C", "split": "test"},
    ]
    rows = [{"scan": f"{k}.isq", "motion_grade": 1 + k // 2, **row} for k, row in enumerate(rows)]
    cohort = cohort_of(manifest_of(*rows))
    seen = {case.key: Seen("left", 200.0 + 100 * k) for k, case in enumerate(cohort.cases)}
    return describe(cohort, seen | {"3.isq": Seen("right")})


def test_the_table_counts_patients_and_scans(described):
    every = described["all"]
    assert list(described) == ["all", "training", "validation", "test"]
    assert (every["scans"], every["patients"]) == (4, 3)
    assert every["sex"] == {"female": 1, "male": 1}
    assert every["side"] == {"left": 3, "right": 1}
    assert every["motion_grade"] == {"1": 2, "2": 2}
    assert described["training"]["scans"] == 2


def test_means_have_the_sample_sd_and_say_of_how_many(described):
    age = described["all"]["age_years"]
    assert (age["mean"], age["count"]) == (pytest.approx(172 / 3), 3)
    assert age["sd"] == pytest.approx(11.015, abs=1e-3)
    assert described["all"]["tt_vbmd_mg_cm3"]["mean"] == 300
    assert described["test"]["tt_vbmd_mg_cm3"]["mean"] is None


def test_people_read_shares_and_n(described):
    rows = {row[0]: row[1:] for row in table_rows(described)}
    assert rows[""] == ("all", "training", "validation", "test")
    assert rows["age, years, mean (SD)"][0] == "57.3 (11.0), n = 3"
    assert rows["left hands"] == ("3 (75%)", "2 (100%)", "1 (100%)", "0 (0%)")
    assert rows["Tt.vBMD, mg HA/cm3, mean (SD)"][1:3] == ("250.0 (70.7)", "400.0")
    assert not any("area" in name for name in rows), "what nobody measured has no row"
