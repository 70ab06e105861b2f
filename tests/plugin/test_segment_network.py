"""The dock Segment with a network: side, weights, device, and the slider that moves the outline.

The network is made up: bone is what attenuates more than a level, in the left half of the image.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from napari_vbmd.plugin import segment_dock
from napari_vbmd.plugin.layers import mask_of
from napari_vbmd.segmentation import network_method
from napari_vbmd.segmentation.methods import default_method
from napari_vbmd.segmentation.weights import NOT_CLINICAL, Weights
from napari_vbmd.segmentation.weights_file import WeightsInfo

RESULT = "tube.isq [unet-2d]"


class AboveALevel(nn.Module):
    """Sure within the tube's shell, less so the nearer to its outline."""

    def forward(self, x):
        columns = torch.arange(x.shape[-1]) < x.shape[-1] // 2
        return torch.where(columns, 12.0 * (x - 0.45), torch.tensor(-30.0))


@pytest.fixture
def runs(monkeypatch) -> list:
    """The made-up network in place of every other; how often it ran."""
    calls = []
    info = WeightsInfo("any", 0.0, 1.0, trained_on="nothing")
    weights = Weights({}, info, Path("made_up.pt"), "f" * 64)
    predict = network_method.predict

    def counted(*args, **kwargs):
        calls.append(1)
        return predict(*args, **kwargs)

    monkeypatch.setattr(network_method, "load_network", lambda *_: (AboveALevel(), weights))
    monkeypatch.setattr(network_method, "find_weights", lambda *_: weights.path)
    monkeypatch.setattr(network_method, "predict", counted)
    return calls


@pytest.fixture
def page(viewer, scan, dock, runs):
    page = dock("Segment")
    page.method.setCurrentText("unet-2d")
    page._form.widgets["side"].value = "right"
    return page


def volume(layer) -> int:
    return int(np.count_nonzero(layer.data))


@pytest.fixture
def moved(qtbot, page):
    """Move the slider, and wait until the layer follows or is refused."""

    def move(threshold: float) -> None:
        with qtbot.waitSignal(page.live.moved, timeout=30_000):
            page._form.widgets["threshold"].value = threshold

    return move


def test_the_mask_is_a_layer_that_says_what_made_it(viewer, page, run):
    run(page)
    about = viewer.layers[RESULT].metadata["vbmd"]["about"]
    assert about["weights"]["sha256"] == "f" * 64
    assert about["side"] == "right"
    assert about["parameters"]["threshold"] == 0.5
    assert volume(viewer.layers[RESULT]) > 0
    assert mask_of(viewer.layers[RESULT]).grid.spacing_mm == (0.082,) * 3


def test_device_and_training_stay_in_sight(page, run):
    run(page)
    assert page.device.text().startswith("Ran on ")
    assert NOT_CLINICAL in page.warnings.text()


def test_a_network_asks_for_no_bone_to_be_shown(page):
    assert page._bone.isHidden()
    page.method.setCurrentText("contour")
    assert not page._bone.isHidden()


def test_slider_moves_the_outline_without_another_run(viewer, page, run, moved, runs):
    run(page)
    layer = viewer.layers[RESULT]
    at_half = layer.data.copy()
    moved(0.9)
    assert volume(layer) < np.count_nonzero(at_half)
    assert layer.metadata["vbmd"]["about"]["parameters"]["threshold"] == 0.9
    assert layer.metadata["vbmd"]["about"]["threshold"] == 0.9
    assert "Threshold 0.90" in page.run_bar.message.text()
    moved(0.5)
    np.testing.assert_array_equal(layer.data, at_half)
    assert len(runs) == 1
    assert len(viewer.layers) == 2


