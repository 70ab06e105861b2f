"""The dock Correct: every tool by its button and its key, undo included."""

import numpy as np
import pytest
from qtpy.QtWidgets import QMessageBox

from napari_vbmd.plugin.layers import add_mask
from napari_vbmd.scan import Mask

Z = 12


@pytest.fixture
def page(viewer, scan, mask, dock):
    page = dock("Correct")
    page.mask.pick(mask)
    page.scan.pick(scan)
    viewer.dims.set_point(0, Z * 0.082)
    return page


@pytest.fixture
def press(page, click):
    """Press one of the dock's buttons."""
    return lambda group, name: click(page.buttons[group, name])


@pytest.fixture
def undone(mask):
    """One undo gives back what was there, and redo does it again."""

    def check(before) -> None:
        after = mask.data.copy()
        mask.undo()
        np.testing.assert_array_equal(mask.data, before)
        mask.redo()
        np.testing.assert_array_equal(mask.data, after)

    return check


def changed_slices(before, after) -> list[int]:
    return np.flatnonzero((before != after).any(axis=(1, 2))).tolist()


def area(mask, z=Z) -> int:
    return int(np.count_nonzero(mask.data[z]))


def test_holes_of_this_slice_are_filled(page, mask, press, undone, tube):
    mask.data[Z - 1 : Z + 2, 28:34, 28:34] = 0
    before = mask.data.copy()
    press("This slice", "Fill holes")
    np.testing.assert_array_equal(mask.data[Z], tube.mask[Z])
    assert changed_slices(before, mask.data) == [Z]
    assert "36 voxels changed" in page.run_bar.message.text()
    undone(before)


def test_holes_of_the_whole_mask_are_filled(page, mask, press, ended, undone, tube):
    mask.data[Z - 1 : Z + 2, 28:34, 28:34] = 0
    before = mask.data.copy()
    press("Whole mask", "Fill holes")
    ended(page)
    np.testing.assert_array_equal(mask.data, tube.mask)
    undone(before)


def test_largest_piece_is_kept(page, mask, press, ended, undone, tube):
    mask.data[Z, 2:4, 2:4] = mask.data[3, 2:5, 90:93] = 1
    before = mask.data.copy()
    press("This slice", "Keep largest")
    assert changed_slices(before, mask.data) == [Z]
    press("Whole mask", "Keep largest")
    ended(page)
    np.testing.assert_array_equal(mask.data, tube.mask)


def test_grow_and_shrink_by_millimetres(page, mask, press, undone):
    before, small = mask.data.copy(), area(mask)
    page.by.setValue(0.25)
    press("This slice", "Grow")
    grown = area(mask)
    assert grown == pytest.approx(np.pi * 23**2, rel=0.05)  # a radius of 20 voxels, and three more
    undone(before)
    press("This slice", "Shrink")
    assert area(mask) == pytest.approx(small, rel=0.01)


def test_growing_the_whole_mask_has_room(page, viewer, tube, click, ended):
    box = Mask(np.pad(np.ones((4, 6, 6), np.uint8), 8), tube.grid.box(np.s_[2:22, 10:32, 10:32]))
    layer = add_mask(viewer, box, "small")
    page.mask.pick(layer)
    page.by.setValue(0.3)
    click(page.buttons["Whole mask", "Grow"])
    ended(page)
    assert np.flatnonzero(layer.data.any(axis=(1, 2))).tolist() == list(range(5, 15))


def test_smooth_takes_a_spike_away(page, mask, press, tube):
    mask.data[Z, 31, 50:60] = 1
    press("This slice", "Smooth")
    assert not mask.data[Z, 31, 54:60].any()
    assert abs(area(mask) - np.count_nonzero(tube.mask[Z])) < 20


def test_outline_snaps_to_the_bones_edge(page, mask, press, undone, tube):
    mask.data[Z] = np.roll(tube.mask[Z], 3, axis=1)
    before = mask.data.copy()
    press("This slice", "Snap to edge")
    both = np.count_nonzero((mask.data[Z] != 0) & (tube.mask[Z] != 0))
    assert 2 * both / (area(mask) + np.count_nonzero(tube.mask[Z])) > 0.98
    undone(before)


def test_all_outlines_snap_where_the_mask_is_a_box_of_the_scan(page, viewer, tube, click, ended):
    box = np.s_[3:9, 6:58, 7:58]
    rough = np.roll(tube.mask[box], 2, axis=2)
    layer = add_mask(viewer, Mask(rough.copy(), tube.grid.box(box)), "box")
    page.mask.pick(layer)
    click(page.buttons["Whole mask", "Snap to edge"])
    ended(page)
    both = np.count_nonzero((layer.data != 0) & (tube.mask[box] != 0))
    total = np.count_nonzero(layer.data) + np.count_nonzero(tube.mask[box])
    assert 2 * both / total > 0.98


def test_snapping_needs_a_calibrated_scan(page, viewer, plain_layer, press, notes):
    viewer.add_layer(plain_layer)
    page.scan.pick(plain_layer)
    press("This slice", "Snap to edge")
    assert "no calibration" in page.run_bar.message.text()
    assert len(notes) == 1


def test_slice_is_copied_to_the_next_and_the_view_goes_along(page, viewer, mask, press, undone):
    mask.data[Z, 28:34, 28:34] = 0
    before = mask.data.copy()
    press("This slice", "Copy to next")
    np.testing.assert_array_equal(mask.data[Z + 1], before[Z])
    assert changed_slices(before, mask.data) == [Z + 1]
    assert viewer.dims.current_step[0] == Z + 1
    undone(before)


