"""What the status bar says under the cursor, and what a watched viewer does with its layers."""

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer, Points
from napari.layers._layer_actions import _project
from qtpy.QtWidgets import QApplication

from napari_vbmd.io.files import read_scan
from napari_vbmd.plugin import layers
from napari_vbmd.plugin.layers import scan_to_layer, set_calibration
from napari_vbmd.plugin.status import density_text, watch

IN_BONE = (12, 32, 14)  # in the shell of the large tube


@pytest.fixture
def model(qapp):
    viewer = ViewerModel()
    watch(viewer)
    return viewer


def world(index, spacing=0.082):
    return np.array(index) * spacing


def status(layer, index) -> str:
    return layer.get_status(world(index), world=True)["coordinates"]


def test_density_under_the_cursor_is_that_of_the_voxel(scan_layer, tube):
    text = density_text(scan_layer, world(IN_BONE))
    assert text == f"{tube.density[IN_BONE]:.1f} mg HA/cm3"


def test_position_is_rounded_to_the_nearest_voxel(scan_layer, tube):
    text = density_text(scan_layer, world(IN_BONE) + 0.04)
    assert text == f"{tube.density[IN_BONE]:.1f} mg HA/cm3"


def test_translated_scan_is_asked_at_its_own_place(scan_layer, tube):
    shift = np.array((1.0, 2.0, -3.0))
    scan_layer.translate = shift
    text = density_text(scan_layer, world(IN_BONE) + shift)
    assert text == f"{tube.density[IN_BONE]:.1f} mg HA/cm3"


@pytest.mark.parametrize("index", [(-1, 0, 0), (0, 64, 0), (0, 0, 112), (24, 0, 0)])
def test_nothing_is_said_outside_of_the_scan(scan_layer, index):
    assert density_text(scan_layer, world(index)) == ""


def test_uncalibrated_value_says_so(plain_layer):
    value = plain_layer.data[IN_BONE]
    assert density_text(plain_layer, world(IN_BONE)) == f"{value} native, uncalibrated"


def test_multiscale_scan_is_read_at_its_fine_level(monkeypatch, tube):
    monkeypatch.setattr(layers, "LARGEST_VOLUME", 1000)
    layer = Layer.create(*scan_to_layer(read_scan(tube.path)))
    assert layer.multiscale
    text = density_text(layer, world(IN_BONE))
    assert text == f"{tube.density[IN_BONE]:.1f} mg HA/cm3"


def test_status_of_a_scan_layer_ends_in_its_density(model, scan_layer, tube):
    model.layers.append(scan_layer)
    assert status(scan_layer, IN_BONE).endswith(f"{tube.density[IN_BONE]:.1f} mg HA/cm3")


def test_status_away_from_the_scan_says_nothing_of_density(model, scan_layer):
    model.layers.append(scan_layer)
    assert "mg HA" not in status(scan_layer, (0, 500, 0))
    assert scan_layer.get_status()["coordinates"] is not None


def test_density_is_said_once_however_often_the_viewer_is_watched(model, scan_layer):
    model.layers.append(scan_layer)
    for _ in range(3):
        watch(model)
    assert status(scan_layer, IN_BONE).count("mg HA/cm3") == 1


def test_layers_that_are_there_already_are_taken_in(qapp, scan_layer):
    viewer = ViewerModel()
    viewer.layers.append(scan_layer)
    watch(viewer)
    assert "mg HA/cm3" in status(scan_layer, IN_BONE)


def test_mask_layer_tells_the_density_of_the_scan_beneath(model, scan_layer, mask_layer, tube):
    model.layers.extend([scan_layer, mask_layer])
    text = status(mask_layer, IN_BONE)
    assert text.endswith(f"{tube.density[IN_BONE]:.1f} mg HA/cm3")
    assert ": 1" in text


def test_labels_that_napari_made_tell_the_density_too(model, scan_layer):
    model.layers.append(scan_layer)
    model._new_labels()
    assert "mg HA/cm3" in status(model.layers[-1], IN_BONE)


def test_mask_layer_without_a_visible_scan_says_nothing_of_density(model, scan_layer, mask_layer):
    model.layers.extend([scan_layer, mask_layer])
    scan_layer.visible = False
    assert "mg HA" not in status(mask_layer, IN_BONE)
    model.layers.remove(scan_layer)
    assert "mg HA" not in status(mask_layer, IN_BONE)


