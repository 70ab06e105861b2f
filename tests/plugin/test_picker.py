"""The choice among a viewer's layers: which are on offer, and that it keeps up."""

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels, Points
from qtpy.QtWidgets import QComboBox

from napari_vbmd.grid import Grid
from napari_vbmd.plugin.layers import add_mask, set_calibration
from napari_vbmd.plugin.picker import LayerPicker, narrow, newest
from napari_vbmd.scan import Mask

VOLUME = np.zeros((3, 4, 5), np.uint8)


@pytest.fixture
def model(qtbot):
    return ViewerModel()


@pytest.fixture
def picker(model, qtbot):
    picker = LayerPicker(model, Image, "Which")
    qtbot.addWidget(picker)
    return picker


def names(box: QComboBox) -> list[str]:
    return [box.itemText(i) for i in range(box.count())]


def test_picker_made_before_any_layer_is_empty(picker):
    assert picker.layer is None
    assert names(picker) == []


def test_picker_offers_volumes_of_its_kind_only(model, picker):
    model.add_image(VOLUME, name="volume")
    model.add_image(np.zeros((4, 5)), name="flat")
    model.add_image(np.zeros((2, 3, 4, 5)), name="series")
    model.add_labels(VOLUME, name="mask")
    model.add_points(np.zeros((1, 3)), name="points")
    assert names(picker) == ["volume"]


def test_picker_does_not_offer_colour_images(model, picker):
    model.add_image(np.zeros((3, 4, 5, 3), np.uint8), rgb=True, name="photo")
    assert names(picker) == []


def test_first_layer_is_picked_and_a_second_one_does_not_take_its_place(model, picker):
    first = model.add_image(VOLUME, name="first")
    model.add_image(VOLUME, name="second")
    assert picker.layer is first


def reference(model, name="expert") -> Labels:
    return add_mask(model, Mask(VOLUME, Grid(VOLUME.shape, (1.0,) * 3)), name, reference=True)


def test_a_reference_is_offered_and_not_taken_for_the_mask(model, qtbot):
    picker = LayerPicker(model, Labels, "Which")
    qtbot.addWidget(picker)
    expert = reference(model)
    assert names(picker) == ["expert"]
    assert picker.layer is None
    mask = model.add_labels(VOLUME, name="mask")
    assert picker.layer is mask
    model.layers.remove(mask)
    assert picker.layer is None
    picker.pick(expert)
    assert picker.layer is expert


def test_a_reference_is_chosen_where_one_is_wanted_as_soon_as_it_comes(model, qtbot):
    picker = LayerPicker(model, Labels, "Which", none="none", reference=True)
    qtbot.addWidget(picker)
    model.add_labels(VOLUME, name="mask")
    assert picker.layer is None
    first = reference(model)
    assert picker.layer is first
    picker.pick(None)
    model.layers[0].name = "renamed"
    assert picker.layer is None, "whoever chose none, meant it"
    model.layers.remove(first)
    second = reference(model)
    assert picker.layer is second


def test_layers_that_were_there_before_are_offered_and_the_newest_is_meant(model, qtbot):
    model.add_image(VOLUME, name="a")
    newest_one = model.add_image(VOLUME, name="b")
    picker = LayerPicker(model, Image, "Which")
    qtbot.addWidget(picker)
    assert picker.layer is newest_one


def test_renamed_layer_stays_picked_under_its_new_name(model, picker):
    model.add_image(VOLUME, name="a")
    layer = model.add_image(VOLUME, name="b")
    picker.pick(layer)
    layer.name = "renamed"
    assert names(picker) == ["a", "renamed"]
    assert picker.layer is layer
    assert picker.currentText() == "renamed"


def test_reordered_layers_change_the_order_and_not_the_choice(model, picker):
    a, b, c = (model.add_image(VOLUME, name=name) for name in "abc")
    picker.pick(b)
    model.layers.move(0, 3)
    assert names(picker) == ["b", "c", "a"]
    assert picker.layer is b
    assert {a, c} <= set(model.layers)


