"""Whether a labels layer still holds what was measured."""

import numpy as np
import pytest
from napari.layers import Labels
from qtpy.QtCore import QObject

from napari_vbmd.grid import Grid
from napari_vbmd.plugin.mask_watch import MaskWatch, snapshot
from napari_vbmd.scan import Mask

GRID = Grid((6, 8, 9), (0.1, 0.2, 0.3), (5, -1, 2))


@pytest.fixture
def voxels():
    voxels = np.zeros(GRID.shape, np.uint8)
    voxels[2:4, 3:6, 4:8] = 1
    return voxels


@pytest.fixture
def layer(voxels):
    return Labels(voxels, scale=GRID.spacing_mm)


@pytest.fixture
def watched(qtbot, layer, voxels):
    """A watch on the layer, and what it told."""
    parent = QObject()
    watch = MaskWatch(parent)
    told = []
    watch.compared.connect(told.append)
    watch.follow([(layer, snapshot(Mask(voxels, GRID)))])
    yield watch, told
    parent.deleteLater()


def test_snapshot_is_the_filled_box_at_its_place(voxels):
    taken = snapshot(Mask(voxels, GRID))
    assert taken.box == (slice(2, 4), slice(3, 6), slice(4, 8))
    assert taken.mask.grid == Grid((2, 3, 4), GRID.spacing_mm, (7, 2, 6))
    assert taken.mask.voxels.all()
    assert not np.shares_memory(taken.mask.voxels, voxels)


def test_snapshot_of_an_empty_mask_takes_no_memory_and_tells_every_edit():
    empty = np.zeros(GRID.shape, np.int32)
    taken = snapshot(Mask(np.zeros(GRID.shape, np.uint8), GRID))
    assert taken.mask.voxels.size == 1
    assert taken.same_as(empty)
    for at in ((0, 0, 0), (5, 7, 8)):
        empty[:] = 0
        empty[at] = 1
        assert not taken.same_as(empty)


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64])
def test_equal_array_of_any_type_is_the_same(voxels, dtype):
    assert snapshot(Mask(voxels, GRID)).same_as(voxels.astype(dtype))


@pytest.mark.parametrize(
    ("at", "label"), [((2, 3, 4), 0), ((2, 3, 4), 2), ((0, 0, 0), 1), ((5, 7, 8), 3)]
)
def test_one_voxel_changed_anywhere_is_noticed(voxels, at, label):
    taken = snapshot(Mask(voxels, GRID))
    voxels[at] = label
    assert not taken.same_as(voxels)


def test_voxel_that_moved_is_noticed(voxels):
    taken = snapshot(Mask(voxels, GRID))
    assert not taken.same_as(voxels[:, ::-1])


@pytest.mark.parametrize("shape", [(6, 8, 10), (8, 9), (2, 3, 4)])
def test_array_of_another_shape_is_another(voxels, shape):
    assert not snapshot(Mask(voxels, GRID)).same_as(np.ones(shape, np.uint8))


def test_follow_compares_at_once(watched):
    assert watched[1] == [True]


@pytest.mark.parametrize(
    "edit",
    [
        lambda layer: layer.paint((0, 0, 0), 1),
        lambda layer: layer.fill((3, 4, 5), 2),
        lambda layer: layer.data_setitem(tuple(np.array([[1], [1], [1]])), 1),
        lambda layer: setattr(layer, "data", np.zeros((2, 3, 4), np.uint8)),
        lambda layer: (layer.data.fill(0), layer.refresh()),
    ],
    ids=["paint", "fill", "setitem", "other array", "script"],
)
def test_every_way_to_edit_is_noticed(watched, layer, qtbot, edit):
    told = watched[1]
    edit(layer)
    qtbot.waitUntil(lambda: len(told) > 1)
    assert told[-1] is False


def test_undo_and_redo_are_noticed(watched, layer, qtbot):
    watch, told = watched
    layer.paint((0, 0, 0), 1)
    for step, same in ((layer.undo, True), (layer.redo, False)):
        step()
        qtbot.waitUntil(lambda: not watch._timer.isActive())
        assert told[-1] is same


def test_many_redraws_are_compared_once(watched, layer, qtbot):
    watch, told = watched
    for _ in range(20):
        layer.refresh()
    qtbot.waitUntil(lambda: not watch._timer.isActive())
    assert told == [True, True]


def test_layer_no_longer_followed_is_left_alone(watched, layer, qtbot):
    watch, told = watched
    layer.refresh()
    watch.follow([])
    layer.paint((0, 0, 0), 1)
    assert not watch._timer.isActive()
    assert told == [True]


def test_any_of_several_layers_counts(watched, layer, voxels, qtbot):
    watch, told = watched
    other = Labels(voxels.copy())
    pair = [(one, snapshot(Mask(voxels, GRID))) for one in (layer, other)]
    watch.follow(pair)
    other.paint((0, 0, 0), 1)
    qtbot.waitUntil(lambda: told[-1] is False)
