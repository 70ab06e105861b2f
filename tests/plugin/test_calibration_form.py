"""Typing in the constants that a scan lacks: taken as they are, and never guessed."""

import pytest
from napari.layers import Image
from qtpy.QtCore import Qt

from napari_vbmd.calibration import UNITS
from napari_vbmd.plugin.calibration_form import CalibrationForm
from napari_vbmd.plugin.layers import scan_of

CONSTANTS = {"mu_scaling": "8192", "density_slope": "1603.51904", "density_intercept": "-391.209"}


@pytest.fixture
def form(qtbot, plain_layer):
    form = CalibrationForm()
    qtbot.addWidget(form)
    form.show()
    form.show_layer(plain_layer)
    return form


@pytest.fixture
def told(form):
    told = []
    form.calibrated.connect(told.append)
    return told


@pytest.fixture
def fill(form, qtbot):
    """Type text into a field, key by key."""

    def fill(name, text):
        field = form.fields[name]
        field.clear()
        qtbot.keyClicks(field, text)

    return fill


def choose(form, unit):
    form.unit.setCurrentIndex(form.unit.findData(unit))


def test_nothing_is_filled_in_for_an_uncalibrated_scan(form):
    assert {field.text() for field in form.fields.values()} == {""}
    assert {field.placeholderText() for field in form.fields.values()} == {"not known"}


def test_known_constants_of_a_scan_are_shown(form, scan_layer):
    form.show_layer(scan_layer)
    shown = {name: float(field.text()) for name, field in form.fields.items()}
    assert shown == pytest.approx(
        {
            "mu_scaling": 8192,
            "mu_water_per_cm": 0.2409,
            "density_slope": 1603.51904,
            "density_intercept": -391.209015,
        }
    )


def test_every_unit_can_be_chosen(form):
    assert [form.unit.itemData(i) for i in range(form.unit.count())] == list(UNITS)


@pytest.mark.parametrize(
    ("unit", "asked"),
    [
        ("native", {"mu_scaling", "density_slope", "density_intercept"}),
        ("mu", {"density_slope", "density_intercept"}),
        ("hu", {"mu_water_per_cm", "density_slope", "density_intercept"}),
        ("density", set()),
    ],
)
def test_only_what_a_unit_needs_is_asked_for(form, unit, asked):
    choose(form, unit)
    assert {name for name, field in form.fields.items() if field.isVisible()} == asked


def test_typed_constants_calibrate_the_scan(form, fill, click, told, plain_layer):
    for name, text in CONSTANTS.items():
        fill(name, text)
    click(form.use)
    calibration = scan_of(plain_layer).calibration
    assert (calibration.mu_scaling, calibration.density_slope) == (8192, 1603.51904)
    assert calibration.density_intercept == -391.209
    assert calibration.mu_water_per_cm is None
    assert calibration.source == "given by the user"
    assert told == [plain_layer]
    assert form.note.text() == ""


def test_stored_densities_need_no_constants(form, click, told, plain_layer):
    choose(form, "density")
    click(form.use)
    assert scan_of(plain_layer).unit == "density"
    assert scan_of(plain_layer).is_calibrated
    assert told == [plain_layer]


@pytest.mark.parametrize("missing", CONSTANTS)
def test_missing_constant_is_named_and_nothing_is_changed(
    form, fill, click, told, plain_layer, missing
):
    before = plain_layer.contrast_limits
    for name, text in CONSTANTS.items():
        if name != missing:
            fill(name, text)
    click(form.use)
    assert told == []
    assert "no calibration" in form.note.text()
    assert form.note.isVisible()
    assert "vbmd" not in plain_layer.metadata
    assert plain_layer.contrast_limits == before


@pytest.mark.parametrize(("name", "text"), [("mu_scaling", "-8192"), ("density_slope", "0")])
def test_impossible_constant_is_refused_with_the_reason(
    form, fill, click, told, plain_layer, name, text
):
    for key, value in {**CONSTANTS, name: text}.items():
        fill(key, value)
    click(form.use)
    assert told == []
    assert "greater than zero" in form.note.text()
    assert not scan_of(plain_layer).is_calibrated


def test_letters_cannot_be_typed(form, fill):
    fill("mu_scaling", "a8b1c9d2")
    assert form.fields["mu_scaling"].text() == "8192"


def test_decimal_comma_is_no_decimal_point(form, fill, click, plain_layer):
    for name, text in {**CONSTANTS, "density_slope": "1603,5"}.items():
        fill(name, text)
    click(form.use)
    assert not scan_of(plain_layer).is_calibrated  # least of all with a slope of 16035
    assert "write it as 1603.5" in form.note.text()


def test_half_typed_number_is_refused_in_words(form, fill, click, told):
    for name, text in {**CONSTANTS, "density_slope": "1603e"}.items():
        fill(name, text)
    click(form.use)
    assert told == []
    assert "1603e" in form.note.text()


def test_constants_of_the_file_can_be_replaced(form, fill, click, told, scan_layer):
    form.show_layer(scan_layer)
    fill("density_slope", "1500")
    click(form.use)
    calibration = scan_of(scan_layer).calibration
    assert calibration.density_slope == 1500
    assert calibration.density_intercept == pytest.approx(-391.209015)
    assert "user" in calibration.source
    assert told == [scan_layer]


def test_without_a_layer_there_is_nothing_to_fill_in(form, told, plain_layer):
    form.show_layer(None)
    assert not form.use.isEnabled()
    form.apply()
    assert told == []
    assert "vbmd" not in plain_layer.metadata


def test_layer_that_is_no_scan_closes_the_form_and_the_layer_before_is_not_touched(
    form, told, plain_layer
):
    choose(form, "density")
    form.show_layer(Image(plain_layer.data, name="in pixels"))
    choose(form, "density")
    assert not form.use.isEnabled()
    form.apply()
    assert told == []
    assert "vbmd" not in plain_layer.metadata
    form.show_layer(plain_layer)
    assert form.use.isEnabled()


def test_other_layers_constants_do_not_stay_in_the_form(form, scan_layer, plain_layer):
    form.show_layer(scan_layer)
    form.show_layer(plain_layer)
    assert {field.text() for field in form.fields.values()} == {""}


def test_every_control_has_a_tooltip(form):
    for widget in (form.unit, form.use, *form.fields.values()):
        assert widget.toolTip()


def test_enter_in_a_field_takes_the_constants_over(form, fill, qtbot, told):
    for name, text in CONSTANTS.items():
        fill(name, text)
    qtbot.keyClick(form.fields["density_intercept"], Qt.Key.Key_Return)
    assert len(told) == 1
