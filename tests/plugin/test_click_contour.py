"""Contour again from a click: real clicks in the canvas of a real window."""

import numpy as np
import pytest
from napari.layers import Labels
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication

from napari_vbmd.grid import Grid
from napari_vbmd.plugin.layers import add_mask
from napari_vbmd.plugin.slice_edit import put_outline
from napari_vbmd.scan import Mask

Z = 12
BONE, SMALL, BACKGROUND = (31, 32), (31, 88), (60, 4)  # y, x in the tube scan


@pytest.fixture
def page(viewer, scan, mask, dock):
    viewer.window._qt_window.resize(900, 600)
    viewer.show()
    page = dock("Correct")
    page.mask.pick(mask)
    page.scan.pick(scan)
    viewer.dims.set_point(0, Z * 0.082)
    viewer.reset_view()
    page.contour.edge.setValue(420.0)  # half-way between the shell and the tissue beside it
    mask.data[Z, 20:40, 5:30] = 0  # what is to be put right
    mask.refresh()
    return page


def move(native, point: QPoint, button) -> None:
    """A drag: qtbot moves without a button."""
    where, none = QPointF(point), Qt.KeyboardModifier.NoModifier
    event = QMouseEvent(
        QEvent.Type.MouseMove,
        where,
        native.mapToGlobal(where),
        Qt.MouseButton.NoButton,
        button,
        none,
    )
    QApplication.sendEvent(native, event)


@pytest.fixture
def canvas(viewer, page, qtbot):
    """Press, move and release the mouse in the canvas; places are y, x of the tube scan."""
    native = viewer.window._qt_viewer.canvas.native

    def at(place) -> QPoint:
        y, x = (p * 0.082 - c for p, c in zip(place, viewer.scene.camera.center[-2:], strict=True))
        zoom, middle = viewer.scene.camera.zoom, (native.width() / 2, native.height() / 2)
        return QPoint(round(middle[0] + x * zoom), round(middle[1] + y * zoom))

    def click(place, to=None, button=Qt.MouseButton.LeftButton) -> None:
        qtbot.mousePress(native, button, pos=at(place))
        if to is not None:
            for share in (0.3, 0.6, 1.0):
                there = [a + share * (b - a) for a, b in zip(place, to, strict=True)]
                move(native, at(there), button)
        qtbot.mouseRelease(native, button, pos=at(to or place))

    return click


def dice(one, two):
    return 2 * np.count_nonzero(one & two) / (np.count_nonzero(one) + np.count_nonzero(two))


def said(page) -> str:
    return page.run_bar.message.text()


def test_a_click_outlines_the_bone_in_this_slice_as_one_undo_step(page, canvas, mask, click, tube):
    before = mask.data.copy()
    click(page.contour.button)
    assert said(page) == "Click inside the bone …"
    canvas(BONE)
    assert dice(mask.data[Z] != 0, tube.mask[Z] != 0) > 0.98
    changed = np.flatnonzero((mask.data != before).any(axis=(1, 2)))
    assert changed.tolist() == [Z]
    count = np.count_nonzero(mask.data[Z] != before[Z])
    assert said(page) == f"Contour from a click: {count:,} voxels changed in one slice."
    after = mask.data.copy()
    mask.undo()
    np.testing.assert_array_equal(mask.data, before)
    mask.redo()
    np.testing.assert_array_equal(mask.data, after)


def test_after_one_click_painting_goes_on_and_the_click_painted_nothing(page, canvas, mask, click):
    mask.mode, mask.brush_size = "paint", 3
    click(page.contour.button)
    assert mask.mode == "pan_zoom"
    assert page.contour.button.isChecked()
    canvas(BONE)
    assert mask.mode == "paint"
    assert not page.contour.button.isChecked()
    assert mask.cursor == "circle"
    outlined = mask.data.copy()
    canvas(BACKGROUND)
    assert mask.data[Z, *BACKGROUND] == 1  # the brush, as before
    assert np.count_nonzero(mask.data != outlined) < 20


def test_the_key_waits_for_a_click_and_calls_it_off(page, canvas, mask):
    key = next(f for k, f in mask.keymap.items() if str(k) == "Shift+C")
    before = mask.data.copy()
    key(mask)
    assert page.contour.button.isChecked()
    key(mask)
    assert not page.contour.button.isChecked()
    canvas(BONE)
    np.testing.assert_array_equal(mask.data, before)
    key(mask)
    canvas(BONE)
    assert (mask.data != before).any()


def test_escape_another_mode_or_another_layer_call_it_off(page, canvas, mask, viewer, scan, click):
    before = mask.data.copy()
    mask.mode = "erase"
    click(page.contour.button)
    next(f for k, f in mask.keymap.items() if str(k) == "Escape")(mask)
    assert mask.mode == "erase"
    click(page.contour.button)
    mask.mode = "fill"
    assert not page.contour.button.isChecked()
    assert mask.mode == "fill"
    mask.mode = "pan_zoom"
    click(page.contour.button)
    viewer.layers.selection.active = scan
    assert not page.contour.button.isChecked()
    canvas(BONE)
    np.testing.assert_array_equal(mask.data, before)
    assert not any(str(key) == "Escape" for key in mask.keymap)


def test_dragging_moves_the_view_and_the_click_is_still_awaited(
    page, canvas, mask, viewer, click, qtbot
):
    before, centre = mask.data.copy(), viewer.scene.camera.center
    click(page.contour.button)
    canvas(BONE, to=(40, 60))
    np.testing.assert_array_equal(mask.data, before)
    qtbot.waitUntil(lambda: viewer.scene.camera.center != centre)  # at the next drawing
    assert page.contour.button.isChecked()
    canvas(BONE, button=Qt.MouseButton.RightButton)
    np.testing.assert_array_equal(mask.data, before)
    canvas(BONE)
    assert (mask.data != before).any()