def test_image_calibrated_by_hand_tells_its_density(model, plain_layer, tube):
    model.layers.append(plain_layer)
    set_calibration(
        plain_layer,
        "native",
        mu_scaling=8192.0,
        density_slope=1603.51904,
        density_intercept=-391.209015,
    )
    assert status(plain_layer, IN_BONE).endswith(f"{tube.density[IN_BONE]:.1f} mg HA/cm3")


def test_image_that_is_nobodys_scan_keeps_its_plain_status(model):
    layer = Image(np.ones((4, 5, 6)), scale=(1, 1, 1))
    model.layers.append(layer)
    plain = Image(np.ones((4, 5, 6)), scale=(1, 1, 1)).get_status((1, 1, 1), world=True)
    assert layer.get_status((1, 1, 1), world=True)["coordinates"] == plain["coordinates"]


def test_scan_bent_out_of_shape_keeps_its_status(model, scan_layer):
    model.layers.append(scan_layer)
    scan_layer.rotate = 20
    assert "mg HA" not in status(scan_layer, IN_BONE)


def test_projection_of_a_scan_is_no_scan_and_raises_nothing(model, scan_layer):
    model.layers.append(scan_layer)
    model.layers.selection.active = scan_layer
    _project(model.layers, axis=0, mode="max")
    assert model.layers[-1].ndim == 2
    assert "mg HA" not in model.layers[-1].get_status((2.6, 1.1), world=True)["coordinates"]


def test_other_layers_are_left_alone(model):
    points = Points(np.zeros((1, 3)))
    labels = Labels(np.zeros((2, 2, 2), np.uint8))
    contour = labels.contour
    model.layers.extend([points, labels])
    assert labels.contour == contour
    assert points.get_status((0, 0, 0), world=True)["coordinates"]


def test_mask_that_arrives_is_shown_as_an_outline(model, mask_layer):
    assert mask_layer.contour == 0
    model.layers.append(mask_layer)
    assert mask_layer.contour > 0


def test_what_was_opened_is_said_in_the_status_bar(viewer, open_scan, qtbot):
    open_scan(viewer)
    qtbot.waitUntil(lambda: "tube.isq" in str(viewer.status))
    assert viewer.status == (
        "tube.isq: 112 × 64 × 24 voxels of 0.082 mm, native, calibrated, side unknown"
    )


def test_viewer_closed_right_after_opening_says_nothing_more(viewer, open_scan, qtbot):
    open_scan(viewer)
    viewer.close()
    QApplication.processEvents()


def test_cursor_over_the_canvas_shows_the_density_in_the_viewer(viewer, scan, tube):
    viewer.cursor.position = tuple(world(IN_BONE))
    viewer.mouse_over_canvas = True
    viewer.layers.selection.active = scan
    viewer.update_status_from_cursor()
    assert viewer.status["coordinates"].endswith(f"{tube.density[IN_BONE]:.1f} mg HA/cm3")


def test_two_viewers_tell_of_their_own_scans(make_napari_viewer, open_scan, mask_layer):
    one = make_napari_viewer()
    open_scan(one)
    other = make_napari_viewer()
    watch(other)
    other.add_layer(mask_layer)
    assert "mg HA" not in status(mask_layer, IN_BONE)
    assert "mg HA" in status(one.layers[0], IN_BONE)


def test_watching_no_viewer_is_nothing_to_do():
    watch(None)


def test_features_of_a_label_stand_behind_the_density(model, scan_layer, mask_layer, tube):
    model.add_layer(scan_layer)
    model.add_layer(mask_layer)
    watch(model)
    mask_layer.features = {"index": [1], "Volume (mm3)": [3.5]}
    for inside, rest in ((True, "; Volume (mm3): 3.5"), (False, "")):
        voxel = tuple(int(n) for n in np.argwhere((tube.mask != 0) == inside)[0])
        text = mask_layer.get_status(mask_layer.data_to_world(voxel), world=True)["value"]
        assert text == f"{int(inside)}   {tube.density[voxel]:.1f} mg HA/cm3{rest}"


def test_a_copy_of_a_mask_does_not_keep_its_numbers(model, scan_layer, mask_layer):
    mask_layer.features = {"index": [1], "Volume (mm3)": [3.5], "name": ["MC2"]}
    model.add_layer(mask_layer)
    assert mask_layer.features.columns.tolist() == ["index", "name"]
