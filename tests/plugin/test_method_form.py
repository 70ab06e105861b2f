"""The form of a segmentation method, made from its dataclass."""

import dataclasses

import pytest

from napari_vbmd.errors import ParameterError
from napari_vbmd.plugin.method_form import MethodForm
from napari_vbmd.segmentation.contour import ContourParameters
from napari_vbmd.segmentation.methods import METHODS


@pytest.fixture
def form(qtbot):
    return MethodForm(ContourParameters)


def widgets(form) -> dict:
    return {w.name or w.label: w for box in (form.basic, form.advanced) for w in box}


def test_untouched_form_gives_the_methods_own_defaults(form):
    assert form.values() == ContourParameters()


def test_what_is_not_in_the_form_is_given_by_name(form):
    assert form.values(seed_zyx=(1, 2, 3)) == ContourParameters(seed_zyx=(1, 2, 3))


def test_every_parameter_but_the_seed_is_in_the_form(form):
    shown = sum(1 for _ in widgets(form))
    assert shown == len(dataclasses.fields(ContourParameters)) - 1


def test_what_is_often_set_stands_apart(form):
    assert [w.label for w in form.basic] == ["Edge, mg HA/cm³", "Closing, mm"]


def test_changed_values_reach_the_parameters(form):
    form.basic[0].value = 300
    form.basic[1].value = 0.7
    for widget in form.advanced:
        if widget.label == "Slice by slice":
            widget.value = True
    parameters = form.values()
    assert parameters.threshold_mg_cm3 == 300
    assert parameters.closing_mm == pytest.approx(0.7)
    assert parameters.slicewise
    assert parameters.separate


def test_values_outside_of_what_makes_sense_cannot_be_set(form):
    with pytest.raises(ValueError, match="range"):
        form.basic[0].value = -5
    with pytest.raises(ValueError, match="range"):
        form.basic[1].value = 11


def test_wrong_value_given_by_name_is_refused(form):
    with pytest.raises(ParameterError, match="seed"):
        form.values(seed_zyx=(1, 2))


def test_every_control_has_a_label_with_its_unit_and_a_tooltip(form):
    for widget in widgets(form).values():
        assert widget.label
        assert widget.tooltip
        assert widget.native.toolTip() == widget.tooltip
        if isinstance(widget.value, float):
            assert widget.label.endswith((", mm", ", mg HA/cm³"))


@pytest.mark.parametrize("name", METHODS)
def test_every_method_has_a_form_that_gives_its_defaults(qtbot, name):
    parameters = METHODS[name].parameters
    expected = parameters()
    if hasattr(expected, "threshold"):  # the slider shows a number where the weights have the say
        expected = dataclasses.replace(expected, threshold=0.5)
    assert MethodForm(parameters).values() == expected
