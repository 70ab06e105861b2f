"""First and last slice of a scan: typed, or the one in view."""

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_vbmd.plugin.slice_range import SliceRange, slice_in_view


@pytest.fixture
def model(scan_layer):
    viewer = ViewerModel()
    viewer.add_layer(scan_layer)
    return viewer


@pytest.fixture
def slices(qtbot, model, scan_layer):
    widget = SliceRange(model)
    qtbot.addWidget(widget)
    widget.follow(scan_layer)
    widget.show()
    return widget


def buttons(widget) -> list:
    return widget._buttons


def test_whole_scan_is_meant_until_a_limit_is_set(slices):
    assert slices.value() is None
    assert (slices.first.value(), slices.last.value()) == (0, 23)
    assert not slices.first.isEnabled()


def test_ticked_limit_gives_the_range(slices, click):
    slices.limit.setChecked(True)
    slices.first.setValue(3)
    slices.last.setValue(20)
    assert slices.value() == (3, 20)
    assert slices.note.text() == "18 slices, 1.48 mm"


def test_both_ends_may_be_set_at_once(slices):
    slices.limit_to(3, 7)
    assert slices.value() == (3, 7)


def test_use_this_slice_takes_the_slice_in_view(slices, model, click):
    model.dims.set_current_step(0, 5)
    click(buttons(slices)[0])
    model.dims.set_current_step(0, 17)
    click(buttons(slices)[1])
    assert slices.limit.isChecked()
    assert slices.value() == (5, 17)


def test_slices_outside_of_the_scan_cannot_be_typed(slices):
    slices.limit.setChecked(True)
    slices.last.setValue(500)
    assert slices.last.value() == 23
    slices.first.setValue(-4)
    assert slices.first.value() == 0


def test_range_turned_round_is_said(slices):
    slices.limit.setChecked(True)
    slices.first.setValue(10)
    slices.last.setValue(9)
    assert slices.note.text() == "The first slice comes after the last."


def test_view_outside_of_the_scan_gives_its_nearest_slice(slices, model, click):
    model.add_image(np.zeros((60, 4, 4)), scale=(0.082,) * 3)
    model.dims.set_current_step(0, 50)
    click(buttons(slices)[1])
    assert slices.value() == (0, 23)


def test_other_scan_starts_as_its_whole(slices, model):
    slices.limit.setChecked(True)
    slices.first.setValue(7)
    slices.follow(model.add_image(np.zeros((60, 4, 4))))
    assert slices.value() is None
    assert (slices.first.value(), slices.last.value()) == (0, 59)


def test_same_scan_keeps_its_range(slices, scan_layer):
    slices.limit.setChecked(True)
    slices.first.setValue(7)
    slices.follow(scan_layer)
    assert slices.value() == (7, 23)


def test_without_a_scan_there_is_no_range(slices, click):
    slices.follow(None)
    click(buttons(slices)[0])
    assert slices.value() is None


def test_multiscale_scan_counts_the_slices_of_its_fine_level(slices, model, click):
    layer = model.add_image(
        [np.zeros((40, 16, 16)), np.zeros((10, 4, 4))], multiscale=True, scale=(0.1,) * 3
    )
    slices.follow(layer)
    assert slices.last.maximum() == 39
    model.dims.set_point(0, 3.0)
    click(buttons(slices)[0])
    assert slices.value() == (30, 39)


def test_slice_in_view_counts_from_the_layers_first(model, scan_layer):
    scan_layer.translate = (1.64, 0, 0)
    model.dims.set_point(0, 1.64 + 4 * 0.082)
    assert slice_in_view(model, scan_layer) == 4


def test_slice_in_view_with_a_series_beside_it(model, scan_layer):
    model.add_image(np.zeros((3, 24, 8, 8)), scale=(1, 0.082, 0.082, 0.082))
    model.dims.set_point(1, 6 * 0.082)
    assert slice_in_view(model, scan_layer) == 6


def test_every_control_has_a_tooltip(slices):
    for widget in (slices.limit, slices.first, slices.last, *buttons(slices)):
        assert widget.toolTip()
