"""The layer that shows where two masks differ, without a window."""

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import QObject

from napari_vbmd.grid import Grid
from napari_vbmd.measurement.disagreement import Disagreement
from napari_vbmd.plugin.disagreement_layer import DisagreementLayer
from napari_vbmd.plugin.layers import is_preview, shows_only
from napari_vbmd.scan import Mask

GRID = Grid((6, 80, 90), (0.3, 0.1, 0.1), (2, 0, 5))


@pytest.fixture
def labels():
    voxels = np.zeros(GRID.shape, np.uint8)
    voxels[2:4, 40:50, 40:50] = 1
    return voxels


@pytest.fixture
def found(labels):
    expert = labels.copy()
    expert[3, 40:45] = 0
    return Disagreement(labels, GRID, Mask(expert, GRID), GRID)


@pytest.fixture
def viewer(labels):
    viewer = ViewerModel()
    viewer.add_labels(labels, name="mine")
    return viewer


@pytest.fixture
def overlay(qtbot, viewer):
    parent = QObject()
    yield DisagreementLayer(viewer, parent)
    parent.deleteLater()


def test_it_shares_its_voxels_and_lies_where_both_masks_do(overlay, viewer, found):
    overlay.show(found, "where")
    layer = overlay.layer
    assert layer.data is found.voxels
    np.testing.assert_allclose(layer.translate, found.grid.origin_mm)
    np.testing.assert_allclose(layer.scale, GRID.spacing_mm)
    assert layer.contour == 0
    assert is_preview(layer)
    assert shows_only(layer.data)
    assert viewer.layers.selection.active is viewer.layers["mine"]


def test_another_array_is_taken_up_with_its_place_and_stays_uneditable(overlay, labels, found):
    overlay.show(found, "where")
    labels[2, 0, 0] = 1
    found.look([2])
    overlay.update(found)
    assert overlay.layer.data is found.voxels
    np.testing.assert_allclose(overlay.layer.translate, found.grid.origin_mm)
    assert not overlay.layer.editable


def test_there_is_one_at_a_time_and_the_choice_of_grey_stays(overlay, viewer, found):
    overlay.show_agreement(True)
    for name in ("one", "two"):
        overlay.show(found, name)
    assert [layer.name for layer in viewer.layers] == ["mine", "two"]
    assert overlay.layer.colormap.map(3)[3] == 1


def test_removed_by_a_person_or_by_itself_it_is_gone(overlay, viewer, found):
    overlay.show(found, "where")
    viewer.layers.remove(overlay.layer)
    assert overlay.layer is None
    overlay.update(found)
    overlay.show(found, "where")
    overlay.remove()
    assert len(viewer.layers) == 1
