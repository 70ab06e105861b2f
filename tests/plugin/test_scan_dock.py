"""The dock Scan: facts, contrast in mg HA/cm3, and constants for a scan that lacks them."""

import numpy as np
import pytest
from napari.layers import Image

from napari_vbmd.io.isq import write_isq
from napari_vbmd.plugin import layers
from napari_vbmd.plugin.layers import scan_of

CONSTANTS = {
    "mu_scaling": "8192",
    "density_slope": "1603.51904",
    "density_intercept": "-391.209015",
}


@pytest.fixture
def page(viewer, dock):
    return dock("Scan")


def density_limits(layer):
    return scan_of(layer).density_transform()(np.array(layer.contrast_limits))


def test_without_a_scan_it_says_how_to_open_one(page):
    assert "Open Sample" in page.facts.text()
    assert not page.window_group.isEnabled()
    assert not page.calibration.isEnabled()


def test_facts_of_an_opened_scan(page, scan):
    facts = page.facts.text().splitlines()
    assert facts[0] == "ISQ file"
    assert facts[1].startswith("112 × 64 × 24 voxels of 0.082 mm; 9.18 × 5.25 × 1.97 mm")
    assert facts[2] == "stored as native, int16"
    assert facts[3].startswith("side: unknown (")
    assert facts[4] == "calibration: ISQ calibration block"
    assert page.problem.isHidden()


def test_nothing_that_names_a_person_is_shown(page, scan, tube):
    assert "Patient" not in page.facts.text()


def test_contrast_is_set_in_density(page, scan):
    page.low.setValue(0)
    page.high.setValue(900)
    np.testing.assert_allclose(density_limits(scan), (0, 900))


def test_bone_button_brings_the_bone_window_back(page, scan, click):
    page.low.setValue(500)
    button = page.window_group.findChildren(type(page.calibration.use))[0]
    click(button)
    np.testing.assert_allclose(density_limits(scan), (-200, 1200))
    assert (page.low.value(), page.high.value()) == (-200, 1200)


def test_black_above_white_leaves_the_contrast_as_it_was(page, scan):
    page.high.setValue(300)
    page.low.setValue(400)
    np.testing.assert_allclose(density_limits(scan), (-200, 300))


def test_window_shown_is_that_of_the_scan_picked(page, scan, viewer, tube):
    page.low.setValue(0)
    other = viewer.open(tube.path, plugin="napari-vbmd")[0]
    page.scan.pick(other)
    assert (page.low.value(), page.high.value()) == (-200, 1200)
    np.testing.assert_allclose(density_limits(scan), (0, 1200))
    page.scan.pick(scan)
    assert page.low.value() == 0


def test_uncalibrated_scan_asks_for_constants_and_offers_no_density_window(
    page, viewer, plain_layer
):
    viewer.add_layer(plain_layer)
    assert "No density without a calibration" in page.problem.text()
    assert not page.window_group.isEnabled()
    assert "calibration" in page.window_group.toolTip()


def test_typed_constants_calibrate_the_scan_and_open_the_window(
    page, viewer, plain_layer, click, qtbot
):
    viewer.add_layer(plain_layer)
    for name, text in CONSTANTS.items():
        qtbot.keyClicks(page.calibration.fields[name], text)
    click(page.calibration.use)
    assert scan_of(plain_layer).is_calibrated
    assert page.problem.isHidden()
    assert page.window_group.isEnabled()
    assert "given by the user" in page.facts.text()
    page.high.setValue(800)
    np.testing.assert_allclose(density_limits(plain_layer), (-200, 800))


def test_scan_in_pixels_is_refused_with_the_cure_and_nothing_can_be_pressed(page, viewer, scan):
    before = scan.contrast_limits
    viewer.add_layer(Image(np.zeros((3, 4, 5)), name="in pixels"))
    page.scan.pick(viewer.layers["in pixels"])
    assert "set layer.scale in mm" in page.problem.text()
    assert page.facts.isHidden()
    assert not page.window_group.isEnabled()
    assert not page.calibration.isEnabled()
    page.low.setValue(100)
    page.calibration.apply()
    assert scan.contrast_limits == before


def test_scan_that_was_rotated_meanwhile_is_refused_in_the_dock(page, scan):
    scan.rotate = 20
    page.low.setValue(100)
    assert "rotated" in page.problem.text()


def test_removed_scan_leaves_the_dock_as_at_first(page, viewer, scan):
    viewer.layers.remove(scan)
    assert "Open Sample" in page.facts.text()
    assert not page.window_group.isEnabled()
    page.low.setValue(100)
    page.calibration.apply()


def test_multiscale_scan_is_as_good_as_any(monkeypatch, page, viewer, open_scan):
    monkeypatch.setattr(layers, "LARGEST_VOLUME", 1000)
    layer = open_scan(viewer)
    assert layer.multiscale
    assert "112 × 64 × 24 voxels" in page.facts.text()
    page.low.setValue(0)
    np.testing.assert_allclose(density_limits(layer), (0, 1200))
    viewer.dims.ndisplay = 3
    viewer.dims.ndisplay = 2


def test_two_viewers_have_docks_of_their_own(make_napari_viewer, page, viewer, scan, dock):
    other = make_napari_viewer()
    other_page = dock("Scan", other)
    assert other_page.scan.layer is None
    other.add_image(np.zeros((3, 4, 5)), name="theirs")
    assert page.scan.layer is scan
    assert other_page.scan.currentText() == "theirs"


def test_identify_shows_the_patient_until_another_scan_is_picked(page, viewer, scan, tmp_path):
    known = scan_of(scan)
    constants = known.calibration
    write_isq(tmp_path / "roe.isq", known.voxels, (0.082,) * 3, constants, "<b>Roe</b>, Jane")
    named = viewer.open(tmp_path / "roe.isq", plugin="napari-vbmd")[0]
    page.scan.pick(named)
    assert "Roe" not in page.facts.text()
    page.identify.setChecked(True)
    assert "Patient Name: <b>Roe</b>, Jane" in page.facts.text()
    page.scan.pick(scan)
    assert not page.identify.isChecked()
    assert "Patient" not in page.facts.text()
    page.identify.setChecked(True)
    assert "Patient Name: " in page.facts.text()
    page.identify.setChecked(False)
    assert "Patient" not in page.facts.text()


def test_identify_says_so_where_the_header_names_nobody(page, viewer, plain_layer):
    viewer.add_layer(plain_layer)
    page.identify.setChecked(True)
    assert "the header names nobody" in page.facts.text()