def test_another_layer_is_picked_when_the_chosen_one_is_removed(model, picker):
    a, b = (model.add_image(VOLUME, name=name) for name in "ab")
    picker.pick(b)
    model.layers.remove(b)
    assert picker.layer is a
    model.layers.remove(a)
    assert picker.layer is None


def test_picked_is_told_once_for_every_change_of_the_choice(model, picker):
    told = []
    picker.picked.connect(told.append)
    a = model.add_image(VOLUME, name="a")
    b = model.add_image(VOLUME, name="b")
    picker.pick(b)
    b.name = "c"
    model.layers.move(0, 2)
    model.layers.remove(b)
    model.layers.remove(a)
    assert told == [a, b, a, None]


def test_optional_picker_stands_at_none_until_something_is_picked(model, qtbot):
    picker = LayerPicker(model, Labels, "Which", none="nobody's")
    qtbot.addWidget(picker)
    layer = model.add_labels(VOLUME, name="mask")
    assert picker.layer is None
    assert names(picker) == ["nobody's", "mask"]
    picker.pick(layer)
    assert picker.layer is layer
    model.layers.remove(layer)
    assert picker.layer is None
    assert picker.currentText() == "nobody's"


def test_picking_a_layer_that_is_not_on_offer_changes_nothing(model, picker):
    a = model.add_image(VOLUME, name="a")
    picker.pick(Image(VOLUME))
    picker.pick(None)
    assert picker.layer is a


def test_layers_of_one_name_are_told_apart(model, picker):
    model.add_image(VOLUME, name="same")
    second = model.add_image(VOLUME, name="same")
    picker.pick(second)
    model.add_image(VOLUME, name="same")
    assert picker.layer is second


def test_preview_is_never_on_offer(model, qtbot, tube):
    picker = LayerPicker(model, Labels, "Which")
    qtbot.addWidget(picker)
    told = []
    picker.picked.connect(told.append)
    preview = add_mask(model, Mask(tube.mask, tube.grid), "preview: x", preview=True)
    assert names(picker) == told == []
    assert not preview.editable
    assert preview in model.layers


def test_mask_added_through_a_docks_viewer_can_be_picked(viewer, dock, tube):
    page = dock("Measure")
    layer = add_mask(page.viewer, Mask(tube.mask, tube.grid), "new")
    other = add_mask(page.viewer, Mask(tube.mask, tube.grid), "other")
    page.mask.pick(other)
    assert page.mask.layer is other
    page.mask.pick(layer)
    assert page.mask.layer is layer


def test_newest_layer_of_a_kind_is_the_topmost(model):
    assert newest(model, Points) is None
    model.add_image(VOLUME)
    points = model.add_points(np.zeros((1, 3)))
    model.add_image(VOLUME)
    assert newest(model, Points) is points


def test_long_entries_do_not_widen_a_box(qtbot):
    box = QComboBox()
    qtbot.addWidget(box)
    narrow(box)
    empty = box.minimumSizeHint().width()
    box.addItem("a very long name of a scan from a very long folder" * 3)
    assert box.minimumSizeHint().width() == empty < 200


@pytest.mark.parametrize(
    "change",
    [
        lambda layer: set_calibration(layer, "density"),
        lambda layer: setattr(layer, "scale", (0.1, 0.1, 0.1)),
        lambda layer: setattr(layer, "units", ("um",) * 3),
        lambda layer: setattr(layer, "rotate", 10),
    ],
)
def test_picked_is_told_again_when_place_or_calibration_of_the_layer_changes(model, picker, change):
    layer = model.add_image(VOLUME, scale=(0.2,) * 3, units=("mm",) * 3)
    told = []
    picker.picked.connect(told.append)
    change(layer)
    assert told
    assert all(one is layer for one in told)


def test_changes_of_a_layer_that_is_not_picked_are_not_told(model, picker):
    a = model.add_image(VOLUME, name="a")
    b = model.add_image(VOLUME, name="b")
    picker.pick(b)
    told = []
    picker.picked.connect(told.append)
    a.metadata = {"mine": 1}
    model.layers.remove(b)
    told.clear()
    b.metadata = {"mine": 1}
    assert told == []