def test_beyond_the_last_slice_nothing_is_copied(page, viewer, mask, press):
    viewer.dims.set_point(0, 0)
    before = mask.data.copy()
    press("This slice", "Copy to previous")
    assert "no slice beyond" in page.run_bar.message.text()
    np.testing.assert_array_equal(mask.data, before)


def test_slices_between_painted_ones_are_filled(page, mask, run, undone, tube):
    mask.data[:] = 0
    mask.data[[0, 10, 23]] = tube.mask[[0, 10, 23]]
    mask.refresh()
    before = mask.data.copy()
    run(page)
    np.testing.assert_array_equal(mask.data, tube.mask)
    undone(before)


def test_other_labels_are_neither_changed_nor_painted_over(page, mask, press):
    mask.data[Z, 10:54, 53:56] = 2  # beside the bone
    mask.data[Z, 28:34, 28:34] = 0
    mask.selected_label = 1
    page.by.setValue(0.4)
    press("This slice", "Grow")
    assert (mask.data[Z, 10:54, 53:56] == 2).all()


def test_several_labels_and_none_selected_is_one_line(page, mask, press, notes):
    mask.data[Z, 2:4, 2:4] = 2
    mask.selected_label = 7
    before = mask.data.copy()
    press("This slice", "Grow")
    assert "holds labels 1, 2; select one" in page.run_bar.message.text()
    np.testing.assert_array_equal(mask.data, before)


def test_labels_above_255_are_refused_in_their_slice(page, viewer, tube, click):
    viewer.add_labels(tube.mask.astype(np.int32), scale=(0.082,) * 3, name="large")
    layer = viewer.layers["large"]
    layer.data[Z, 2:4, 2:4] = 300
    before = layer.data.copy()
    page.mask.pick(layer)
    click(page.buttons["This slice", "Grow"])
    assert "labels from 0 to 255" in page.run_bar.message.text()
    np.testing.assert_array_equal(layer.data, before)


def test_clip_takes_away_what_lies_outside_the_range(page, mask, click, ended, undone):
    before = mask.data.copy()
    click(page.clip_button)
    assert "set the range first" in page.run_bar.message.text()
    page.slices.limit.setChecked(True)
    page.slices.first.setValue(5)
    page.slices.last.setValue(17)
    click(page.clip_button)
    ended(page)
    assert np.flatnonzero(mask.data.any(axis=(1, 2))).tolist() == list(range(5, 18))
    undone(before)


def test_every_key_of_the_sheet_does_something(page, viewer, mask, monkeypatch, ended):
    page.by.setValue(0.2)
    for key, (text, _) in page.keys._commands.items():
        mask.data[:] = 0
        mask.data[[10, 12, 14], 20:40, 20:40] = 1
        mask.data[[10, 12, 14], 28:30, 28:30] = 0
        mask.data[12, 5:7, 5:7] = 1
        mask.refresh()
        viewer.dims.set_point(0, Z * 0.082)
        before = mask.data.copy()
        bound = {str(k).replace("+", "-"): f for k, f in mask.keymap.items()}[key]
        bound(mask)
        if key == "Shift-C":  # a click follows: test_click_contour
            page.contour._clicked((Z * 0.082, 31 * 0.082, 32 * 0.082))
        ended(page)
        assert (before != mask.data).any(), text


def test_help_lists_the_keys_and_blocks_nothing(page, mask, click):
    next(f for key, f in mask.keymap.items() if str(key) == "F1")(mask)
    assert isinstance(page.keys._box, QMessageBox)
    assert not page.keys._box.isModal()
    for key, (text, _) in page.keys._commands.items():
        assert key.replace("-", "+") in page.keys._box.text()
        assert text in page.keys._box.text()
    page.keys._box.close()
    click(page.help)
    assert page.keys._box.isVisible()
    page.keys._box.close()


def test_keys_go_with_the_dock_and_with_the_layer(page, viewer, mask, tube, close_dock):
    assert mask.keymap
    other = add_mask(viewer, Mask(tube.small.copy(), tube.grid), "other")
    page.mask.pick(other)
    assert not any(mask.keymap.values())
    assert any(other.keymap.values())
    close_dock(page)
    assert not any(other.keymap.values())


def test_in_3d_the_tools_of_a_slice_say_what_to_do(page, viewer, mask, press):
    viewer.dims.ndisplay = 3
    before = mask.data.copy()
    press("This slice", "Grow")
    assert "in 2D" in page.run_bar.message.text()
    np.testing.assert_array_equal(mask.data, before)


def test_painting_meanwhile_is_not_lost(page, mask, press, ended, monkeypatch, gate, entered):
    from napari_vbmd.plugin import correct_dock

    monkeypatch.setattr(correct_dock, "edit", gate.around(correct_dock.edit))
    press("Whole mask", "Grow")
    entered()
    mask.data[Z, 2, 2] = 1
    painted = mask.data.copy()
    gate.opened.set()
    ended(page)
    assert "changed meanwhile" in page.run_bar.message.text()
    np.testing.assert_array_equal(mask.data, painted)


def test_empty_slice_and_empty_mask_are_no_error_and_one_line(page, mask, press, ended):
    mask.data[:] = 0
    press("This slice", "Grow")
    assert "0 voxels changed" in page.run_bar.message.text()
    press("Whole mask", "Grow")
    ended(page)
    assert "mask is empty" in page.run_bar.message.text()
