"""A word about what is unlike the published, and silence about all else."""

import pytest

from napari_vbmd.measurement.published import unlike_published

DENSITY, AREA = 279.3, 122.2  # the published means


@pytest.mark.parametrize("density", [148.0, 162.0, 203.8, 265.3, 377.0, 500.0, 649.0])
def test_a_density_within_what_was_published_needs_no_word(density):
    assert unlike_published(density, AREA) == []


@pytest.mark.parametrize(
    ("density", "side"), [(147.9, "below"), (-41.3, "below"), (649.1, "above")]
)
def test_a_density_outside_of_it_gets_one_sentence_with_its_sources(density, side):
    [note] = unlike_published(density, AREA)
    assert note.startswith(f"Tt.vBMD {density:.1f} mg HA/cm3 lies {side} the published heads of")
    assert "162 to 377 in Folle et al. 2021" in note
    assert "148 to 649 in 73 people of ORMIR-XCT" in note
    assert note.endswith("look at outline, slices and calibration")


@pytest.mark.parametrize("area", [65.6, 82.8, 109.7, 122.2, 161.6, 180.0])
def test_an_area_within_three_sd_needs_no_word(area):
    """65.6 and 109.7 mm2: the two bones of the real joint in the vendor's mask."""
    assert unlike_published(DENSITY, area) == []


@pytest.mark.parametrize(("area", "size"), [(30.0, "smaller"), (245.0, "larger")])
def test_an_area_far_off_is_said_to_be_so_of_second_metacarpals_only(area, size):
    [note] = unlike_published(DENSITY, area)
    assert f"{area:.2f} mm2 is {size}" in note
    assert "second metacarpals" in note
    assert "another bone or another part of it may well have it" in note


def test_both_can_be_said():
    assert len(unlike_published(900.0, 30.0)) == 2
