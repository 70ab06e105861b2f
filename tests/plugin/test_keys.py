"""Keys of a labels layer, of one dock and of several."""

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels

from napari_vbmd.plugin.keys import LayerKeys


@pytest.fixture
def layer():
    return Labels(np.zeros((2, 3, 4), np.uint8))


@pytest.fixture
def pressed():
    return []


@pytest.fixture
def correct(pressed):
    return LayerKeys({"Shift-N": ("Copy on", lambda: pressed.append("N"))})


@pytest.fixture
def review(pressed):
    return LayerKeys({"Shift-D": ("Go to the worst", lambda: pressed.append("D"))})


def bound(layer) -> dict:
    return {str(key): run for key, run in layer.keymap.items()}


def test_the_keys_of_several_docks_live_beside_each_other(layer, correct, review, pressed):
    correct.follow(layer)
    review.follow(layer)
    bound(layer)["Shift+N"](layer)
    bound(layer)["Shift+D"](layer)
    assert pressed == ["N", "D"]


def test_the_sheet_lists_the_keys_of_all_docks(layer, correct, review):
    correct.follow(layer)
    assert "Shift+D" not in correct.sheet()
    review.follow(layer)
    assert correct.sheet() == review.sheet()
    assert "Shift+N" in review.sheet()
    assert "Go to the worst" in correct.sheet()


def test_a_dock_that_goes_takes_its_own_keys_and_no_others(layer, correct, review):
    correct.follow(layer)
    review.follow(layer)
    correct.leave()
    assert set(bound(layer)) == {"Shift+D", "F1"}
    assert "Shift+N" not in review.sheet()
    review.follow(Labels(np.zeros((2, 3, 4), np.uint8)))
    assert not bound(layer)
    review.leave()
    assert "Go to the worst" in review.sheet()  # asked for without a layer


def test_keys_of_the_viewer_need_no_layer_and_are_in_every_sheet(layer, correct, review, pressed):
    viewer = ViewerModel()
    review.follow_viewer(viewer)
    bound(viewer)["Shift+D"](viewer)
    assert pressed == ["D"]
    assert "Go to the worst" in review.sheet()
    correct.follow(viewer.add_layer(layer))
    for sheet in (correct.sheet(), review.sheet()):
        assert "Go to the worst" in sheet
        assert "Copy on" in sheet
    review.leave()
    assert not bound(viewer)
    assert "Go to the worst" not in correct.sheet()


def test_the_sheet_leaves_other_viewers_out(layer, correct, review):
    review.follow_viewer(ViewerModel())
    correct.follow(layer)
    assert "Go to the worst" not in correct.sheet()
    assert "Copy on" not in review.sheet()