def test_of_many_moves_the_last_one_counts(qtbot, viewer, page, run, moved):
    run(page)
    layer = viewer.layers[RESULT]
    moved(0.8)
    expected = layer.data.copy()
    moved(0.3)
    for threshold in (0.4, 0.9, 0.2, 0.8):
        page._form.widgets["threshold"].value = threshold
    shown = layer.metadata["vbmd"]["about"]
    qtbot.waitUntil(lambda: shown["parameters"]["threshold"] == 0.8, timeout=30_000)
    np.testing.assert_array_equal(layer.data, expected)


@pytest.mark.parametrize("by", ["brush", "script"])
def test_an_edited_mask_is_never_moved(qtbot, viewer, page, run, by):
    run(page)
    layer = viewer.layers[RESULT]
    if by == "brush":
        layer.selected_label = 1
        layer.paint((12, 2, 2), 3)
    else:
        layer.data[3, 60, 100] = 1
    edited = layer.data.copy()
    with qtbot.waitSignal(page.live.refused, timeout=30_000):
        page._form.widgets["threshold"].value = 0.9
    np.testing.assert_array_equal(layer.data, edited)
    assert "edited by hand" in page.run_bar.message.text()


def test_a_threshold_that_leaves_nothing_leaves_the_mask(qtbot, viewer, page, run):
    run(page)
    layer = viewer.layers[RESULT]
    before = layer.data.copy()
    page.live._probability.values[:] = 25
    with qtbot.waitSignal(page.live.refused, timeout=30_000):
        page._form.widgets["threshold"].value = 0.9
    np.testing.assert_array_equal(layer.data, before)
    assert "no bone found" in page.run_bar.message.text()


def test_a_removed_layer_is_no_longer_moved(qtbot, viewer, page, run, moved):
    run(page)
    layer = viewer.layers.pop(RESULT)
    before = layer.data.copy()
    run(page)
    moved(0.9)
    np.testing.assert_array_equal(layer.data, before)


def test_unknown_side_is_said_before_the_run_and_refused_in_it(viewer, page, click, notes):
    page._form.widgets["side"].value = "auto"
    assert "side not known" in page.about_side.text()
    assert "give the side" in page.warnings.text()
    click(page.run_bar.button)
    assert "give the side" in page.run_bar.message.text()
    assert any("give the side" in text for text in notes)
    assert len(viewer.layers) == 1
    page._form.widgets["side"].value = "left"
    assert "give the side" not in page.warnings.text()


def test_a_method_without_weights_says_so_before_the_run(viewer, scan, dock, monkeypatch):
    from dataclasses import replace

    from napari_vbmd.segmentation.configurations import CONFIGURATIONS
    from napari_vbmd.segmentation.methods import METHODS, _network

    bare = replace(CONFIGURATIONS["unet-2d-pretrained"], weights_file="")
    monkeypatch.setitem(METHODS, bare.name, _network(bare))
    page = dock("Segment")
    page.method.setCurrentText(bare.name)
    assert "No weights are shipped" in page.summary.text()
    assert "no weights are shipped" in page.warnings.text()


def test_cancel_takes_effect_between_slices(viewer, page, monkeypatch, gate, entered, click, ended):
    forward, calls = AboveALevel.forward, []

    def held(self, x):
        calls.append(len(x))
        gate.wait()
        return forward(self, x)

    monkeypatch.setattr(AboveALevel, "forward", held)
    click(page.run_bar.button)
    entered()
    click(page.run_bar.cancel)
    gate.opened.set()
    ended(page)
    assert len(calls) == 1
    assert len(viewer.layers) == 1
    assert "Cancelled" in page.run_bar.message.text()


def test_the_shipped_network_stands_chosen(viewer, scan, dock):
    assert dock("Segment").method.currentText() == default_method()
    assert default_method().startswith("unet")


def test_every_method_can_be_chosen(page):
    names = [page.method.itemText(k) for k in range(page.method.count())]
    assert names == list(segment_dock.METHODS)
    assert {"contour", "unet-2d", "unet-2d-pretrained", "unet-3d", "unet-2d-fine"} == set(names)
