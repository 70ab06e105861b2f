"""Every file is looked at before long work begins."""

import pytest

from napari_vbmd.errors import FileFormatError
from napari_vbmd.study.cohort import cohort_of
from napari_vbmd.study.cohort_check import check_files


def test_every_case_is_looked_at_and_measured_when_asked(draw, manifest_of):
    cohort = cohort_of(manifest_of(draw("a"), draw("b", density=500.0), draw("c", mask="")))
    told = []
    seen = check_files(cohort, progress=lambda fraction, message: told.append(message))
    assert told == ["look: a.isq", "look: b.isq", "look: c.isq"]
    assert {one.side for one in seen.values()} == {"right"}
    assert all(one.tt_vbmd_mg_cm3 is None for one in seen.values())
    seen = check_files(cohort, measured=True)
    assert seen["a.isq"].tt_vbmd_mg_cm3 == pytest.approx(700, abs=1)
    assert seen["b.isq"].tt_vbmd_mg_cm3 == pytest.approx(500, abs=1)
    assert seen["a.isq"].mean_slice_area_mm2 == pytest.approx(256 * 0.246**2, rel=0.02)
    assert seen["c.isq"].tt_vbmd_mg_cm3 is None


def test_a_digital_hand_is_drawn_only_to_be_measured(manifest_of, monkeypatch):
    cohort = cohort_of(manifest_of({"scan": "phantom:5", "side": "left"}))
    monkeypatch.setattr("napari_vbmd.study.sources.render", pytest.fail)
    assert check_files(cohort)["phantom:5"].side == "left"


def test_all_rows_that_cannot_be_used_are_named_at_once(draw, manifest_of, refused):
    manifest = manifest_of(
        draw("a", mask="none.aim"), draw("b"), draw("c", side=""), {"scan": "none.isq"}
    )
    with refused(FileFormatError, manifest.path, "3 rows cannot be used") as _:
        check_files(cohort_of(manifest))
    with pytest.raises(FileFormatError) as caught:
        check_files(cohort_of(manifest))
    for part in ("line 2: ", "none.aim", "line 4: ", "left or right", "line 5: ", "none.isq"):
        assert part in str(caught.value)
    assert "line 3" not in str(caught.value)