def test_a_click_on_the_background_changes_nothing_and_says_so(page, canvas, mask, click, notes):
    before = mask.data.copy()
    click(page.contour.button)
    canvas(BACKGROUND)
    assert said(page).startswith("no bone under the click")
    np.testing.assert_array_equal(mask.data, before)
    assert len(notes) == 1


def test_without_a_calibration_it_says_so_before_the_click(page, viewer, plain_layer, click, mask):
    viewer.add_layer(plain_layer)
    page.scan.pick(plain_layer)
    click(page.contour.button)
    assert "no calibration" in said(page)
    assert not page.contour.button.isChecked()
    assert mask.mode == "pan_zoom"


def test_in_3d_it_says_what_to_do(page, viewer, click):
    viewer.dims.ndisplay = 3
    click(page.contour.button)
    assert "in 2D" in said(page)
    assert not page.contour.button.isChecked()


def test_an_empty_slice_gets_the_selected_label_or_1_for_the_eraser(
    page, canvas, mask, click, tube
):
    for selected, expected in ((5, 5), (0, 1)):
        mask.data[Z] = 0
        mask.selected_label = selected
        click(page.contour.button)
        canvas(BONE)
        assert set(np.unique(mask.data[Z])) == {0, expected}
        assert dice(mask.data[Z] == expected, tube.mask[Z] != 0) > 0.98


def test_the_label_that_the_bone_has_is_kept_and_others_are_left_alone(
    page, canvas, mask, click, tube
):
    mask.data[Z][mask.data[Z] != 0] = 127
    mask.data[Z][tube.small[Z] != 0] = 2
    mask.selected_label = 2
    click(page.contour.button)
    canvas(BONE)
    assert dice(mask.data[Z] == 127, tube.mask[Z] != 0) > 0.98
    np.testing.assert_array_equal(mask.data[Z] == 2, tube.small[Z] != 0)


def test_another_bone_of_the_same_label_stays_and_what_leaked_or_crumbled_goes(
    page, canvas, mask, click, tube
):
    mask.data[Z][tube.small[Z] != 0] = 1
    mask.data[Z, 2:6, 2:6] = 1  # a crumb
    mask.data[Z, 31, 45:66] = 1  # a leak from the bone
    page.contour.button.click()
    canvas(BONE)
    np.testing.assert_array_equal(mask.data[Z, :, 70:], tube.small[Z, :, 70:])
    assert dice(mask.data[Z, :, :70] != 0, tube.mask[Z, :, :70] != 0) > 0.98
    assert not mask.data[Z, 2:6, 2:6].any()
    assert not mask.data[Z, 31, 56:66].any()


def test_another_bone_of_the_slice_gets_the_selected_label(page, canvas, mask, click, tube):
    before = mask.data[Z] == 1
    mask.selected_label = 2
    click(page.contour.button)
    canvas(SMALL)
    assert dice(mask.data[Z] == 2, tube.small[Z] != 0) > 0.98
    np.testing.assert_array_equal(mask.data[Z] == 1, before)


def test_a_mask_on_its_own_box_is_outlined_where_it_lies(page, canvas, viewer, click, tube):
    box = np.s_[2:22, 6:60, 8:58]
    empty = add_mask(viewer, Mask(np.zeros_like(tube.mask[box]), tube.grid.box(box)), "box")
    page.mask.pick(empty)
    click(page.contour.button)
    canvas(BONE)
    np.testing.assert_array_equal(np.flatnonzero(empty.data.any(axis=(1, 2))), [Z - 2])
    assert dice(empty.data[Z - 2] != 0, tube.mask[box][Z - 2] != 0) > 0.98


def test_a_layer_that_is_too_small_is_refused(page, canvas, viewer, click, tube):
    box = np.s_[2:22, 20:60, 8:58]
    layer = add_mask(viewer, Mask(np.zeros_like(tube.mask[box]), tube.grid.box(box)), "box")
    page.mask.pick(layer)
    click(page.contour.button)
    canvas(BONE)
    assert "does not fit into this layer" in said(page)
    assert not layer.data.any()


def test_the_edge_is_the_one_that_is_set(page, canvas, mask, click):
    page.contour.edge.setValue(2000.0)
    before = mask.data.copy()
    click(page.contour.button)
    canvas(BONE)
    assert "no bone under the click" in said(page)
    np.testing.assert_array_equal(mask.data, before)


def test_closing_the_dock_ends_the_wait(page, canvas, mask, viewer, click, close_dock):
    callbacks = list(viewer.mouse_drag_callbacks)
    mask.mode = "paint"
    click(page.contour.button)
    assert viewer.mouse_drag_callbacks != callbacks
    close_dock(page)
    assert mask.mode == "paint"
    assert viewer.mouse_drag_callbacks == callbacks


def test_removing_the_mask_ends_the_wait(page, mask, viewer, click):
    callbacks = list(viewer.mouse_drag_callbacks)
    click(page.contour.button)
    viewer.layers.remove(mask)
    assert not page.contour.button.isChecked()
    assert viewer.mouse_drag_callbacks == callbacks


def test_a_stray_voxel_of_another_label_does_not_take_the_outline():
    voxels = np.zeros((3, 20, 20), np.uint8)
    voxels[1, 10, 10] = 1
    layer = Labels(voxels, scale=(0.1,) * 3, units=("mm",) * 3)
    layer.selected_label = 2
    outline = Mask(np.ones((1, 10, 10), np.uint8), Grid((1, 10, 10), (0.1,) * 3, (1, 5, 5)))
    put_outline(layer, outline)
    assert np.count_nonzero(layer.data == 2) == 99
    assert np.count_nonzero(layer.data == 1) == 1
